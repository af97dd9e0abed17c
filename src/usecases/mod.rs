//! The use cases: create, remove, read, and the driving of operations to their end.
//! The only room that sees Entra, ARM, the database and the ledger together; it knows nothing of HTTP.

mod continue_operation;
pub(crate) mod create;
pub(crate) mod idempotency;
pub(crate) mod queries;
pub(crate) mod recheck;
mod record_only;
mod removal_request;
mod remove;

use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::arm::Arm;
use crate::authz::TenantPolicy;
use crate::clock::Clock;
use crate::config::IdempotencySection;
use crate::config::LimitsSection;
use crate::config::VisibilitySection;
use crate::config::WorkerSection;
use crate::db::{DbError, Explainer, RequestTime, counts, in_request_time, within};
use crate::domain::Code;
use crate::domain::ConnectionId;
use crate::entra::Entra;
use crate::ledger::TokenFingerprinter;
use crate::telemetry::{Outage, metrics};

pub use continue_operation::Continued;
pub use create::Created;
pub use idempotency::{IdempotencyKey, KeyError};
pub use queries::{EventsPage, ListFilter, OperationView, Page};
pub use removal_request::{ExpectedVersion, RemovalRequest};
pub use remove::Removal;

use crate::domain::{Error, Refusal};
use crate::ledger::refusal_limit::LeftOut;
use crate::tokens::service_identity;
use crate::tokens::store::TokenStore;
use crate::visibility::VisibilityCache;

/// What a broker is made of.
pub struct Dependencies {
    /// Entra.
    pub entra: Entra,
    /// Azure Resource Manager.
    pub arm: Arm,
    /// The database, as the serving role.
    pub pool: PgPool,
    /// The time.
    pub clock: Clock,
    /// Which tenants may be connected.
    pub tenants: TenantPolicy,
    /// How long ARM's word is taken on what a person may read.
    pub visibility: VisibilitySection,
    /// How much of one replica a single person may use.
    pub limits: LimitsSection,
    /// How operations are driven.
    pub worker: WorkerSection,
    /// How long a request can be repeated by its key.
    pub idempotency: IdempotencySection,
    /// Makes the marks that tokens leave in the record.
    pub marker: TokenFingerprinter,
}

/// The use cases. Cheap to clone; clones are the same broker.
#[derive(Clone)]
pub struct Broker(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: Dependencies,
    pub(crate) store: TokenStore,
    pub(crate) visibility_cache: VisibilityCache,
    /// What was refused to the service's own token.
    pub(crate) refusals: service_identity::Refusals,
    /// Connections whose record changed in this process; a hint for those who wait.
    pub(crate) changes: broadcast::Sender<ConnectionId>,
    /// Somebody's turn may have come.
    pub(crate) turns: Notify,
    /// This replica, as others know it.
    pub(crate) replica: Uuid,
    /// Operations that are driven here.
    pub(crate) tasks: TaskTracker,
    /// For those that the worker took up.
    pub(crate) places: Arc<Semaphore>,
    /// Tells why the database can't be used.
    pub(crate) explainer: Explainer,
    /// Refusals that the ledger is not told of one by one.
    pub(crate) left_out: LeftOut,
    pub(crate) stop: CancellationToken,
    /// Whether the database can be used.
    pub(crate) database: Outage,
}

impl std::ops::Deref for Broker {
    type Target = Dependencies;

    fn deref(&self) -> &Dependencies {
        &self.0.parts
    }
}

impl Broker {
    /// Puts a broker together. Nothing runs until a request or the worker asks for it.
    #[must_use]
    pub fn new(parts: Dependencies) -> Self {
        let places = usize::try_from(parts.worker.concurrency).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(Inner {
            store: TokenStore::default(),
            refusals: service_identity::Refusals::default(),
            visibility_cache: VisibilityCache::new(
                parts.visibility.clone(),
                parts.entra.settings().identical_exchanges,
            ),
            changes: broadcast::Sender::new(256),
            turns: Notify::new(),
            replica: Uuid::new_v4(),
            tasks: TaskTracker::new(),
            places: Arc::new(Semaphore::new(places)),
            explainer: Explainer::default(),
            left_out: LeftOut::new(parts.limits.refusals_logged),
            stop: CancellationToken::new(),
            database: Outage::default(),
            parts,
        }))
    }

    /// Whether requests can be recorded: the database answers.
    ///
    /// # Errors
    /// When it doesn't.
    pub async fn ready(&self) -> Result<(), DbError> {
        // The pool itself asks whether a connection can be written with.
        self.pool.acquire().await?;
        Ok(())
    }

    /// Something failed at the database. An outage is told once, however many meet it; anything else each time.
    pub fn database_failed(&self, error: &DbError, what: &'static str) {
        let name = self.pool.connect_options();
        let name = name.get_database().unwrap_or_default();
        if !error.is_outage() {
            return;
        }
        if self.0.database.begins() {
            tracing::error!(
                db.name = name,
                error = %error,
                "the database can't be used; requests are answered with 503 until it can"
            );
        } else {
            tracing::debug!(db.name = name, error = %error, "{what}: the database still can't be used");
        }
    }

    /// The database was used; called every few seconds.
    pub(crate) fn database_works(&self) {
        if let Some((lasted, failures)) = self.0.database.ends() {
            let name = self.pool.connect_options();
            tracing::warn!(
                db.name = name.get_database().unwrap_or_default(),
                outage.duration_ms = u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
                outage.failures = failures,
                "the database can be used again"
            );
        }
    }

    /// Counts what is open, for the metrics.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn measure(&self) -> Result<(), DbError> {
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        metrics::database_connections(self.pool.size().saturating_sub(idle), idle);
        let counts = within(async {
            let mut db = self.pool.acquire().await?;
            let unsettled = counts::unsettled(&mut db).await?;
            Ok::<_, DbError>((counts::open_operations(&mut db).await?, unsettled))
        });
        let (counts, unsettled) = counts.await?;
        metrics::connections_unsettled(unsettled.count);
        metrics::oldest_operation("open", counts.oldest);
        metrics::oldest_operation("awaitingCaller", counts.oldest_awaiting);
        metrics::oldest_operation("unsettled", unsettled.oldest);
        for (phase, count) in counts.by_phase {
            metrics::operations_open(phase.as_str(), count);
        }
        metrics::operations_awaiting(counts.awaiting);
        Ok(())
    }

    /// Stops driving: nothing more is begun or sent, requests that wait for an operation wait no longer, and every operation's
    /// lease is given back, so that another replica can go on at once.
    pub fn stop_driving(&self) {
        self.0.stop.cancel();
    }

    /// Returns when every operation is handed over, after [`Broker::stop_driving`].
    pub async fn handed_over(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// A replica that stops begins nothing that another would have to ask the caller's tokens for: who asks again, asks another.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when this one does.
    pub(crate) fn refuse_when_stopping(&self) -> Result<(), Error> {
        if !self.0.stop.is_cancelled() {
            return Ok(());
        }
        let refusal = Refusal {
            retry_after: Some(self.worker.fastest_poll),
            ..Refusal::new(
                Code::Overloaded,
                "this replica stops; ask again, and another answers",
            )
        };
        Err(refusal.into())
    }

    /// How long a request may wait for the database altogether: 1.9 seconds with the settings that come with the service, for what
    /// can't be recorded is refused within two.
    pub(crate) fn request_time(&self) -> Duration {
        self.pool.options().get_acquire_timeout() + Duration::from_millis(400)
    }

    /// Answers a request, which may wait for the database for so long altogether, however often it does.
    pub fn for_a_request<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        RequestTime::new(self.request_time()).scope(work)
    }

    /// Work of the database that a caller waits for, in the time that they may be kept waiting: what hangs is out of reach.
    pub(crate) fn with_deadline<T>(
        &self,
        late: fn() -> DbError,
        work: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Error>> {
        // Boxed: what waits would carry all of it.
        let work = in_request_time(self.request_time(), Box::pin(work));
        async move {
            let done = work.await.unwrap_or_else(|| Err(late().into()));
            if let Err(Error::Database(error)) = &done
                && error.is_outage()
            {
                self.database_failed(error, "a request can't be answered");
                self.explain_outage();
            }
            done
        }
    }

    /// A look into the database, in the same time.
    pub(crate) fn with_db_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Error>> {
        self.with_deadline(DbError::late, work)
    }

    /// Lets the log say why the database can't be used, where that can be found out. Nobody waits for it.
    pub(crate) fn explain_outage(&self) {
        let broker = self.clone();
        self.0
            .tasks
            .spawn(async move { broker.0.explainer.explain(&broker.pool).await });
    }

    /// Runs something to its end, also when nobody waits for it any more: a caller who hangs up must not part the commit of an
    /// intent from what follows it. Within the time in which a request must be refused that can't be recorded.
    pub(crate) async fn spawn_uncancellable<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        self.refuse_when_stopping()?;
        let broker = self.clone();
        let time = RequestTime::current().unwrap_or_else(|| RequestTime::new(self.request_time()));
        let work = time.scope(async move { broker.with_deadline(DbError::unconfirmed, work).await });
        let ended = self.0.tasks.spawn(work.in_current_span()).await;
        ended.unwrap_or_else(|error| Err(DbError::defect(error).into()))
    }

    pub(crate) fn changed(&self, connection: ConnectionId) {
        // An error only says that nobody waits.
        let _ = self.0.changes.send(connection);
    }
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Broker")
    }
}
