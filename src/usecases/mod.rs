//! The use cases, one struct each; its fields are its dependencies. None depends on HTTP.

mod actor_change;
mod continue_operation;
mod create;
mod feed;
mod idempotency;
mod measure;
mod queries;
mod recheck;
mod record_only;
mod remedy;
mod removal_request;
mod remove;

use std::sync::Arc;

pub use continue_operation::{ContinueOperation, Continued};
pub use create::{Create, Created};
pub(crate) use feed::FEED_RESTARTED;
pub use feed::{Feed, FeedCursor, FeedFilter, FeedPage};
pub use idempotency::{IdempotencyKey, IdempotencyKeys, KeyError, Settings as IdempotencySettings};
pub(crate) use measure::measure;
pub use queries::{EventsPage, OperationView, Page, Queries};
pub use recheck::LateEffects;
pub use remedy::Remedies;
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
use crate::ledger::sequencer::Sequencer;
use crate::ledger::upkeep::Upkeep;
use crate::operations::driver::{Driver, OperationTokens};
use crate::operations::queue::Queue;
use crate::operations::replica::Replica;
use crate::operations::signals::Signals;
use crate::preflight::Preflight;
use crate::tokens::exchange::TokenExchange;
use crate::tokens::service_identity::ServiceIdentity;
use crate::tokens::store::TokenStore;
use crate::visibility::Visibility;
use crate::{ledger, operations, visibility};

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
    /// How soon events are in the feed, and how long they stay.
    pub ledger: ledger::Settings,
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
    /// Says what fixes failed changes.
    pub remedies: Remedies,
    /// Reads the feed of events for callers.
    pub feed: Feed,
    /// Rechecks closed creates whose outcome was unknown.
    pub(crate) late_effects: LateEffects,
    /// Stores idempotency keys.
    pub(crate) keys: IdempotencyKeys,
    /// Writes the ledger's events.
    pub(crate) recorder: Recorder,
    /// Drives operations.
    pub(crate) driver: Driver,
    /// Assigns events their positions in the feed.
    pub(crate) sequencer: Sequencer,
    /// Keeps the ledger in order.
    pub(crate) upkeep: Upkeep,
    entra: Entra,
}

/// The services that several use cases need.
struct Services {
    entra: Entra,
    recorder: Recorder,
    tenants: Tenants,
    exchange: TokenExchange,
    own: ServiceIdentity,
    replica: Replica,
    signals: Signals,
    settings: Arc<operations::Settings>,
}

impl Services {
    fn new(parts: &Dependencies) -> Self {
        let policy = Arc::new(parts.tenants.clone());
        let settings = Arc::new(parts.operations.clone());
        Self {
            entra: parts.entra.clone(),
            recorder: Recorder::new(
                parts.db.clone(),
                parts.clock.clone(),
                parts.fingerprinter.clone(),
                parts.entra.settings().client_id,
                parts.refusals_logged,
            ),
            tenants: Tenants::new(parts.arm.clone(), Arc::clone(&policy)),
            exchange: TokenExchange::new(parts.entra.clone()),
            own: ServiceIdentity::new(parts.entra.clone(), policy, settings.poll_max),
            replica: Replica::new(parts.db.clone(), Arc::clone(&settings)),
            signals: Signals::default(),
            settings,
        }
    }

    fn driver(&self, parts: &Dependencies) -> Driver {
        Driver {
            db: parts.db.clone(),
            arm: parts.arm.clone(),
            clock: parts.clock.clone(),
            settings: Arc::clone(&self.settings),
            tokens: OperationTokens {
                exchange: self.exchange.clone(),
                store: Arc::new(TokenStore::default()),
                own: self.own.clone(),
            },
            recorder: self.recorder.clone(),
            replica: self.replica.clone(),
            signals: self.signals.clone(),
        }
    }

    fn queue(&self, parts: &Dependencies) -> Queue {
        Queue::new(
            parts.db.clone(),
            parts.clock.clone(),
            Arc::clone(&self.settings),
            self.signals.clone(),
            &self.replica,
            parts.arm.kusto_api_version(),
        )
    }

    fn preflight(&self, parts: &Dependencies) -> Preflight {
        let (tenants, exchange) = (self.tenants.clone(), self.exchange.clone());
        Preflight::new(parts.arm.clone(), parts.clock.clone(), tenants, exchange)
    }

    fn queries(&self, parts: &Dependencies) -> Queries {
        let visibility = Visibility::new(
            parts.arm.clone(),
            self.entra.clone(),
            self.exchange.clone(),
            self.tenants.clone(),
            parts.visibility.clone(),
        );
        Queries {
            db: parts.db.clone(),
            tenants: self.tenants.clone(),
            visibility,
            signals: self.signals.clone(),
            replica: self.replica.clone(),
        }
    }

    fn late_effects(&self, parts: &Dependencies) -> LateEffects {
        LateEffects {
            db: parts.db.clone(),
            arm: parts.arm.clone(),
            tenants: self.tenants.clone(),
            exchange: self.exchange.clone(),
            own: self.own.clone(),
            recorder: self.recorder.clone(),
            signals: self.signals.clone(),
        }
    }
}

impl UseCases {
    /// Builds the use cases. Nothing runs until a request or a job calls it.
    #[must_use]
    pub fn new(parts: &Dependencies) -> Self {
        let services = Services::new(parts);
        let (driver, queue) = (services.driver(parts), services.queue(parts));
        let (preflight, queries) = (services.preflight(parts), services.queries(parts));
        let late_effects = services.late_effects(parts);
        let (db, recorder) = (parts.db.clone(), services.recorder);
        let keys = IdempotencyKeys {
            db: db.clone(),
            recorder: recorder.clone(),
            settings: parts.idempotency.clone(),
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
            feed: Feed::new(
                parts.db.clone(),
                queries.clone(),
                services.signals,
                services.replica,
            ),
            sequencer: Sequencer::new(parts.db.clone(), parts.ledger.feed_interval),
            upkeep: Upkeep::new(parts.db.clone(), parts.ledger.clone()),
            remedies: Remedies {
                queries: queries.clone(),
            },
            queries,
            late_effects,
            keys,
            recorder,
            driver,
            entra: services.entra,
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
