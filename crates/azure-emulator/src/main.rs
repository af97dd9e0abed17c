//! The emulator by itself: reads a seed, listens, tells where, prints one line per call until it is interrupted.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use azure_emulator::directory::{ARM_APP_ID, Consent, GRAPH_APP_ID};
use azure_emulator::{Emulator, Entry, Options, Seed, SeedError, World};
use clap::Parser;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast::error::TryRecvError;

/// An Azure to test against: Entra and Azure Resource Manager for many tenants, over TLS.
///
/// Ends with 0 when it is interrupted, with 2 when the seed or an argument is refused, with 1 when it can't start.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// What the cloud starts with (TOML); the built-in how-to when left out.
    #[arg(long)]
    seed: Option<PathBuf>,
    /// Port of the login host; 0 takes any free one.
    #[arg(long, default_value_t = 0)]
    entra_port: u16,
    /// Port of Azure Resource Manager.
    #[arg(long, default_value_t = 0)]
    arm_port: u16,
    /// Port of the admin API and the page.
    #[arg(long, default_value_t = 0)]
    admin_port: u16,
    /// Where to write the certificate authority (PEM) that clients have to trust; when left out, a temporary file that
    /// goes with the emulator.
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Print one line of JSON with addresses and files when ready, and nothing else, on standard output.
    #[arg(long)]
    json: bool,
    /// Write that line to this file when ready. It appears whole, so that waiting for it is enough.
    #[arg(long)]
    ready_file: Option<PathBuf>,
    /// How long a Kusto write takes, in milliseconds.
    #[arg(long, default_value_t = 2000)]
    operation_ms: u64,
    /// How long reads of data connections show what was there before a change, in milliseconds.
    #[arg(long, default_value_t = 0)]
    read_lag_ms: u64,
    /// How many items a page of a list of data connections, permissions or roles holds; all when left out.
    #[arg(long)]
    list_page_size: Option<NonZeroUsize>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let arguments = Arguments::parse();
    start_log();
    let seed = match seed(arguments.seed.as_deref()) {
        Ok(seed) => seed,
        Err(refused) => {
            tell(&mut std::io::stderr(), &refused)?;
            return Ok(ExitCode::from(2));
        }
    };
    // Before anybody is told of this process, so that an early signal finds its handler.
    let (mut interrupted, mut terminated) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let options = Options {
        entra_port: arguments.entra_port,
        arm_port: arguments.arm_port,
        admin_port: arguments.admin_port,
        operation_duration: Duration::from_millis(arguments.operation_ms),
        read_lag: Duration::from_millis(arguments.read_lag_ms),
        list_page_size: arguments.list_page_size.map(NonZeroUsize::get),
        ..Options::default()
    };
    let emulator = Emulator::start(seed, options).await?;
    let mut news = emulator.journal().subscribe();
    let files = Files::write(&arguments, &emulator)?;
    let ready = ready(&emulator, &files.ca);
    let text = if arguments.json {
        format!("{ready}\n")
    } else {
        greeting(&emulator, &files.ca)
    };
    tell(&mut std::io::stdout(), &text)?;
    if let Some(file) = &arguments.ready_file {
        write_whole(file, &format!("{ready}\n"))?;
    }
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(ready_ms = took, "ready");
    loop {
        tokio::select! {
            _ = interrupted.recv() => break,
            _ = terminated.recv() => break,
            entry = news.recv() => if let Ok(entry) = entry {
                print(&entry);
            },
        }
    }
    emulator.stop().await;
    // What was answered before the signal is told too, however close the two came.
    loop {
        match news.try_recv() {
            Ok(entry) => print(&entry),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
    files.remove();
    Ok(ExitCode::SUCCESS)
}

fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// The seed; or what is wrong with it, problem by problem.
fn seed(path: Option<&Path>) -> Result<Seed, String> {
    let Some(path) = path else {
        return Ok(Seed::how_to());
    };
    let shown = path.display();
    Seed::from_file(path).map_err(|error| match error {
        SeedError::File(error) => format!("The seed {shown} can't be read: {error}\n"),
        SeedError::Format(error) => format!("The seed {shown} is refused:\n{error}\n"),
        SeedError::Content(problems) => {
            let mut told = format!("The seed {shown} is refused, for {} reasons:\n", problems.len());
            for problem in problems {
                let _ = writeln!(told, "  {}: {}", problem.path, problem.message);
            }
            told
        }
    })
}

/// Where everything is, for scripts. Members are only ever added.
fn ready(emulator: &Emulator, ca: &Path) -> Value {
    let admin = emulator.admin_url();
    json!({
        "entra": emulator.entra_url(),
        "arm": emulator.arm_url(),
        "admin": admin,
        "page": admin,
        "userToken": format!("{admin}admin/token"),
        "caFile": ca,
        "pid": std::process::id(),
    })
}

/// The same for people, with something to try.
fn greeting(emulator: &Emulator, ca: &Path) -> String {
    let (admin, ca) = (emulator.admin_url(), ca.display());
    let token = emulator.read(token_request).map_or_else(String::new, |request| {
        format!(
            "A user's token for an API:\n  curl --cacert {ca} {admin}admin/token \
             -H 'content-type: application/json' \\\n    -d '{request}'\n"
        )
    });
    format!(
        "Login host              {}\n\
         Azure Resource Manager  {}\n\
         Page and admin API      {admin}\n\
         CA to trust             {ca}\n\n\
         {token}Everything that can be changed:\n  curl --cacert {ca} {admin}admin/changes\n\n\
         Ctrl-C ends it.\n",
        emulator.entra_url(),
        emulator.arm_url(),
    )
}

/// A request for a token that this cloud would grant: of a user in a tenant that has consented to an app's calls of an
/// API of its own. Nothing when there is none.
fn token_request(world: &World) -> Option<Value> {
    let directory = &world.directory;
    let own = |consent: &&Consent| consent.resource_id != ARM_APP_ID && consent.resource_id != GRAPH_APP_ID;
    directory.consents.iter().filter(own).find_map(|consent| {
        let users = directory.users.iter();
        let mut here = users.filter(|user| user.in_tenant(&consent.tenant_id).is_some_and(|m| m.enabled));
        Some(json!({
            "user": here.next()?.upn,
            "tenant": directory.tenant(&consent.tenant_id)?.domains.first()?,
            "app": directory.app(&consent.client_id)?.name,
            "api": directory.app(&consent.resource_id)?.name,
            "scopes": consent.scopes,
        }))
    })
}

/// The files of a run.
struct Files {
    ca: PathBuf,
    /// The CA's file was not asked for, and goes with the emulator.
    is_temporary: bool,
    ready: Option<PathBuf>,
}

impl Files {
    fn write(arguments: &Arguments, emulator: &Emulator) -> anyhow::Result<Files> {
        let temporary = || std::env::temp_dir().join(format!("azure-emulator-{}-ca.pem", std::process::id()));
        let ca = arguments.ca_file.clone().unwrap_or_else(temporary);
        // People copy the path into other folders' shells.
        let ca = std::path::absolute(&ca).unwrap_or(ca);
        write_whole(&ca, emulator.ca_pem())?;
        Ok(Files {
            ca,
            is_temporary: arguments.ca_file.is_none(),
            ready: arguments.ready_file.clone(),
        })
    }

    /// A ready file that stays would tell of an emulator that is gone.
    fn remove(&self) {
        let ca = self.is_temporary.then_some(&self.ca);
        for file in ca.into_iter().chain(&self.ready) {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Writes a file so that whoever waits for it never sees half of it.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path));
    written.with_context(|| format!("writing {}", path.display()))
}

fn tell(to: &mut impl std::io::Write, text: &str) -> anyhow::Result<()> {
    to.write_all(text.as_bytes())?;
    Ok(to.flush()?)
}

fn print(entry: &Entry) {
    let grant = entry.grant.as_ref().and_then(|grant| grant.issued.as_ref());
    let token = entry.primary.as_ref().or(grant);
    let who = token.and_then(|token| token.upn.as_deref()).unwrap_or_default();
    tracing::info!(
        host = ?entry.host, status = entry.status, auxiliary = entry.auxiliary.len(), who,
        "{} {}", entry.method, entry.redacted_path(),
    );
}
