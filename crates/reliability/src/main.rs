//! `cargo reliability <command>`: each trial by one command. It prints its seed and how to run the same again, and ends with
//! `N passed, N failed`; the exit code is 0 only if none failed.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use reliability::{
    Ground, contention, duplicates, feed, freeze, history, kill_sweep, postgres, smoke, soak, upgrade,
};

/// Trials of Tenant Bridge under faults.
#[derive(Debug, Parser)]
#[command(name = "reliability")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The service's program, with failure points; built anew if none is named.
    #[arg(long, global = true)]
    program: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Kill the service at every failure point of every operation, start it again, and see that nothing is lost.
    KillSweep(kill_sweep::Options),
    /// Stop and restart Postgres, and fill its disk, in the middle of a load.
    Postgres,
    /// See that the ground holds: two replicas, one of which is killed in the middle of a create and comes back.
    Smoke,
    /// Have many creates compete for one cluster that is busy three times in ten.
    Contention(contention::Options),
    /// Send many copies of one create at once over two replicas: one PUT, one record, one operation.
    Duplicates(duplicates::Options),
    /// Have eight write events, some of them late, three follow the feed, and replicas die: each reads each event once and in one order.
    Feed(feed::Options),
    /// Freeze one of two replicas in the middle of a change, past its lease, and wake it.
    Freeze,
    /// Bring a new version in beside an old one, on the same database, in the middle of a load.
    Upgrade(upgrade::Options),
    /// Keep a steady load on one replica, and see that its memory and file handles stay flat.
    Soak(soak::Options),
    /// Play seeded mixes of callers, faults and restarts over two replicas, and check each against what Azure saw and what is recorded.
    History(history::Options),
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        // Nothing is left to do if standard error is closed too.
        let _ = writeln!(std::io::stderr(), "reliability: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    // Before anything runs: this may be another process after it.
    let disk = match arguments.command {
        Command::Postgres => postgres::small_disk()?,
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let ground = Ground::start(arguments.program, disk.is_some()).await?;
        let code = match arguments.command {
            Command::KillSweep(options) => kill_sweep::run(&options, &ground).await?,
            Command::Smoke => smoke::run(&ground).await?,
            Command::Contention(options) => contention::run(&ground, &options).await?,
            Command::Upgrade(options) => upgrade::run(&ground, &options).await?,
            Command::Postgres => postgres::run(&ground, disk.as_ref()).await?,
            Command::Soak(options) => soak::run(&ground, &options).await?,
            Command::Duplicates(options) => duplicates::run(&ground, &options).await?,
            Command::Feed(options) => feed::run(&ground, &options).await?,
            Command::Freeze => freeze::run(&ground).await?,
            Command::History(options) => history::run(&ground, &options).await?,
        };
        ground.stop().await?;
        Ok(code)
    })
}
