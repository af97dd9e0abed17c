//! The server as callers see it: private, or given by a URL.
//! How either is started and ended is in `watchdog` and `run`; databases are in `database`.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use crate::account::Account;
use crate::database::Database;
use crate::error::Error;
use crate::fetch;
use crate::find;
use crate::run::Run;
use crate::watchdog::Watchdog;

/// Names the server to use instead of a private one.
const GIVEN: &str = "TENANT_BRIDGE_TEST_DATABASE_URL";

/// How a server is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether what was committed survives a crash of the machine. Tests don't need that, and are
    /// quicker without; those that test just this do.
    pub durable: bool,
    /// Which server.
    pub source: Source,
}

/// Which server is used.
#[derive(Clone, Default)]
pub enum Source {
    /// The one that the environment variable `TENANT_BRIDGE_TEST_DATABASE_URL` names, else a
    /// private one.
    #[default]
    Environment,
    /// A private one, whatever the environment says.
    Private,
    /// This one. The URL's role is a superuser, or may create databases and roles.
    Given(Url),
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL holds a password.
        formatter.write_str(match self {
            Self::Environment => "Environment",
            Self::Private => "Private",
            Self::Given(_) => "Given",
        })
    }
}

/// A running Postgres server. Clones are handles to the same one.
///
/// It ends with [`stop`](Self::stop), when the last handle is dropped (which blocks for about a
/// tenth of a second), and when the process ends, however that happens. It is bound to no tokio
/// runtime, so tests that each have their own may share one.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    admin_url: Url,
    /// Starts every database's name.
    run: String,
    kind: Kind,
    /// Postgres copies from a template only while nobody else does.
    copying: tokio::sync::Mutex<()>,
}

enum Kind {
    Private(Arc<Mutex<Watchdog>>),
    Given(Run),
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.inner.kind {
            Kind::Private(_) => "private",
            Kind::Given(_) => "given",
        };
        formatter
            .debug_struct("Server")
            .field("kind", &kind)
            .field("port", &self.inner.admin_url.port())
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Starts a private server, which takes about a second, or takes the one that is given.
    /// On a machine without Postgres the first start fetches one, for up to five minutes.
    ///
    /// # Errors
    /// If no Postgres is found or it doesn't start; if a given server can't be reached.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let given = match options.source {
            Source::Given(url) => Some(url),
            Source::Private => None,
            Source::Environment => given_by_environment()?,
        };
        match given {
            Some(url) => {
                let run = Run::begin(url.clone()).await?;
                Ok(Self::new(url, run.name().to_owned(), Kind::Given(run)))
            }
            None => Self::start_private(options.durable).await,
        }
    }

    async fn start_private(durable: bool) -> Result<Self, Error> {
        let password = random_password();
        let secret = password.clone();
        let (account, installed) = blocking(|| {
            let account = Account::find()?;
            let installed = find::installed(&account);
            Ok((account, installed))
        })
        .await?;
        let bin = match installed {
            Err(missing @ Error::NoPrograms { .. }) => fetch::programs(&account, missing).await?,
            installed => installed?,
        };
        let start = move || Watchdog::start(&bin, &account, durable, &secret);
        let watchdog = blocking(start).await?;
        let port = watchdog.port();
        tracing::debug!(port, durable, "a private Postgres runs");
        let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
        let url = Url::parse(&url).map_err(|_| Error::GivenUrl {
            cause: "it can't be parsed",
        })?;
        let kind = Kind::Private(Arc::new(Mutex::new(watchdog)));
        Ok(Self::new(url, Run::random_name(), kind))
    }

    fn new(admin_url: Url, run: String, kind: Kind) -> Self {
        let copying = tokio::sync::Mutex::new(());
        let inner = Inner {
            admin_url,
            run,
            kind,
            copying,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// For the administrator: a superuser of a private server, connected to its database
    /// `postgres`; for a given server the URL that was given.
    #[must_use]
    pub fn admin_url(&self) -> &Url {
        &self.inner.admin_url
    }

    /// Makes an empty database (UTF-8, locale `C`) with two login roles of its own: an owner, who
    /// may migrate, and one that serves, with the right to connect and no other. Neither can
    /// reach another database, and nobody else can reach this one.
    ///
    /// `prefix` starts the readable part of its name: 1 to 20 of `a-z`, `0-9` and `_`, a letter
    /// first.
    ///
    /// # Errors
    /// [`Error::Prefix`], or [`Error::Sql`] if the server refuses or can't be reached.
    pub async fn create_database(&self, prefix: &str) -> Result<Database, Error> {
        let database = Database::plan(&self.inner.admin_url, &self.inner.run, prefix)?;
        database.create(&self.inner.admin_url).await?;
        Ok(database)
    }

    /// Copies `template`, with its tables, rows and grants, into a new database with the same two
    /// roles. Waits for at most half a minute for others to leave the template.
    ///
    /// # Errors
    /// [`Error::Sql`] if somebody stays connected to the template, or the server refuses.
    pub async fn clone_database(&self, template: &Database) -> Result<Database, Error> {
        let copy = template.plan_copy(&self.inner.run, "copy")?;
        let _turn = self.inner.copying.lock().await;
        copy.copy(&self.inner.admin_url, template).await?;
        Ok(copy)
    }

    /// Drops the database, even if clients are connected to it, and its roles with the last database that
    /// uses them. A database that is gone already is no error.
    ///
    /// # Errors
    /// [`Error::Sql`] if the server refuses or can't be reached.
    pub async fn drop_database(&self, database: &Database) -> Result<(), Error> {
        database.remove(&self.inner.admin_url).await
    }

    /// Ends the server for every handle and waits until it and its folder are gone. A given
    /// server loses what was created on it, and stays. After that, and again, nothing happens.
    ///
    /// # Errors
    /// If the end could not be waited for, or a given server refused.
    pub async fn stop(self) -> Result<(), Error> {
        match &self.inner.kind {
            Kind::Private(watchdog) => {
                let watchdog = Arc::clone(watchdog);
                blocking(move || locked(&watchdog).end()).await
            }
            Kind::Given(run) => run.end().await,
        }
    }

    /// Ends a private server's connections, stops it, and keeps its data and its port. To have it
    /// crash instead, start it durable and kill [`process_id`](Self::process_id).
    ///
    /// # Errors
    /// [`Error::NotPrivate`], [`Error::Ended`].
    pub async fn suspend(&self) -> Result<(), Error> {
        let watchdog = self.private()?;
        blocking(move || locked(&watchdog).down()).await
    }

    /// Starts a private server again after [`suspend`](Self::suspend), or after it died.
    ///
    /// # Errors
    /// [`Error::NotPrivate`], [`Error::Ended`], or [`Error::Gave`] if it doesn't start.
    pub async fn resume(&self) -> Result<(), Error> {
        let watchdog = self.private()?;
        blocking(move || locked(&watchdog).up()).await
    }

    /// [`suspend`](Self::suspend), then [`resume`](Self::resume).
    ///
    /// # Errors
    /// As those two.
    pub async fn restart(&self) -> Result<(), Error> {
        self.suspend().await?;
        self.resume().await
    }

    /// The process id of a private server, `None` while it is down and for a given one.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        match &self.inner.kind {
            Kind::Private(watchdog) => locked(watchdog).process_id(),
            Kind::Given(_) => None,
        }
    }

    /// The folder of a private server, `None` for a given one. It goes when the server does, however this process ends, and
    /// takes along what was put there: the place for files that must not outlive a run. The server's own are `data` and `log`.
    #[must_use]
    pub fn folder(&self) -> Option<PathBuf> {
        match &self.inner.kind {
            Kind::Private(watchdog) => Some(locked(watchdog).folder().to_path_buf()),
            Kind::Given(_) => None,
        }
    }

    fn private(&self) -> Result<Arc<Mutex<Watchdog>>, Error> {
        match &self.inner.kind {
            Kind::Private(watchdog) => Ok(Arc::clone(watchdog)),
            Kind::Given(_) => Err(Error::NotPrivate),
        }
    }
}

fn given_by_environment() -> Result<Option<Url>, Error> {
    let Some(value) = std::env::var_os(GIVEN).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let cause = "TENANT_BRIDGE_TEST_DATABASE_URL isn't a URL";
    let url = value.to_str().and_then(|text| Url::parse(text).ok());
    url.map(Some).ok_or(Error::GivenUrl { cause })
}

/// Words are exchanged whole with the watchdog, so a panic elsewhere leaves it usable.
fn locked(watchdog: &Mutex<Watchdog>) -> std::sync::MutexGuard<'_, Watchdog> {
    watchdog.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs what blocks on a thread for that. Its end is awaited even if the caller gives up, so a
/// server that nobody waits for any more is dropped, and so ended.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::process("a background thread")(error.into())))
}

/// 122 random bits in a form that needs no escaping in SQL or in a URL.
pub(crate) fn random_password() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
