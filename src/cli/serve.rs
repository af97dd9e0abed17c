//! `tenant-bridge serve`: until a signal; a second signal cuts the orderly end short.

use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::clock::Clock;
use crate::config::Config;
use crate::service;

/// What a shell reports for a process that was interrupted.
const CUT_SHORT: u8 = 130;

pub(super) async fn serve(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = Config::load(file)?;
    // Before anything starts, so that no signal finds the process half up and without a handler.
    let mut signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let running = service::start(config, Clock::system()).await?;
    next(&mut signals).await;
    tracing::info!("stopping: requests under way may end, operations are handed over");
    tokio::select! {
        () = running.stop() => Ok(ExitCode::SUCCESS),
        () = next(&mut signals) => {
            tracing::warn!("a second signal: stopping at once");
            Ok(ExitCode::from(CUT_SHORT))
        }
    }
}

async fn next((interrupt, terminate): &mut (Signal, Signal)) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
