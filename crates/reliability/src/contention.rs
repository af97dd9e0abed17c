//! Contention: different creates by several callers on one cluster that refuses three writes in ten with `ServiceIsInMaintenance`,
//! while one caller's tokens die. All others end well, one change at a time, in order for each caller, callers taking turns.

mod judge;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use azure_emulator::{Effect, Fault};
use clap::Args;
use futures_util::future::try_join_all;
use serde_json::json;
use tokio::time::sleep;

use crate::history::collect::undone;
use crate::history::requests::MANY;
use crate::history::scene::{Scene, create, settings};
use crate::history::{Who, objections};
use crate::{Ground, Tally};

/// Who loses the tokens.
const BEREFT: u32 = 3;
/// Who asks for the next when the last begins. All others ask for theirs one right after the other.
const STEADY: u32 = 1;

/// How much.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How many creates in all.
    #[arg(long, default_value_t = 300)]
    creates: usize,
    /// By how many callers, four to twelve: the fourth loses the tokens.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(i64::from(BEREFT) + 1..=12))]
    callers: u32,
    /// Which writes are refused.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Within how many seconds all has to end.
    #[arg(long, default_value_t = 900)]
    within: u64,
}

/// Runs it.
///
/// # Errors
/// When something it needs is missing.
pub async fn run(ground: &Ground, options: &Options) -> anyhow::Result<ExitCode> {
    ground.tell_commit_times().await?;
    let azure = azure_emulator::Options {
        operation_duration: Duration::from_millis(100),
        ..azure_emulator::Options::default()
    };
    // Many wait here; a lease that is lost for want of a processor is another trial's matter.
    let settings = settings()
        .with("worker.lease", "5s")
        .with("database.max_connections", "10");
    let scene = Scene::set(ground, azure, settings).await?;
    let mut tally = Tally::default();
    let found = trial(&scene, options).await;
    tally.add(
        "contention",
        &found.unwrap_or_else(|error| vec![format!("{error:#}")]),
    );
    scene.strike().await?;
    let Options {
        creates,
        callers,
        seed,
        ..
    } = options;
    Ok(tally.end(&format!(
        "contention --creates {creates} --callers {callers} --seed {seed}"
    ))?)
}

async fn trial(scene: &Scene, options: &Options) -> anyhow::Result<Vec<String>> {
    let busy = Effect::json(
        409,
        json!({ "error": { "code": "ServiceIsInMaintenance", "message": "injected" } }),
    );
    let busy = Fault::arm("/dataConnections/", busy)
        .method("PUT")
        .always()
        .sometimes(0.3)
        .seed(options.seed);
    scene.stack().emulator.inject(busy);
    let began = Instant::now();
    let deadline = began + Duration::from_secs(options.within);
    let asked = (0..options.callers).map(|caller| ask(scene, caller, options, deadline));
    try_join_all(asked).await?;
    let asked_after = began.elapsed();
    let bereft = scene.person(BEREFT)?.1.clone();
    wait(scene, deadline, &bereft).await?;
    let took = began.elapsed();
    let mut history = scene.history().await?;
    history.revoked.insert(bereft.clone());
    history.gone.insert(bereft.clone());
    let mut found = objections(&history);
    let told = judge::judge(&history, &bereft, &mut found);
    if history.operations.len() != options.creates {
        let recorded = history.operations.len();
        found.push(format!("{recorded} operations for {} creates", options.creates));
    }
    writeln!(
        std::io::stdout(),
        "{} creates by {} callers: asked in {:.0} s, ended after {:.0} s; {told}",
        options.creates,
        options.callers,
        asked_after.as_secs_f64(),
        took.as_secs_f64()
    )?;
    Ok(found)
}

/// A caller asks for all of theirs, one after the other, at either replica. The tokens of one die once all of theirs are asked for.
async fn ask(scene: &Scene, caller: u32, options: &Options, deadline: Instant) -> anyhow::Result<()> {
    let client = scene.client(caller)?;
    let theirs = usize::try_from(caller)?..options.creates;
    let theirs = theirs.step_by(usize::try_from(options.callers)?);
    for (number, place) in theirs.enumerate() {
        let place = MANY + place;
        let asked = loop {
            let reply = scene
                .call(&client, caller, number % 2, create(place, place, None), 0)
                .await;
            if let Some(reply) = reply.as_ref().filter(|reply| reply.is_taken_on()) {
                break reply.clone();
            }
            ensure!(
                Instant::now() < deadline,
                "caller {caller} is still not served: {reply:?}"
            );
            sleep(Duration::from_millis(200)).await;
        };
        if caller == STEADY {
            let path = format!("/v1/operations/{}", asked.operation.context("no operation")?);
            while client.get(&path).await?.text("/status") == "notStarted" {
                sleep(Duration::from_millis(5)).await;
            }
        }
    }
    if caller == BEREFT {
        let person = scene.person(caller)?.0.clone();
        scene.stack().emulator.edit(|world| {
            let now = world.now();
            world.directory.revoke_sessions(person.upn(), now)
        })?;
    }
    Ok(())
}

/// Waits until nothing is under way but what waits for the one whose tokens died.
async fn wait(scene: &Scene, deadline: Instant, bereft: &Who) -> anyhow::Result<()> {
    let people = crate::history::collect::people(scene).await?;
    let bereft: BTreeSet<_> = people
        .iter()
        .filter(|row| format!("{}/{}", row.tenant_id, row.object_id) == *bereft)
        .map(|row| row.id)
        .collect();
    loop {
        let left = undone(scene).await?;
        let waits = |row: &crate::history::Operation| {
            row.awaiting_tenant_id.is_some() && bereft.contains(&row.person_id)
        };
        if left.iter().all(waits) {
            return Ok(());
        }
        let late = || format!("{} are still under way", left.len());
        (Instant::now() < deadline).then_some(()).with_context(late)?;
        sleep(Duration::from_millis(200)).await;
    }
}
