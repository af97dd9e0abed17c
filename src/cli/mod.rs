//! The command line: serve, migrate, health, openapi. Parses, sets up the log, calls one function.

mod health;
mod migrate;
mod serve;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::http;
use crate::telemetry::{LogFormat, LogOptions};

/// Connects Azure Data Explorer to event streams in another Microsoft Entra tenant.
#[derive(Debug, Parser)]
#[command(name = "tenant-bridge", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// What is logged, such as `info` or `tenant_bridge=debug`.
    #[arg(long, global = true, env = "TENANT_BRIDGE_LOG", default_value = "info")]
    log: String,
    /// How it is logged.
    #[arg(long, global = true, env = "TENANT_BRIDGE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OpenApiVersion {
    /// As the routes make it.
    #[value(name = "3.1")]
    Current,
    /// Converted, for tools that read nothing newer than 3.0.3.
    #[value(name = "3.0")]
    Older,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve requests. Settings: the file, overlaid by TENANT_BRIDGE__SECTION__KEY.
    Serve {
        /// The configuration file (TOML).
        #[arg(long, env = "TENANT_BRIDGE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Bring the database's schema up to date, as its owner, and give the serving role its rights.
    Migrate {
        /// The configuration file (TOML): `database.owner_url` and `database.serving_role`.
        #[arg(long, env = "TENANT_BRIDGE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Ask the service on this machine whether it lives: exit code 0 if so, 1 if not. For a container's health check.
    Health(health::Question),
    /// Print the OpenAPI document.
    Openapi {
        /// The version of OpenAPI to write it in.
        #[arg(long, value_enum, default_value_t = OpenApiVersion::Current)]
        version: OpenApiVersion,
    },
}

/// Runs the command line. Returns 0 after an orderly end, 1 after an error, 2 for wrong arguments, 130 when a second signal
/// cut the end short.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let log = LogOptions {
        filter: arguments.log,
        format: arguments.log_format,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.into()),
    };
    let result = match arguments.command {
        Command::Serve { config } => runtime.block_on(serve::serve(config.as_deref(), &log)),
        Command::Migrate { config } => runtime.block_on(migrate::migrate(config.as_deref(), &log)),
        Command::Health(question) => runtime.block_on(health::health(&question)),
        Command::Openapi { version } => print_document(version),
    };
    result.unwrap_or_else(|error| complain(&error))
}

fn print_document(version: OpenApiVersion) -> anyhow::Result<ExitCode> {
    let text = match version {
        OpenApiVersion::Current => http::OPENAPI_3_1,
        OpenApiVersion::Older => http::OPENAPI_3_0,
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn complain(error: &anyhow::Error) -> ExitCode {
    // The log may not be there yet, and this is what a person at the terminal looks for. Nothing is left to do if it fails.
    let _ = writeln!(std::io::stderr(), "tenant-bridge: {error:#}");
    ExitCode::FAILURE
}
