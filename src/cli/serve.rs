//! `tenant-bridge serve`: until a signal; a second signal cuts the orderly end short.

use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::telemetry::{self, LogOptions};

/// What a shell reports for a process that was interrupted.
const CUT_SHORT: u8 = 130;

pub(super) async fn serve(file: Option<&Path>, log: &LogOptions) -> anyhow::Result<ExitCode> {
    let config = Config::load(file)?;
    let telemetry = telemetry::start(log, &config.telemetry, crate::upstream::local_client)?;
    #[cfg(all(feature = "failure-points", debug_assertions))]
    crate::failpoints::arm_process(crate::config::failure_points().as_deref())?;
    // Before anything starts, so that no signal finds the process half up and without a handler.
    let mut signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let running = app::start(config, Clock::system()).await?;
    next(&mut signals).await;
    tracing::info!(
        "stopping: not ready any more; requests are still taken for a while, then operations are handed over"
    );
    let code = tokio::select! {
        () = running.stop() => ExitCode::SUCCESS,
        () = next(&mut signals) => {
            tracing::warn!("a second signal: stopping at once");
            return Ok(ExitCode::from(CUT_SHORT));
        }
    };
    // It waits for a collector that may be slow; the runtime must keep running meanwhile.
    tokio::task::spawn_blocking(|| telemetry.stop()).await?;
    Ok(code)
}

async fn next((interrupt, terminate): &mut (Signal, Signal)) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
