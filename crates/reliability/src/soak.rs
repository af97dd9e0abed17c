//! Soak: a steady load on one replica for a while. Its memory and its file handles stay flat.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep, sleep_until};

use crate::history::scene::Scene;
use crate::load::{Caller, Load};
use crate::{Ground, Settings, Tally};

/// How many callers work.
const CALLERS: u32 = 8;
/// How much memory may be more in the last third than in the first, in per cent.
const MORE: u64 = 10;
/// How many more file handles may be open.
const HANDLES: u64 = 10;

/// How long.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// For how many minutes, after a warm-up of a tenth of it.
    #[arg(long, default_value_t = 20)]
    minutes: u64,
    /// How many calls a second in all.
    #[arg(long, default_value_t = 20)]
    rate: u32,
}

/// What a process has at a moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Resident memory in KiB.
    memory: u64,
    handles: u64,
}

/// Runs it.
///
/// # Errors
/// When something it needs is missing.
pub async fn run(ground: &Ground, options: &Options) -> anyhow::Result<ExitCode> {
    let azure = azure_emulator::Options {
        operation_duration: Duration::from_millis(50),
        ..azure_emulator::Options::default()
    };
    let settings = Settings::hurried().with("worker.lease", "15s");
    let scene = Scene::set(ground, azure, settings).await?;
    let mut tally = Tally::default();
    let found = trial(&scene, options).await;
    tally.add("soak", &found.unwrap_or_else(|error| vec![format!("{error:#}")]));
    scene.strike().await?;
    Ok(tally.end(&format!(
        "soak --minutes {} --rate {}",
        options.minutes, options.rate
    ))?)
}

async fn trial(scene: &Scene, options: &Options) -> anyhow::Result<Vec<String>> {
    let load = Load::default();
    let pace = Duration::from_secs(1) * CALLERS / options.rate.max(1);
    let workers = (0..CALLERS)
        .map(|caller| Caller::new(scene, &load, caller, &[0], pace))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let workers = try_join_all(workers.into_iter().map(Caller::work));
    let process = scene
        .replica(0)
        .lock()
        .await
        .as_ref()
        .context("no replica")?
        .process();
    let watch = async {
        let watched = watch(scene, process, options).await;
        load.stop.store(true, Ordering::Relaxed);
        watched
    };
    let (_, (samples, calls, refused)) = tokio::try_join!(workers, watch)?;
    let ended = load.ended.load(Ordering::Relaxed);
    let third = samples.len() / 3;
    let (first, last) = (
        mean(samples.get(..third).unwrap_or_default()),
        mean(samples.get(samples.len() - third..).unwrap_or_default()),
    );
    writeln!(
        std::io::stdout(),
        "{} minutes, {calls} calls, {refused} not answered with success, {ended} changes ended well; resident memory {:.1} MiB in the first third, \
         {:.1} MiB in the last; file handles {} and {}",
        options.minutes,
        mebibytes(first.memory),
        mebibytes(last.memory),
        first.handles,
        last.handles
    )?;
    let mut found = Vec::new();
    if last.memory > first.memory + first.memory * MORE / 100 {
        found.push("memory grows".to_owned());
    }
    if last.handles > first.handles + HANDLES {
        found.push("file handles are left open".to_owned());
    }
    if ended == 0 {
        found.push("no change ended well".to_owned());
    }
    if refused > 0 {
        found.push(format!("{refused} calls were not answered with success"));
    }
    Ok(found)
}

#[expect(clippy::cast_precision_loss, reason = "to be read by people")]
fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}

/// Samples taken each second after the warm-up, how many calls were made, and how many of them without success. What is kept here
/// of calls and of Azure's journal is thrown away meanwhile.
async fn watch(
    scene: &Scene,
    process: u32,
    options: &Options,
) -> anyhow::Result<(Vec<Sample>, usize, usize)> {
    let all = Duration::from_secs(options.minutes * 60);
    sleep(all / 10).await;
    let end = Instant::now() + all;
    let (mut samples, mut calls, mut refused) = (Vec::new(), 0, 0);
    while Instant::now() < end {
        samples.push(sample(process)?);
        let made = std::mem::take(&mut *scene.calls());
        calls += made.len();
        let is_success = |call: &&crate::history::Call| {
            call.reply
                .as_ref()
                .is_some_and(crate::history::Reply::is_taken_on)
        };
        refused += made.len() - made.iter().filter(is_success).count();
        scene.stack().emulator.journal().clear();
        sleep_until(Instant::now() + Duration::from_secs(1)).await;
    }
    Ok((samples, calls, refused))
}

fn sample(process: u32) -> anyhow::Result<Sample> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let memory = line
        .and_then(|rest| rest.split_whitespace().next())
        .context("no VmRSS")?
        .parse()?;
    let handles = u64::try_from(std::fs::read_dir(format!("/proc/{process}/fd"))?.count())?;
    Ok(Sample { memory, handles })
}

fn mean(samples: &[Sample]) -> Sample {
    let count = u64::try_from(samples.len()).unwrap_or(1).max(1);
    Sample {
        memory: samples.iter().map(|sample| sample.memory).sum::<u64>() / count,
        handles: samples.iter().map(|sample| sample.handles).sum::<u64>() / count,
    }
}
