//! Runs a command with a private Postgres server, or just the server.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Context;
use clap::Parser;
use dev_postgres::{Database, Options, Server, Source};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::signal::unix::{SignalKind, signal};

/// Starts a private Postgres server with one empty database, runs COMMAND with its URLs in the
/// environment, and ends with COMMAND's exit code, leaving nothing behind. Without COMMAND it
/// prints the URLs and waits for Ctrl-C.
///
/// COMMAND finds DATABASE_URL (the database's owner), TENANT_BRIDGE_TEST_DATABASE_URL (the
/// server's administrator), DEV_POSTGRES_SERVING_URL and DEV_POSTGRES_SERVING_ROLE (a role that
/// may connect and no more).
#[derive(Debug, Parser)]
#[command(name = "dev-postgres", version)]
struct Arguments {
    /// Keep Postgres's safeguards against a crash of the machine.
    #[arg(long)]
    durable: bool,
    /// Run this folder's `*.sql` files first, in the order of their names, as the database's owner.
    #[arg(long, value_name = "FOLDER")]
    apply: Option<PathBuf>,
    /// The command and its arguments, after `--`.
    #[arg(last = true)]
    command: Vec<OsString>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let options = Options {
        durable: arguments.durable,
        source: Source::Environment,
    };
    let server = Server::start(options).await?;
    let database = server.create_database("dev").await?;
    if let Some(folder) = &arguments.apply {
        apply(folder, &database).await?;
    }
    // Not listened to before: until here a signal simply ends this process, and so the server.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let variables = variables(&server, &database);
    let code = match arguments.command.split_first() {
        Some((program, rest)) => {
            let mut command = Command::new(program);
            command.args(rest).envs(variables);
            run(command, &mut interrupt, &mut terminate).await
        }
        None => serve(&variables, &mut interrupt, &mut terminate).await,
    };
    server.stop().await?;
    code
}

/// Runs a folder's SQL files.
async fn apply(folder: &Path, database: &Database) -> anyhow::Result<()> {
    let shown = folder.display();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("can't read the folder {shown}"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    files.sort();
    let mut owner = PgConnection::connect(database.owner_url.as_str()).await?;
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let run = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut owner).await;
        run.with_context(|| format!("{} failed", file.display()))?;
    }
    Ok(owner.close().await?)
}

fn variables<'a>(server: &'a Server, database: &'a Database) -> [(&'static str, &'a str); 4] {
    [
        ("DATABASE_URL", database.owner_url.as_str()),
        ("TENANT_BRIDGE_TEST_DATABASE_URL", server.admin_url().as_str()),
        ("DEV_POSTGRES_SERVING_URL", database.serving_url.as_str()),
        ("DEV_POSTGRES_SERVING_ROLE", &database.serving_role),
    ]
}

type Signal = tokio::signal::unix::Signal;

/// Prints the variables and waits for Ctrl-C or a request to terminate.
async fn serve(
    variables: &[(&str, &str)],
    interrupt: &mut Signal,
    terminate: &mut Signal,
) -> anyhow::Result<ExitCode> {
    let lines: String = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    let mut output = std::io::stdout();
    output.write_all(lines.as_bytes())?;
    output.flush()?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the command to its end. Ctrl-C reaches it from the terminal by itself; a request to
/// terminate comes to this process alone, and is passed on.
async fn run(
    mut command: Command,
    interrupt: &mut Signal,
    terminate: &mut Signal,
) -> anyhow::Result<ExitCode> {
    let name = command.get_program().to_owned();
    let mut child = command
        .spawn()
        .with_context(|| format!("can't run {}", name.display()))?;
    let process_id = child.id().to_string();
    let mut end = tokio::task::spawn_blocking(move || child.wait());
    loop {
        tokio::select! {
            status = &mut end => return Ok(exit_code(status??)),
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {
                let _ = Command::new("kill").args(["-TERM", &process_id]).status();
            }
        }
    }
}

/// The command's own code; 128 and the signal's number, as shells do, if one killed it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or(status.signal().map(|number| number + 128));
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}
