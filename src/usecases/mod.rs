//! The use cases, one struct each; its fields are its dependencies. None depends on HTTP.

mod continue_operation;
mod create;
mod idempotency;
mod measure;
mod queries;
mod recheck;
mod record_only;
mod removal_request;
mod remove;

use std::sync::Arc;

pub use continue_operation::{ContinueOperation, Continued};
pub use create::{Create, Created};
pub use idempotency::{IdempotencyKey, IdempotencyKeys, KeyError, Settings as IdempotencySettings};
pub(crate) use measure::measure;
pub use queries::{EventsPage, ListFilter, OperationView, Page, Queries};
pub use recheck::LateEffects;
pub use removal_request::{ExpectedVersion, RemovalRequest};
pub use remove::{Removal, Remove};

use crate::arm::Arm;
use crate::authz::TenantPolicy;
use crate::authz::tenants::Tenants;
use crate::clock::Clock;
use crate::db::Db;
use crate::entra::Entra;
use crate::ledger::TokenFingerprinter;
use crate::ledger::recorder::Recorder;
use crate::operations::driver::{Driver, OperationTokens};
use crate::operations::queue::Queue;
use crate::operations::replica::Replica;
use crate::operations::signals::Signals;
use crate::preflight::Preflight;
use crate::tokens::exchange::TokenExchange;
use crate::tokens::service_identity::ServiceIdentity;
use crate::tokens::store::TokenStore;
use crate::visibility::Visibility;
use crate::{operations, visibility};

/// The dependencies of the use cases.
pub struct Dependencies {
    /// Entra.
    pub entra: Entra,
    /// Azure Resource Manager.
    pub arm: Arm,
    /// The database, as the serving role.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Which tenants may be connected.
    pub tenants: TenantPolicy,
    /// How long ARM's answer about a person's access is cached.
    pub visibility: visibility::Settings,
    /// How operations are driven.
    pub operations: operations::Settings,
    /// How long a request can be repeated by its key.
    pub idempotency: IdempotencySettings,
    /// Makes the fingerprints of tokens for the ledger.
    pub fingerprinter: TokenFingerprinter,
    /// How many rejections per person and minute the ledger records.
    pub refusals_logged: u32,
}

/// All use cases. Cheap to clone.
#[derive(Clone)]
pub struct UseCases {
    /// Creates connections.
    pub create: Create,
    /// Removes connections.
    pub remove: Remove,
    /// Resumes operations that wait for a caller.
    pub continue_operation: ContinueOperation,
    /// Reads for callers.
    pub queries: Queries,
    /// Rechecks closed creates whose outcome was unknown.
    pub(crate) late_effects: LateEffects,
    /// Stores idempotency keys.
    pub(crate) keys: IdempotencyKeys,
    /// Writes the ledger's events.
    pub(crate) recorder: Recorder,
    /// Drives operations.
    pub(crate) driver: Driver,
    entra: Entra,
}

impl UseCases {
    /// Builds the use cases. Nothing runs until a request or a job calls it.
    #[must_use]
    pub fn new(parts: Dependencies) -> Self {
        let Dependencies {
            entra,
            arm,
            db,
            clock,
            ..
        } = parts;
        let policy = Arc::new(parts.tenants);
        let settings = Arc::new(parts.operations);
        let recorder = Recorder::new(
            db.clone(),
            clock.clone(),
            parts.fingerprinter,
            entra.settings().client_id,
            parts.refusals_logged,
        );
        let tenants = Tenants::new(arm.clone(), Arc::clone(&policy));
        let exchange = TokenExchange::new(entra.clone());
        let own = ServiceIdentity::new(entra.clone(), policy, settings.poll_max);
        let (replica, signals) = (
            Replica::new(db.clone(), Arc::clone(&settings)),
            Signals::default(),
        );
        let queue = Queue::new(
            db.clone(),
            clock.clone(),
            Arc::clone(&settings),
            signals.clone(),
            &replica,
            arm.kusto_api_version(),
        );
        let driver = Driver {
            db: db.clone(),
            arm: arm.clone(),
            clock: clock.clone(),
            settings,
            tokens: OperationTokens {
                exchange: exchange.clone(),
                store: Arc::new(TokenStore::default()),
                own: own.clone(),
            },
            recorder: recorder.clone(),
            replica: replica.clone(),
            signals: signals.clone(),
        };
        let visibility = Visibility::new(
            arm.clone(),
            entra.clone(),
            exchange.clone(),
            tenants.clone(),
            parts.visibility,
        );
        let preflight = Preflight::new(arm.clone(), clock.clone(), tenants.clone(), exchange.clone());
        let queries = Queries {
            db: db.clone(),
            tenants: tenants.clone(),
            visibility,
            signals: signals.clone(),
            replica,
        };
        let late_effects = LateEffects {
            db: db.clone(),
            arm,
            tenants: tenants.clone(),
            exchange,
            own,
            recorder: recorder.clone(),
            signals,
        };
        let keys = IdempotencyKeys {
            db: db.clone(),
            recorder: recorder.clone(),
            settings: parts.idempotency,
        };
        Self {
            create: Create {
                db: db.clone(),
                preflight: preflight.clone(),
                recorder: recorder.clone(),
                driver: driver.clone(),
                queue: queue.clone(),
                keys: keys.clone(),
                queries: queries.clone(),
                late_effects: late_effects.clone(),
            },
            remove: Remove {
                db: db.clone(),
                preflight: preflight.clone(),
                recorder: recorder.clone(),
                driver: driver.clone(),
                queue,
                keys: keys.clone(),
                queries: queries.clone(),
                late_effects: late_effects.clone(),
            },
            continue_operation: ContinueOperation {
                db,
                preflight,
                recorder: recorder.clone(),
                driver: driver.clone(),
                keys: keys.clone(),
                queries: queries.clone(),
                late_effects: late_effects.clone(),
            },
            queries,
            late_effects,
            keys,
            recorder,
            driver,
            entra,
        }
    }

    /// Entra, which validates callers' tokens.
    pub(crate) fn entra(&self) -> &Entra {
        &self.entra
    }

    /// Returns when no background fetch from Entra runs any more.
    pub(crate) async fn finish(&self) {
        self.entra.finish().await;
    }
}

impl std::fmt::Debug for UseCases {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("UseCases")
    }
}
