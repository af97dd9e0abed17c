//! The running emulator, as tests and the binary hold it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::admin::Admin;
use crate::azure::Azure;
use crate::clock::Clock;
use crate::directory::ARM_APP_ID;
use crate::entra::{self, KeyError, KeyRing, MintError, MintUserToken};
use crate::fault::{Fault, Faults};
use crate::front::Front;
use crate::journal::{Host, Journal};
use crate::resources::Ingestion;
use crate::seed::Seed;
use crate::server;
use crate::tls::{self, TlsError};
use crate::world::World;

/// How to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Port of the login host on 127.0.0.1; 0 takes any free one.
    pub entra_port: u16,
    /// Port of ARM.
    pub arm_port: u16,
    /// Port of the admin API.
    pub admin_port: u16,
    /// How long a Kusto write takes.
    pub operation_duration: Duration,
    /// What Kusto does with a write while another of the same cluster runs.
    pub parallel_writes: ParallelWrites,
    /// How long reads of data connections show what was there before a change, counted from its operation's end.
    pub read_lag: Duration,
    /// How many items a page of a list of data connections, permissions or roles holds; nothing gives all on one page.
    pub list_page_size: Option<usize>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            entra_port: 0,
            arm_port: 0,
            admin_port: 0,
            operation_duration: Duration::from_millis(300),
            parallel_writes: ParallelWrites::Allowed,
            read_lag: Duration::ZERO,
            list_page_size: None,
        }
    }
}

/// What Kusto does with a write while another one of the same cluster runs. It refuses them in reality, but where it
/// says so differs: the recorded complaints are of the operation's end (Azure/azure-rest-api-specs issue 18845).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ParallelWrites {
    /// Both go through.
    #[default]
    Allowed,
    /// The call is answered 409 `ServiceIsInMaintenance`.
    Refused,
    /// The call is accepted and its operation fails with `ServiceIsInMaintenance`.
    Failed,
}

/// Why the emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A port is taken.
    #[error("listening on port {port}: {source}")]
    Listen {
        /// The port that was asked for; 0 is any.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A running emulator. Clones are the same one; it ends with `stop` or with the runtime.
#[derive(Clone)]
pub struct Emulator(Arc<Running>);

struct Running {
    azure: Arc<Azure>,
    journal: Arc<Journal>,
    faults: Arc<Faults>,
    admin_url: Url,
    ca_pem: String,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Emulator {
    /// Starts the three listeners. The signing keys are made meanwhile: the first call of a process that needs one may
    /// wait for it some tenths of a second. Must be called within a tokio runtime.
    pub async fn start(seed: Seed, options: Options) -> Result<Emulator, StartError> {
        let keys = KeyRing::of_process();
        let identity = tls::make()?;
        let (entra_listener, entra_url) = bind(options.entra_port).await?;
        let (arm_listener, arm_url) = bind(options.arm_port).await?;
        let (admin_listener, admin_url) = bind(options.admin_port).await?;

        let clock = Clock::default();
        let mut world = World::new(seed, clock, &options);
        world.directory.also_known_as(ARM_APP_ID, arm_url.as_str());
        let azure = Arc::new(Azure::new(entra_url, arm_url, keys, world));
        let (journal, faults) = (Arc::new(Journal::default()), Arc::new(Faults::default()));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for (host, listener) in [(Host::Entra, entra_listener), (Host::Arm, arm_listener)] {
            let (azure, journal, faults) = (Arc::clone(&azure), Arc::clone(&journal), Arc::clone(&faults));
            let front = Arc::new(Front {
                host,
                azure,
                journal,
                faults,
                stop: stop.clone(),
                tasks: tasks.clone(),
            });
            tasks.spawn(server::run(
                listener,
                identity.acceptor.clone(),
                front,
                stop.clone(),
                tasks.clone(),
            ));
        }
        let admin = Admin::new(Arc::clone(&azure), Arc::clone(&journal), Arc::clone(&faults));
        let admin = Arc::new(admin);
        tasks.spawn(server::run(
            admin_listener,
            identity.acceptor,
            admin,
            stop.clone(),
            tasks.clone(),
        ));
        KeyRing::make_ahead();
        let ca_pem = identity.ca_pem;
        Ok(Emulator(Arc::new(Running {
            azure,
            journal,
            faults,
            admin_url,
            ca_pem,
            stop,
            tasks,
        })))
    }

    /// The login host, `https://localhost:PORT/`.
    pub fn entra_url(&self) -> &Url {
        &self.0.azure.entra_url
    }

    /// ARM, `https://localhost:PORT/`.
    pub fn arm_url(&self) -> &Url {
        &self.0.azure.arm_url
    }

    /// The admin API, `https://localhost:PORT/`.
    pub fn admin_url(&self) -> &Url {
        &self.0.admin_url
    }

    /// The certificate authority that signed the listeners' certificate, as PEM. Made anew at every start.
    pub fn ca_pem(&self) -> &str {
        &self.0.ca_pem
    }

    /// Every call so far.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// The clock that tokens and operations go by.
    pub fn clock(&self) -> &Clock {
        &self.0.azure.clock
    }

    /// Makes a user's token for an API without a sign-in.
    pub fn mint_user_token(&self, request: &MintUserToken) -> Result<String, MintError> {
        entra::mint(&self.0.azure, request).map(|(token, _)| token)
    }

    /// Rotates the login host's signing keys: the next key, which is published already, signs from now on, another next
    /// one is made (which takes a moment) and published, and the old one stays published until `retire_keys`. After a
    /// second rotation the signing key is one that a validator with the first key set does not know.
    pub fn rotate_keys(&self) -> Result<(), KeyError> {
        self.0.azure.keys.rotate()
    }

    /// Withdraws the keys that signed before the last rotation: nobody takes tokens of theirs any more.
    pub fn retire_keys(&self) {
        self.0.azure.keys.retire();
    }

    /// Changes the world. Calls wait meanwhile; don't call the emulator from within.
    pub fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        change(&mut self.0.azure.world())
    }

    /// Looks at the world.
    pub fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(&self.0.azure.world())
    }

    /// Whether events would flow through a data connection now; nothing when there is no such data connection.
    pub fn ingestion(&self, id: &str) -> Option<Ingestion> {
        self.read(|world| world.ingestion(id))
    }

    /// Puts a fault in front of a host.
    pub fn inject(&self, fault: Fault) {
        self.0.faults.add(fault);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.0.faults.clear();
    }

    /// The tokens and codes that were issued, granted or minted, the oldest first; the latest 20,000.
    pub fn issued_tokens(&self) -> Vec<String> {
        self.0.azure.issued()
    }

    /// Closes the listeners and cuts what is open.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator")
            .field("entra_url", &self.entra_url().as_str())
            .field("arm_url", &self.arm_url().as_str())
            .field("admin_url", &self.admin_url().as_str())
            .finish_non_exhaustive()
    }
}

async fn bind(port: u16) -> Result<(tokio::net::TcpListener, Url), StartError> {
    server::bind(port)
        .await
        .map_err(|source| StartError::Listen { port, source })
}
