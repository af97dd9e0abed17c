//! Puts the rooms together into a running service, and takes it down in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::arm::{self, Arm};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Db, DbError, schema};
use crate::entra::{self, Entra};
use crate::http::{self, AppState};
use crate::jobs;
use crate::ledger::TokenFingerprinter;
use crate::telemetry;
use crate::upstream;
use crate::upstream::ClientError;
use crate::usecases::{Dependencies, UseCases};

/// How long a tenant's signing keys are used before they are fetched anew (Microsoft's own libraries: a day).
const KEYS_LIFE: Duration = Duration::from_secs(24 * 3600);
/// In which time tokens with unknown keys may make a tenant's keys be fetched ten times, after ten at once.
const KEYS_INTERVAL: Duration = Duration::from_secs(300);

/// How long past the grace time the end waits for what was sent to Azure and is not answered.
const LONGEST_HAND_OVER: Duration = Duration::from_secs(3);

/// How long the end waits for connections to Postgres to be closed.
const LONGEST_CLOSE: Duration = Duration::from_secs(5);

/// Why the service can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not this machine's.
    #[error("can't listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The database is not as this version needs it.
    #[error(transparent)]
    Schema(#[from] schema::SchemaError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Sessions of the database are not what they have to be.
    #[error(transparent)]
    Session(db::SessionError),
    /// The HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl From<db::SessionError> for StartError {
    fn from(error: db::SessionError) -> Self {
        match error {
            db::SessionError::Database(error) => Self::Database(error),
            wrong => Self::Session(wrong),
        }
    }
}

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    stop: CancellationToken,
    /// Server, worker, periodic work; and where metrics are served, their server and the measuring.
    parts: Vec<JoinHandle<()>>,
    /// Says that this replica lives, until it stops.
    living: JoinHandle<()>,
    life: CancellationToken,
    /// Reports itself as not ready.
    draining: CancellationToken,
    /// How long requests are taken after that.
    drain: Duration,
    /// How long running requests may continue during shutdown.
    grace: Duration,
    usecases: Arc<UseCases>,
}

/// Starts the service: checks the database, listens, and begins to resume operations.
///
/// # Errors
/// When something it needs is missing; nothing runs then.
pub async fn start(config: Config, clock: Clock) -> Result<Running, StartError> {
    let client = upstream::client(&config.upstream)?;
    let pool = db::connect(&config.database.pool)?;
    let mut connection = db::first_connection(&pool).await?;
    schema::check_for_serving(&mut connection).await?;
    drop(connection);
    let (listener, address) = listen(config.server.listen).await?;
    let metrics = match config.telemetry.metrics_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let limits = limits(&config.server);
    let person_limit = Arc::new(http::PersonLimit::new(config.limits.per_person));
    let server = Arc::new(config.server.clone());
    let tenant_names = Arc::new(config.tenants.names.clone());
    let usecases = usecases(config, client, pool, clock);
    // Before anything is recorded that others must leave to this replica.
    usecases.driver.replica.heartbeat().await?;
    let (draining, drain) = (CancellationToken::new(), server.drain);
    let state = AppState {
        usecases: Arc::clone(&usecases),
        draining: draining.clone(),
        load: http::Load::new(server.max_requests),
        person_limit,
        server,
        tenant_names,
    };
    let metrics_address = metrics.as_ref().map(|(_, address)| *address);
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let mut parts = Vec::new();
    if let Some((listener, address)) = metrics {
        tracing::info!(metrics.address = %address, "metrics are served");
        let router = telemetry::metrics::router().merge(http::probes(state.clone()));
        parts.push(tasks.spawn(http::serve(listener, router, stop.clone(), limits)));
        parts.push(tasks.spawn(jobs::measure(Arc::clone(&usecases), stop.clone())));
    }
    let router = http::router(state);
    parts.push(tasks.spawn(http::serve(listener, router, stop.clone(), limits)));
    let interval = usecases.driver.settings.interval;
    parts.push(tasks.spawn(jobs::run(Arc::clone(&usecases), interval, stop.clone())));
    parts.push(tasks.spawn(jobs::run_periodic(Arc::clone(&usecases), stop.clone())));
    parts.push(tasks.spawn(jobs::listen(Arc::clone(&usecases), stop.clone())));
    parts.push(tasks.spawn(jobs::follow_feed(Arc::clone(&usecases), stop.clone())));
    // It ends before all else, so that other replicas can resume the operations of this one.
    let life = CancellationToken::new();
    let living = tasks.spawn(jobs::live(Arc::clone(&usecases), life.clone()));
    tracing::info!(server.address = %address, "the service is ready");
    Ok(Running {
        living,
        life,
        address,
        metrics_address,
        stop,
        parts,
        draining,
        drain,
        grace: limits.grace,
        usecases,
    })
}

/// Listens, and returns the address: port 0 takes any.
async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let wrong = |error| StartError::Listen(address, error);
    let listener = TcpListener::bind(address).await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    Ok((listener, address))
}

fn limits(server: &http::Settings) -> http::Limits {
    http::Limits {
        header_timeout: server.header_timeout,
        idle_timeout: server.idle_timeout,
        max_age: server.max_connection_age,
        max_connections: server.max_connections,
        grace: server.grace,
    }
}

fn usecases(config: Config, client: reqwest::Client, pool: PgPool, clock: Clock) -> Arc<UseCases> {
    let arm_settings = arm::Settings {
        endpoint: config.arm.endpoint.clone(),
        kusto_api_version: config.arm.kusto_api_version.clone(),
        tenant_cache: config.arm.tenant_cache,
        limits: config.upstream_limits.clone(),
    };
    Arc::new(UseCases::new(&Dependencies {
        entra: Entra::new(entra_settings(&config), client.clone(), clock.clone()),
        arm: Arm::new(arm_settings, client, clock.clone()),
        db: Db::new(pool),
        clock,
        tenants: config.tenants,
        visibility: config.visibility,
        refusals_logged: config.limits.refusals_logged,
        operations: config.worker,
        idempotency: config.idempotency,
        ledger: config.ledger.upkeep,
        fingerprinter: TokenFingerprinter::new(config.ledger.fingerprint_key),
    }))
}

fn entra_settings(config: &Config) -> entra::Settings {
    entra::Settings {
        authority: config.entra.authority.clone(),
        v1_issuer: config.entra.v1_issuer.clone(),
        v2_issuer: config.entra.v2_issuer.clone(),
        client_id: config.entra.client_id,
        consent_page: config.server.public_url.as_ref().and_then(http::consent_page),
        audiences: config.entra.audiences.clone(),
        secret: config.entra.client_secret.clone(),
        calling_apps: config.entra.calling_apps.iter().copied().collect(),
        issuing_tenants: config.tenants.users.clone(),
        clock_skew: config.entra.clock_skew,
        arm_scope: config.arm.scope.clone(),
        arm_audiences: config.arm.audiences.clone(),
        keys_refresh: KEYS_LIFE,
        keys_minimum_interval: KEYS_INTERVAL,
        limits: config.upstream_limits.clone(),
        identical_exchanges: config.entra.identical_exchanges,
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it serves metrics, and answers probes too; none if it is not configured.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Reports that it is not ready, and serves until load balancers have had time to notice. Then accepts no more requests, lets running
    /// ones end within the grace time, and releases every operation's lease. The replica that takes an operation over finds out what Azure
    /// has not answered by then. It all ends in bounded time, with a database that answers nothing too.
    pub async fn stop(self) {
        self.draining.cancel();
        sleep(self.drain).await;
        tracing::info!("no more requests are accepted");
        let db = self.usecases.driver.db.clone();
        if timeout(self.grace + LONGEST_HAND_OVER, self.end()).await.is_err() {
            tracing::warn!(
                "not everything could be handed over in time; others take it over when the leases end"
            );
        }
        // On a line that is dead a connection can't even be closed.
        if timeout(LONGEST_CLOSE, db.close()).await.is_err() {
            tracing::warn!("connections to Postgres could not be closed in time");
        }
    }

    async fn end(self) {
        self.stop.cancel();
        // Not only when the last request has ended: until then the other replicas would leave its operations to it.
        self.usecases.driver.replica.stop_driving();
        self.life.cancel();
        log_panic(self.living.await);
        self.usecases.driver.replica.deregister().await;
        for handle in self.parts {
            log_panic(handle.await);
        }
        self.usecases.driver.replica.handed_over().await;
        self.usecases.finish().await;
    }
}

fn log_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(error = %error, "background task panicked");
    }
}
