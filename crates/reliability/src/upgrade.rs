//! Upgrade: a new version is brought in beside an old one, on the same database, in the middle of a load. Nothing is lost.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use futures_util::future::try_join_all;

use crate::freeze::until;
use crate::history::scene::{Scene, settings};
use crate::history::{ending, objections};
use crate::load::{Caller, Load};
use crate::stack::build_revision;
use crate::{Ground, Settings, Tally};

/// How many callers work.
const CALLERS: u32 = 4;

/// From which version.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The old version: its program, or a git revision, which is built; by default the last one that had other migrations.
    #[arg(long)]
    old: Option<String>,
}

/// What an old version understands of what makes a trial short.
fn old_settings() -> Settings {
    Settings::default()
        .with("worker.poll_min", "20ms")
        .with("worker.poll_max", "100ms")
        .with("worker.interval", "100ms")
        .with("worker.lease", "2s")
        .with("worker.max_request_lifetime", "1500ms")
        .with("upstream.timeout", "1s")
}

/// Runs it.
///
/// # Errors
/// When something it needs is missing.
pub async fn run(ground: &Ground, options: &Options) -> anyhow::Result<ExitCode> {
    let given = options.old.clone();
    let old = match given.as_deref().map(PathBuf::from).filter(|path| path.is_file()) {
        Some(program) => program,
        None => tokio::task::spawn_blocking(move || build_revision(given.as_deref())).await??,
    };
    ground.tell_commit_times().await?;
    let mut tally = Tally::default();
    let found = trial(ground, old).await;
    tally.add(
        "upgrade",
        &found.unwrap_or_else(|error| vec![format!("{error:#}")]),
    );
    let old = options.old.as_ref().map(|old| format!(" --old {old}"));
    Ok(tally.end(&format!("upgrade{}", old.unwrap_or_default()))?)
}

async fn trial(ground: &Ground, old: PathBuf) -> anyhow::Result<Vec<String>> {
    let stack = ground.bare_stack(azure_emulator::Options::default()).await?;
    stack.migrate(&old).await?;
    let old_settings = old_settings();
    let replicas = tokio::try_join!(
        stack.replica_of(&old, &old_settings),
        stack.replica_of(&old, &old_settings)
    )?;
    let settings = settings()
        .with("worker.lease", "2s")
        .with("upstream.connect_timeout", "900ms");
    let scene = Scene::of(stack, replicas.into(), settings)?;
    // The new schema below the old version, the new version beside it, then alone: all of it under load.
    let (before, ()) = tokio::try_join!(phase(&scene), scene.stack().migrate(ground.program()))?;
    let (_, _) = tokio::try_join!(phase(&scene), change_over(&scene, 1))?;
    let beside = phase(&scene).await?;
    let (_, ended) = tokio::try_join!(phase(&scene), change_over(&scene, 0))?;
    let alone = phase(&scene).await?;
    ending::come_to_an_end(&scene, &BTreeSet::new()).await?;
    let mut history = scene.history().await?;
    // Versions before the cluster's turns know nothing of them: who is at it counts from the old one's end on.
    history.changes.retain(|change| change.started > ended);
    let found = objections(&history);
    let refused = history
        .calls
        .iter()
        .filter(|call| call.reply.as_ref().is_none_or(|reply| !reply.is_taken_on()));
    writeln!(
        std::io::stdout(),
        "{} operations; {before} ended with the old version while the schema changed, {beside} with one of each, {alone} with the new; \
         {} calls, {} without success",
        history.operations.len(),
        history.calls.len(),
        refused.count()
    )?;
    if !found.is_empty() {
        scene.keep("upgrade", &history, "").await?;
    }
    scene.strike().await?;
    Ok(found)
}

/// Works at both replicas until some changes have ended; returns how many.
async fn phase(scene: &Scene) -> anyhow::Result<u64> {
    let load = Load::default();
    let workers = (0..CALLERS)
        .map(|caller| Caller::new(scene, &load, caller, &[0, 1], Duration::from_millis(20)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let workers = try_join_all(workers.into_iter().map(Caller::work));
    let enough = async {
        let some = || async { Ok(load.ended.load(Ordering::Relaxed) >= 12) };
        let came = until("changes end", some).await;
        load.stop.store(true, Ordering::Relaxed);
        came
    };
    tokio::try_join!(workers, enough)?;
    Ok(load.ended.load(Ordering::Relaxed))
}

/// A replica is asked to end, with operations under way, and a new one comes in its place. Gives when the old one was gone.
async fn change_over(scene: &Scene, replica: usize) -> anyhow::Result<chrono::DateTime<chrono::Utc>> {
    let place = scene.replica(replica);
    place.lock().await.as_mut().context("no replica")?.ask_to_end()?;
    scene.bring_back(replica).await?;
    Ok(scene.stack().emulator.clock().now())
}
