//! What of a session the service relies on: that its statements are carried out by one server process, so that prepared statements,
//! settings and LISTEN last. A pooler in session mode keeps that. One in transaction mode does not, and mixes up prepared
//! statements: what is read through it can be the answer to another question. So a session is verified before it is used.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::Mutex;
use tokio::time::timeout;
use uuid::Uuid;

use super::DbError;

/// No statement of this service takes long; one that does waits for a lock or a sick server.
const STATEMENT_TIMEOUT: &str = "5s";
/// No transaction waits for anybody.
const IDLE_TIMEOUT: &str = "10s";
/// How Postgres's lists of sessions name this service's; each has an end of its own.
const APPLICATION: &str = "tenant-bridge";

/// How often a session is tried beside another. Once is enough where nothing else uses the pooler.
const ROUNDS: usize = 3;

/// How long that may take at the start.
const LONGEST_CHECK: Duration = Duration::from_secs(8);

/// Why a session can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is a pooler in transaction mode, or in statement mode, which is worse.
    #[error(
        "the database can't be used through a pooler in transaction mode, which gives a connection's prepared statements, settings \
         and LISTEN to others: set the pooler to session mode (pgbouncer: pool_mode = session), or connect to Postgres itself"
    )]
    TransactionPooler,
    /// There is a pooler that does not know of a parameter with which connections are begun.
    #[error(
        "the pooler in front of the database refuses how connections are begun ({0}): let it ignore that parameter (pgbouncer: \
         ignore_startup_parameters = options)"
    )]
    StartupParameter(String),
    /// The server refused a setting.
    #[error("the database did not take this session's settings")]
    Settings,
    /// A statement failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<sqlx::Error> for SessionError {
    fn from(error: sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        match code.as_deref() {
            // No such prepared statement, there is one already, or it is another.
            Some("26000" | "42P05" | "08P01") => Self::TransactionPooler,
            _ => Self::Database(error.into()),
        }
    }
}

/// Begins a connection of its own, and distinguishes a pooler that refuses it from one that is unreachable.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, SessionError> {
    PgConnection::connect_with(options).await.map_err(|error| {
        let refused = error.as_database_error().map(sqlx::error::DatabaseError::message);
        match refused.filter(|message| message.contains("startup parameter")) {
            Some(message) => SessionError::StartupParameter(message.to_owned()),
            None => SessionError::Database(error.into()),
        }
    })
}

/// How the sessions of a pool are begun.
#[derive(Debug)]
pub(super) struct Sessions {
    options: PgConnectOptions,
    /// A setting that is sent when a connection begins. A pooler keeps it back, since its own connections began before.
    mark: String,
    /// One at a time, so that the connections that are only needed for a moment are few.
    checks: Mutex<()>,
}

impl Sessions {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        let mark = Uuid::new_v4().simple().to_string();
        Self {
            // The driver's default would be refused by poolers, and binary numbers have no digits.
            options: options
                .application_name(APPLICATION)
                .extra_float_digits(None)
                .options([("tenant_bridge.began", mark.as_str())]),
            mark,
            checks: Mutex::new(()),
        }
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Makes a new connection ready for use. Behind a pooler, the session is verified first.
    ///
    /// # Errors
    /// When the connection must not be used.
    pub(super) async fn begin(&self, db: &mut PgConnection) -> Result<(), SessionError> {
        let is_direct =
            sqlx::query_scalar("select coalesce(current_setting('tenant_bridge.began', true), '') = $1");
        if !is_direct.bind(&self.mark).fetch_one(&mut *db).await? {
            self.verify(db).await?;
        }
        // Not among what is sent when a connection begins, which poolers leave out. A pooler in transaction mode sees to it that a
        // connection keeps its application's name, but leaves settings that it doesn't know with the server process.
        let name = format!("{APPLICATION} {:08x}", Uuid::new_v4().as_fields().0);
        let set = sqlx::query_scalar(
            "select set_config('statement_timeout', $1, false) = $1
                and set_config('idle_in_transaction_session_timeout', $2, false) = $2
                and set_config('application_name', $3, false) = $3
                and set_config('tenant_bridge.session', $3, false) = $3",
        );
        if set
            .bind(STATEMENT_TIMEOUT)
            .bind(IDLE_TIMEOUT)
            .bind(name)
            .fetch_one(db)
            .await?
        {
            Ok(())
        } else {
            Err(SessionError::Settings)
        }
    }

    /// Verifies that a connection keeps its prepared statements, its settings and what it listens to, whatever others do: a second
    /// one is in a transaction meanwhile, and so has taken whatever the first one gave away.
    async fn verify(&self, db: &mut PgConnection) -> Result<(), SessionError> {
        let _one_at_a_time = self.checks.lock().await;
        let mark = Uuid::new_v4().simple().to_string();
        let set = sqlx::query("select set_config('tenant_bridge.session', $1, false)");
        set.bind(&mark).execute(&mut *db).await?;
        sqlx::query("listen tenant_bridge_session")
            .execute(&mut *db)
            .await?;
        let mut other = connect(&self.options).await?;
        for _ in 0..ROUNDS {
            let own = served_by(db, &mark).await?;
            if served_by(db, &mark).await? != own {
                return Err(SessionError::TransactionPooler);
            }
            let mut transaction = other.begin().await?;
            let others: i32 = sqlx::query_scalar("select pg_backend_pid()")
                .fetch_one(&mut *transaction)
                .await?;
            if others == own || served_by(db, &mark).await? != own {
                return Err(SessionError::TransactionPooler);
            }
            transaction.rollback().await?;
        }
        sqlx::query("unlisten tenant_bridge_session").execute(db).await?;
        // What it did is verified; how it ends is of no interest.
        let _ = other.close().await;
        Ok(())
    }
}

/// The server process that carries out a connection's statements now, if it has what the connection was given.
async fn served_by(db: &mut PgConnection, mark: &str) -> Result<i32, SessionError> {
    // Prepared the first time, and only named after that.
    let served: (i32, bool) = sqlx::query_as(
        "select pg_backend_pid(), coalesce(current_setting('tenant_bridge.session', true), '') = $1
            and 'tenant_bridge_session' in (select pg_listening_channels())",
    )
    .bind(mark)
    .fetch_one(db)
    .await?;
    match served {
        (process, true) => Ok(process),
        (_, false) => Err(SessionError::TransactionPooler),
    }
}

/// Begins one connection as a pool does, and ends it. A pool only reports that it got none in time.
///
/// # Errors
/// When the database can't be used, or not in this way.
pub(super) async fn check(options: PgConnectOptions) -> Result<(), SessionError> {
    let sessions = Sessions::new(options);
    let checked = async {
        let mut db = connect(&sessions.options).await?;
        sessions.begin(&mut db).await?;
        let _ = db.close().await;
        Ok(())
    };
    let checked = timeout(LONGEST_CHECK, checked).await;
    checked.unwrap_or_else(|_| Err(DbError::timed_out().into()))
}
