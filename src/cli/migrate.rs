//! `tenant-bridge migrate`

use std::path::Path;
use std::process::ExitCode;

use crate::config::MigrationSection;
use crate::db::{self, schema};
use crate::telemetry::{self, LogOptions};

pub(super) async fn migrate(file: Option<&Path>, log: &LogOptions) -> anyhow::Result<ExitCode> {
    let section = MigrationSection::load(file)?;
    let telemetry = telemetry::start(
        log,
        &telemetry::Settings::default(),
        crate::upstream::local_client,
    )?;
    let pool = db::connect(&section.pool)?;
    // Waits while the replicas that serve have all there are.
    db::first_connection(&pool).await?;
    schema::migrate(&pool, &section.serving_role).await?;
    tracing::info!(db.serving_role = section.serving_role, "the schema is up to date");
    telemetry.stop();
    Ok(ExitCode::SUCCESS)
}
