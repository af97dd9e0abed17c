//! Configuration: a TOML file, overlaid by the environment, read once and checked whole before anything starts.
//! One file a section; every wrong key is named at once. Nothing outside this room reads a file or variable of settings.

mod arm;
mod database;
mod entra;
#[cfg(all(feature = "failure-points", debug_assertions))]
mod failure_points;
mod idempotency;
mod ledger;
mod limits;
mod outbound;
mod reader;
mod server;
mod strength;
mod telemetry;
mod tenants;
mod visibility;
mod worker;

use std::path::Path;

pub use arm::ArmSection;
pub use database::{DatabaseSection, MigrationSection};
pub use entra::EntraSection;
#[cfg(all(feature = "failure-points", debug_assertions))]
pub use failure_points::failure_points;
pub use idempotency::IdempotencySection;
pub use ledger::LedgerSection;
pub use limits::LimitsSection;
pub use reader::{ConfigError, Problem, Reader};
pub use server::ServerSection;
pub use telemetry::TelemetrySection;
pub use tenants::{Direction, TenantPolicy};
pub use visibility::VisibilitySection;
pub use worker::WorkerSection;

use crate::outbound::{ClientOptions, LineLimits};

/// All that `serve` needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where and how to listen.
    pub server: ServerSection,
    /// How much of one replica a single person may use.
    pub limits: LimitsSection,
    /// The database, as the serving role.
    pub database: DatabaseSection,
    /// Entra: whose tokens are taken, and who this service is.
    pub entra: EntraSection,
    /// Azure Resource Manager.
    pub arm: ArmSection,
    /// Which tenants may be connected, in which direction.
    pub tenants: TenantPolicy,
    /// How long ARM's word is taken on what a person may read.
    pub visibility: VisibilitySection,
    /// How calls leave.
    pub outbound: ClientOptions,
    /// How much each tenant's side is asked.
    pub lines: LineLimits,
    /// How work in the background goes on.
    pub worker: WorkerSection,
    /// How long requests can be repeated by their key.
    pub idempotency: IdempotencySection,
    /// The ledger.
    pub ledger: LedgerSection,
    /// Metrics and traces.
    pub telemetry: TelemetrySection,
}

impl Config {
    /// Reads the file, if one is named, and the variables `TENANT_BRIDGE__SECTION__KEY`.
    ///
    /// # Errors
    /// Every missing, unknown and malformed key, each with what is expected.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::read(Reader::open(file)?)
    }

    /// Reads a configuration from TOML text alone, without the environment.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::read(Reader::from_toml(text)?)
    }

    fn read(mut reader: Reader) -> Result<Self, ConfigError> {
        let server = ServerSection::read(&mut reader);
        let limits = LimitsSection::read(&mut reader);
        let database = DatabaseSection::read(&mut reader);
        let entra = EntraSection::read(&mut reader);
        let arm = ArmSection::read(&mut reader);
        let tenants = TenantPolicy::read(&mut reader);
        let visibility = VisibilitySection::read(&mut reader);
        let outbound = outbound::read(&mut reader);
        let lines = outbound::read_limits(&mut reader);
        let worker = WorkerSection::read(&mut reader);
        let idempotency = IdempotencySection::read(&mut reader);
        let ledger = LedgerSection::read(&mut reader);
        let telemetry = TelemetrySection::read(&mut reader);
        if let (Some(worker), Some(outbound), Some(lines)) = (&worker, &outbound, &lines) {
            check_times(&mut reader, worker, outbound, lines);
        }
        reader.finish_with_unknown_keys()?;
        // No error was reported, so every section is there.
        match (
            server,
            limits,
            database,
            entra,
            arm,
            tenants,
            visibility,
            outbound,
            lines,
            worker,
            idempotency,
            ledger,
        ) {
            (
                Some(server),
                Some(limits),
                Some(database),
                Some(entra),
                Some(arm),
                Some(tenants),
                Some(visibility),
                Some(outbound),
                Some(lines),
                Some(worker),
                Some(idempotency),
                Some(ledger),
            ) => Ok(Self {
                server,
                limits,
                database,
                entra,
                arm,
                tenants,
                visibility,
                outbound,
                lines,
                worker,
                idempotency,
                ledger,
                telemetry,
            }),
            _ => Err(ConfigError::incomplete()),
        }
    }
}

/// Times of several sections that must fit together.
fn check_times(reader: &mut Reader, worker: &WorkerSection, outbound: &ClientOptions, lines: &LineLimits) {
    if worker.request_life <= outbound.timeout {
        // A request that is still under way here must not be taken for dead.
        reader.report("worker.request_life", "must be longer than outbound.timeout");
    }
    if lines.read_timeout > outbound.timeout {
        reader.report(
            "outbound.read_timeout",
            "must not be longer than outbound.timeout",
        );
    }
    // A write is sent while at least half of its lease is left, and has left when the connection stands. What takes time after
    // that is the wait for the answer, and the lease is kept alive meanwhile: so the whole call may be longer than the lease.
    if outbound.connect_timeout * 2 >= worker.lease {
        reader.report(
            "outbound.connect_timeout",
            "must be shorter than half of worker.lease: a write has to leave while its lease lasts",
        );
    }
}

#[cfg(test)]
mod tests;
