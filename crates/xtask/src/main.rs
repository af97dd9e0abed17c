//! Development tasks, run as `cargo xtask <task>`.

mod compatibility;
mod downgrade;
mod openapi;

use std::path::PathBuf;

use clap::Parser;

/// Development tasks of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Write the OpenAPI documents of the routes: openapi.json (3.1) and openapi-3.0.json, its conversion to 3.0.
    Openapi {
        /// The folder to write them to.
        #[arg(default_value = "openapi")]
        folder: PathBuf,
    },
    /// Compare openapi-3.0.json with the last released document, as docs/compatibility.md says.
    Compatibility {
        /// The folder with the documents.
        #[arg(default_value = "openapi")]
        folder: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Openapi { folder } => openapi::write(&folder),
        Task::Compatibility { folder } => compatibility::check(&folder),
    }
}
