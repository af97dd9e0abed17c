//! The emulator by itself: reads a seed, listens, prints one line per call until it is interrupted.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use azure_emulator::{Emulator, Options, Seed};
use clap::Parser;

/// An Azure to test against: Entra and Azure Resource Manager for many tenants, over TLS.
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
    /// Port of the admin API.
    #[arg(long, default_value_t = 0)]
    admin_port: u16,
    /// Where to write the certificate authority (PEM) that clients have to trust.
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// How long a Kusto write takes, in milliseconds.
    #[arg(long, default_value_t = 2000)]
    operation_ms: u64,
    /// How long reads of data connections show what was there before a change, in milliseconds.
    #[arg(long, default_value_t = 0)]
    read_lag_ms: u64,
    /// How many items a page of a list of data connections, permissions or roles holds; all when left out.
    #[arg(long)]
    list_page_size: Option<usize>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let arguments = Arguments::parse();
    let seed = match &arguments.seed {
        None => Seed::how_to(),
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
            Seed::from_toml(&text).with_context(|| format!("the seed {} is refused", path.display()))?
        }
    };
    let options = Options {
        entra_port: arguments.entra_port,
        arm_port: arguments.arm_port,
        admin_port: arguments.admin_port,
        operation_duration: Duration::from_millis(arguments.operation_ms),
        read_lag: Duration::from_millis(arguments.read_lag_ms),
        list_page_size: arguments.list_page_size,
        ..Options::default()
    };
    let emulator = Emulator::start(seed, options).await?;
    if let Some(path) = &arguments.ca_file {
        std::fs::write(path, emulator.ca_pem()).with_context(|| format!("writing {}", path.display()))?;
    }
    tracing::info!(entra = %emulator.entra_url(), arm = %emulator.arm_url(), admin = %emulator.admin_url(), "listening");
    let mut news = emulator.journal().subscribe();
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            _ = &mut interrupted => break,
            entry = news.recv() => if let Ok(entry) = entry {
                let who = entry.primary.as_ref().and_then(|token| token.upn.clone()).unwrap_or_default();
                tracing::info!(
                    host = ?entry.host, status = entry.status, auxiliary = entry.auxiliary.len(), who,
                    "{} {}", entry.method, entry.path(),
                );
            },
        }
    }
    emulator.stop().await;
    Ok(())
}
