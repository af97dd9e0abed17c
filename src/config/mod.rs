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
mod reader;
mod server;
mod strength;
mod telemetry;
mod tenants;
mod upstream;
mod visibility;
mod worker;

use std::path::Path;

pub use arm::ArmSection;
pub use database::{DatabaseSection, MigrationSection};
pub use entra::EntraSection;
#[cfg(all(feature = "failure-points", debug_assertions))]
pub use failure_points::failure_points;
pub use ledger::LedgerSection;
pub use limits::LimitsSection;
pub use reader::{ConfigError, Problem, Reader};

use crate::authz::TenantPolicy;
use crate::upstream::{ClientOptions, GuardLimits};
use crate::usecases::IdempotencySettings;
use crate::{http, operations};

/// All that `serve` needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where and how to listen.
    pub server: http::Settings,
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
    /// How long ARM's answer about a person's access is cached.
    pub visibility: crate::visibility::Settings,
    /// The client of calls to Entra and ARM.
    pub upstream: ClientOptions,
    /// Limits of these calls, for each tenant.
    pub upstream_limits: GuardLimits,
    /// How operations are followed to their end.
    pub worker: operations::Settings,
    /// How long requests can be repeated by their key.
    pub idempotency: IdempotencySettings,
    /// The ledger.
    pub ledger: LedgerSection,
    /// Metrics and traces.
    pub telemetry: crate::telemetry::Settings,
}

impl Config {
    /// Reads the file, if one is named, and the variables `TENANT_BRIDGE__SECTION__KEY`.
    ///
    /// # Errors
    /// Every missing, unknown and malformed key, each with what is expected.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::read(Reader::open(file)?)
    }

    /// Reads `[server]` alone, so that the secrets needn't be there.
    pub fn load_server(file: Option<&Path>) -> Result<http::Settings, ConfigError> {
        server::load(file)
    }

    /// Reads a configuration from TOML text alone, without the environment.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::read(Reader::from_toml(text)?)
    }

    fn read(mut reader: Reader) -> Result<Self, ConfigError> {
        let server = server::read(&mut reader);
        let limits = LimitsSection::read(&mut reader);
        let database = DatabaseSection::read(&mut reader);
        let entra = EntraSection::read(&mut reader);
        let arm = ArmSection::read(&mut reader);
        let tenants = tenants::read(&mut reader);
        let visibility = visibility::read(&mut reader);
        let upstream = upstream::read(&mut reader);
        let upstream_limits = upstream::read_limits(&mut reader);
        let worker = worker::read(&mut reader);
        let idempotency = idempotency::read(&mut reader);
        let ledger = LedgerSection::read(&mut reader);
        let telemetry = telemetry::read(&mut reader);
        if let (Some(worker), Some(upstream), Some(limits)) = (&worker, &upstream, &upstream_limits) {
            check_times(&mut reader, worker, upstream, limits);
        }
        reader.finish_with_unknown_keys()?;
        // Every section was read by now, so that all wrong keys are named at once.
        let complete = || {
            Some(Self {
                server: server?,
                limits: limits?,
                database: database?,
                entra: entra?,
                arm: arm?,
                tenants: tenants?,
                visibility: visibility?,
                upstream: upstream?,
                upstream_limits: upstream_limits?,
                worker: worker?,
                idempotency: idempotency?,
                ledger: ledger?,
                telemetry,
            })
        };
        complete().ok_or_else(ConfigError::incomplete)
    }
}

/// Times of several sections that must fit together.
fn check_times(
    reader: &mut Reader,
    worker: &operations::Settings,
    upstream: &ClientOptions,
    limits: &GuardLimits,
) {
    if worker.max_request_lifetime <= upstream.timeout {
        // A request that is still under way here must not be taken for dead.
        reader.report(
            "worker.max_request_lifetime",
            "must be longer than upstream.timeout",
        );
    }
    if limits.read_timeout > upstream.timeout {
        reader.report(
            "upstream.read_timeout",
            "must not be longer than upstream.timeout",
        );
    }
    // A write is sent while at least half of its lease is left, and has left when the connection stands. What takes time after
    // that is the wait for the answer, and the lease is kept alive meanwhile: so the whole call may be longer than the lease.
    if upstream.connect_timeout * 2 >= worker.lease {
        reader.report(
            "upstream.connect_timeout",
            "must be shorter than half of worker.lease: a write has to leave while its lease lasts",
        );
    }
}

#[cfg(test)]
mod tests;
