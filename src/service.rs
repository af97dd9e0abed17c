//! Puts the rooms together into a running service, and takes it down in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::arm::{self, Arm};
use crate::broker::{Broker, Parts};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, DbError, schema};
use crate::entra::{self, Entra};
use crate::http::{self, AppState};
use crate::ledger::Marker;
use crate::outbound::{self, ClientError};
use crate::{telemetry, worker};

/// How long a tenant's signing keys are used before they are fetched anew (Microsoft's own libraries: a day).
const KEYS_LIFE: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
/// How often a token with an unknown key may make the keys be fetched.
const KEYS_INTERVAL: std::time::Duration = std::time::Duration::from_secs(300);

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
    /// The HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    /// Server, worker, periodic work, and the measuring where metrics are served.
    parts: [Option<JoinHandle<()>>; 4],
    broker: Broker,
}

/// Starts the service: checks the database, listens, and begins to take up operations.
///
/// # Errors
/// When something it needs is missing; nothing runs then.
pub async fn start(config: Config, clock: Clock) -> Result<Running, StartError> {
    let client = outbound::client(&config.outbound)?;
    let pool = db::connect(&config.database.pool)?;
    let mut connection = pool.acquire().await.map_err(DbError::from)?;
    schema::check_for_serving(&mut connection).await?;
    drop(connection);
    let listener = TcpListener::bind(config.server.listen)
        .await
        .map_err(|error| StartError::Listen(config.server.listen, error))?;
    let address = listener
        .local_addr()
        .map_err(|error| StartError::Listen(config.server.listen, error))?;
    let arm_settings = arm::Settings {
        endpoint: config.arm.endpoint.clone(),
        kusto_api_version: config.arm.kusto_api_version.clone(),
        tenant_cache: config.arm.tenant_cache,
    };
    let broker = Broker::new(Parts {
        entra: Entra::new(entra_settings(&config), client.clone(), clock.clone()),
        arm: Arm::new(arm_settings, client, clock.clone()),
        pool,
        clock,
        tenants: config.tenants,
        visibility: config.visibility,
        worker: config.worker,
        idempotency: config.idempotency,
        marker: Marker::new(config.ledger.mark_key),
    });
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let limits = http::Limits {
        header_timeout: config.server.header_timeout,
        max_connections: config.server.max_connections,
        grace: config.server.grace,
    };
    let state = AppState {
        broker: broker.clone(),
        server: Arc::new(config.server),
    };
    let metrics = match config.telemetry.metrics_listen {
        Some(listen) => {
            let listener = TcpListener::bind(listen)
                .await
                .map_err(|error| StartError::Listen(listen, error))?;
            let address = listener
                .local_addr()
                .map_err(|error| StartError::Listen(listen, error))?;
            tracing::info!(metrics.address = %address, "metrics are served");
            tasks.spawn(http::serve(
                listener,
                telemetry::metrics::router(),
                stop.clone(),
                limits,
            ));
            Some(tasks.spawn(worker::measure(broker.clone(), stop.clone())))
        }
        None => None,
    };
    let server = tasks.spawn(http::serve(listener, http::router(state), stop.clone(), limits));
    let worker = tasks.spawn(worker::run(broker.clone(), broker.worker.interval, stop.clone()));
    let periodic = tasks.spawn(worker::periodic(broker.clone(), stop.clone()));
    tracing::info!(server.address = %address, "the service is ready");
    Ok(Running {
        address,
        stop,
        parts: [Some(server), Some(worker), Some(periodic), metrics],
        broker,
    })
}

fn entra_settings(config: &Config) -> entra::Settings {
    entra::Settings {
        authority: config.entra.authority.clone(),
        v1_issuer: config.entra.v1_issuer.clone(),
        v2_issuer: config.entra.v2_issuer.clone(),
        client_id: config.entra.client_id,
        audiences: config.entra.audiences.clone(),
        secret: config.entra.client_secret.clone(),
        calling_apps: config.entra.calling_apps.iter().copied().collect(),
        issuing_tenants: config.tenants.users.clone(),
        clock_skew: config.entra.clock_skew,
        arm_scope: config.arm.scope.clone(),
        arm_audiences: config.arm.audiences.clone(),
        keys_refresh: KEYS_LIFE,
        keys_minimum_interval: KEYS_INTERVAL,
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, lets those under way end within the grace time, and gives every operation's lease back.
    pub async fn stop(self) {
        self.stop.cancel();
        for handle in self.parts.into_iter().flatten() {
            if let Err(error) = handle.await {
                tracing::error!(error = %error, "a part of the service ended badly");
            }
        }
        self.broker.stop().await;
        self.broker.entra.finish().await;
        self.broker.pool.close().await;
    }
}
