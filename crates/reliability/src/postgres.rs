//! Postgres stopped, restarted, and its disk full, in the middle of a load over two replicas: nothing goes to ARM without a
//! committed intent, every answer comes in time, and all goes on by itself when Postgres is back.

mod disk;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::future::try_join_all;
use tokio::time::sleep;

pub use disk::{Disk, small_disk};

use crate::freeze::until;
use crate::history::scene::{Scene, settings};
use crate::history::{Call, ending, objections};
use crate::load::{Caller, Load};
use crate::{Ground, Tally};

/// How many callers work.
const CALLERS: u32 = 4;
/// An answer comes within two seconds; this is asserted with room for a machine with much else to do.
const IN_TIME: Duration = Duration::from_secs(4);
/// How long Postgres is away, and how long all goes well before and after.
const AWAY: Duration = Duration::from_secs(4);

/// Writes what needs new room on the disk.
const BIG: &str = "select lo_from_bytea(0, convert_to(repeat('x', 16000000), 'UTF8'))::int8";

/// What happens to Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    Restarted,
    Stopped,
    DiskFull,
}

/// Runs it. `disk` is the small one that Postgres is on, if one could be had.
///
/// # Errors
/// When something it needs is missing.
pub async fn run(ground: &Ground, disk: Option<&Disk>) -> anyhow::Result<ExitCode> {
    ground.tell_commit_times().await?;
    let mut tally = Tally::default();
    for blow in [Blow::Restarted, Blow::Stopped, Blow::DiskFull] {
        if blow == Blow::DiskFull && disk.is_none() {
            writeln!(
                std::io::stdout(),
                "DiskFull: skipped, no small disk can be mounted here"
            )?;
            tally.skip();
            continue;
        }
        // The shortest leases are for takeovers, and what ends here must not hang on them.
        let settings = settings()
            .with("worker.lease", "3s")
            .with("database.max_connections", "10");
        let scene = Scene::set(ground, azure_emulator::Options::default(), settings).await?;
        let found = trial(ground, &scene, blow, disk).await;
        tally.add(
            &format!("{blow:?}"),
            &found.unwrap_or_else(|error| vec![format!("{error:#}")]),
        );
        scene.strike().await?;
    }
    Ok(tally.end("postgres")?)
}

async fn trial(
    ground: &Ground,
    scene: &Scene,
    blow: Blow,
    disk: Option<&Disk>,
) -> anyhow::Result<Vec<String>> {
    let load = Load::default();
    let workers = (0..CALLERS)
        .map(|caller| Caller::new(scene, &load, caller, &[0, 1], Duration::from_millis(20)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let workers = try_join_all(workers.into_iter().map(Caller::work));
    let story = async {
        let told = story(ground, scene, &load, blow, disk).await;
        load.stop.store(true, Ordering::Relaxed);
        told
    };
    let (_, recovery) = tokio::try_join!(workers, story)?;
    ending::come_to_an_end(scene, &BTreeSet::new()).await?;
    let history = scene.history().await?;
    let mut found = objections(&history);
    let told = judge(blow, &history.calls, &mut found);
    for replica in [0, 1] {
        let mut place = scene.replica(replica).lock().await;
        if place.as_mut().context("no replica")?.ended()?.is_some() {
            found.push(format!("replica {replica} has died"));
        }
    }
    writeln!(
        std::io::stdout(),
        "{blow:?}: {told}; {} operations, {} requests to change, all with an intent committed before; changes end again {:.1} s after",
        history.operations.len(),
        history.sent.len(),
        recovery.as_secs_f64()
    )?;
    Ok(found)
}

/// All goes well, Postgres is struck, all goes well again. Returns how long the last took.
async fn story(
    ground: &Ground,
    scene: &Scene,
    load: &Load,
    blow: Blow,
    disk: Option<&Disk>,
) -> anyhow::Result<Duration> {
    ends_more(load).await?;
    let server = ground.server();
    match (blow, disk) {
        (Blow::Restarted, _) => server.restart().await?,
        (Blow::Stopped, _) => {
            server.suspend().await?;
            sleep(AWAY).await;
            server.resume().await?;
        }
        (Blow::DiskFull, Some(disk)) => {
            disk.fill()?;
            // What is written to room that it has already would go well for a while.
            until("Postgres finds no room", || async {
                Ok(scene.stack().database.number(BIG).await.is_err())
            })
            .await?;
            sleep(AWAY).await;
            disk.empty()?;
            // It ends itself when it can't write its log; its supervisor starts it again.
            if server.process_id().is_none() {
                server.resume().await?;
            }
        }
        (Blow::DiskFull, None) => {}
    }
    let back = Instant::now();
    ends_more(load).await?;
    Ok(back.elapsed())
}

/// Waits until some more changes have ended.
async fn ends_more(load: &Load) -> anyhow::Result<()> {
    let enough = load.ended.load(Ordering::Relaxed) + 6;
    until("changes end", || async {
        Ok(load.ended.load(Ordering::Relaxed) >= enough)
    })
    .await
}

/// That every answer came in time, and that there was an outage. How it was told is the checker's to judge.
fn judge(blow: Blow, calls: &[Call], found: &mut Vec<String>) -> String {
    let slowest = calls.iter().map(|call| call.took).max().unwrap_or_default();
    let late = calls.iter().filter(|call| call.took > IN_TIME).count();
    if late > 0 {
        found.push(format!(
            "{late} answers took longer than {IN_TIME:?}, the slowest {slowest:?}"
        ));
    }
    let replies = calls.iter().filter_map(|call| call.reply.as_ref());
    let unavailable = replies
        .filter(|reply| reply.code == "databaseUnavailable")
        .count();
    // A restart may be over before anybody has noticed, and a disk that is full may keep all who could waiting for their changes.
    if unavailable == 0 && blow == Blow::Stopped {
        found.push("nobody noticed that Postgres was away".to_owned());
    }
    let unanswered = calls.iter().filter(|call| call.reply.is_none()).count();
    if unanswered > 0 {
        found.push(format!("{unanswered} calls got no answer"));
    }
    format!(
        "{} calls, {unavailable} answered that the database is away, the slowest answer took {:.2} s",
        calls.len(),
        slowest.as_secs_f64()
    )
}
