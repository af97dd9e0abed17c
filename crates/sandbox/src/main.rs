//! `cargo sandbox` starts everything and prints how to try it, `cargo sandbox --json` where everything is, for scripts;
//! `cargo sandbox demo` plays the main job from end to end.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sandbox::{Ready, Stack};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A private Postgres, an emulated Azure and Tenant Bridge in one process.
#[derive(Debug, Parser)]
#[command(name = "sandbox")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print one line of JSON when all is ready, for scripts and other people's clients; README.md describes its members.
    #[arg(long)]
    json: bool,
    /// What the service logs to standard error, such as `info`.
    #[arg(long, global = true, default_value = "warn")]
    log: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create, follow and remove a connection between two tenants, and show every hop. Exit code 0 only if all of it happened.
    Demo,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do if standard error is closed too.
            let _ = writeln!(std::io::stderr(), "sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&arguments.log)?)
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anything starts, so that an early Ctrl-C ends it in order too.
        let mut signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let interrupted = async {
            tokio::select! {
                _ = signals.0.recv() => {}
                _ = signals.1.recv() => {}
            }
        };
        match arguments.command {
            None => stay(arguments.json, interrupted).await,
            Some(Command::Demo) if arguments.json => anyhow::bail!("--json goes with no command"),
            Some(Command::Demo) => tokio::select! {
                result = demo() => result,
                () = interrupted => anyhow::bail!("interrupted"),
            },
        }
    })
}

async fn demo() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let mut out = std::io::stdout();
    let colours = out.is_terminal();
    let played = sandbox::play(&stack, &mut out, colours).await;
    stack.stop().await?;
    played
}

async fn stay(json: bool, interrupted: impl Future<Output = ()>) -> anyhow::Result<()> {
    let mut interrupted = std::pin::pin!(interrupted);
    let stack = tokio::select! {
        stack = Stack::start() => stack?,
        () = &mut interrupted => return Ok(()),
    };
    let told = if json {
        tell_scripts(&stack)
    } else {
        tell_people(&stack)
    };
    if told.is_ok() {
        interrupted.await;
    }
    stack.stop().await?;
    told
}

fn tell_scripts(stack: &Stack) -> anyhow::Result<()> {
    let line = serde_json::to_string(&Ready::of(stack)?)?;
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn tell_people(stack: &Stack) -> anyhow::Result<()> {
    let lines = sandbox::lines(stack)?;
    let mut out = std::io::stdout();
    writeln!(out, "Tenant Bridge  {}", stack.url()?)?;
    writeln!(out, "Entra          {}", stack.emulator.entra_url())?;
    writeln!(out, "ARM            {}", stack.emulator.arm_url())?;
    writeln!(out, "admin          {}", stack.emulator.admin_url())?;
    writeln!(out, "\nTo be pasted into another shell (create, follow, list):\n")?;
    for line in lines {
        writeln!(out, "{line}\n")?;
    }
    writeln!(out, "Ctrl-C ends everything.")?;
    Ok(out.flush()?)
}
