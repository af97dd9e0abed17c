//! `tenant-bridge migrate`

use std::path::Path;
use std::process::ExitCode;

use crate::config::MigrationSection;
use crate::db::{self, schema};

pub(super) async fn migrate(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let section = MigrationSection::load(file)?;
    let pool = db::connect(&section.pool)?;
    schema::migrate(&pool, &section.serving_role).await?;
    tracing::info!(db.serving_role = section.serving_role, "the schema is up to date");
    Ok(ExitCode::SUCCESS)
}
