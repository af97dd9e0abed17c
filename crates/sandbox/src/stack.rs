//! The three together.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use azure_emulator::{Emulator, MintUserToken, Options, Seed, how_to};
use dev_postgres::{Database, Server};
use tempfile::NamedTempFile;
use tenant_bridge::app;
use tenant_bridge::app::Running;
use tenant_bridge::clock::Clock;
use tenant_bridge::config::Config;
use tenant_bridge::db::{self, PoolOptions, schema};
use url::Url;

/// Everything that runs.
pub struct Stack {
    /// The Azure that isn't one.
    pub emulator: Emulator,
    /// The service.
    pub service: Running,
    postgres: Server,
    database: Database,
    ca: Ca,
}

/// The emulator's CA as a file that is gone with this process.
enum Ca {
    /// In the private server's folder, which is removed even if this process is killed.
    WithPostgres(PathBuf),
    /// A given server has no such folder; this one stays behind a killed process.
    Temporary(NamedTempFile),
}

impl Ca {
    fn write(pem: &str, postgres: &Server) -> std::io::Result<Self> {
        if let Some(folder) = postgres.folder() {
            let file = folder.join("ca.pem");
            std::fs::write(&file, pem)?;
            return Ok(Self::WithPostgres(file));
        }
        let file = tempfile::Builder::new()
            .prefix("sandbox-ca.")
            .suffix(".pem")
            .tempfile()?;
        std::fs::write(&file, pem)?;
        Ok(Self::Temporary(file))
    }
}

impl Stack {
    /// Starts Postgres and the emulator side by side, then the service on any free port.
    ///
    /// # Errors
    /// When one of them can't start; the others are ended.
    pub async fn start() -> anyhow::Result<Self> {
        let (postgres, emulator) =
            tokio::join!(database(), Emulator::start(Seed::how_to(), Options::default()));
        let (postgres, database) = postgres?;
        let emulator = emulator.context("the emulated Azure can't start")?;
        let config = configuration(&emulator, &database.serving_url)?;
        let service = app::start(config, Clock::system())
            .await
            .context("the service can't start")?;
        let ca = Ca::write(emulator.ca_pem(), &postgres).context("the CA's file can't be written")?;
        Ok(Self {
            emulator,
            service,
            postgres,
            database,
            ca,
        })
    }

    /// The service's URL.
    ///
    /// # Errors
    /// Never, for an address that is listened on.
    pub fn url(&self) -> anyhow::Result<Url> {
        Ok(format!("http://{}/", self.service.address()).parse()?)
    }

    /// The emulator's CA (PEM), for clients of the emulated Azure. The file goes with the stack.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        match &self.ca {
            Ca::WithPostgres(file) => file,
            Ca::Temporary(file) => file.path(),
        }
    }

    /// The database, as the role that serves.
    #[must_use]
    pub fn database_url(&self) -> &Url {
        &self.database.serving_url
    }

    /// Ends all three, the service first.
    ///
    /// # Errors
    /// When Postgres can't be stopped in order; it is gone with this process all the same.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.service.stop().await;
        self.emulator.stop().await;
        self.postgres.stop().await.context("Postgres can't be stopped")
    }
}

async fn database() -> anyhow::Result<(Server, Database)> {
    let postgres = Server::start(dev_postgres::Options::default())
        .await
        .context("a private Postgres can't start")?;
    let database = postgres
        .create_database("sandbox")
        .await
        .context("a database can't be made")?;
    let owner = db::connect(&PoolOptions {
        url: database.owner_url.as_str().into(),
        max_connections: 1,
        acquire_timeout: Duration::from_secs(10),
    })?;
    schema::migrate(&owner, &database.serving_role)
        .await
        .context("the schema can't be made")?;
    owner.close().await;
    Ok((postgres, database))
}

/// The settings with which the service uses this emulator and this database, as a file has them (TOML): quick to poll, since
/// the emulated operations are quick, to stop, since nobody stands in front, and any free port. The emulator's authority is not among them; nor are the sections
/// `upstream` and `telemetry`, so that both can be added.
#[must_use]
pub fn settings(emulator: &Emulator, serving_url: &Url) -> String {
    let (entra, arm) = (emulator.entra_url(), emulator.arm_url());
    format!(
        r#"
        [server]
        listen = "127.0.0.1:0"
        drain = "0s"
        [database]
        url = "{serving_url}"
        [entra]
        authority = "{entra}"
        client_id = "{client_id}"
        client_secret = "{secret}"
        calling_apps = ["{portal}"]
        [arm]
        endpoint = "{arm}"
        [tenants]
        users = ["{domain1}", "{domain2}"]
        targets = ["{domain1}"]
        sources = ["{domain1}", "{domain2}"]
        names = ["{domain1} = domain1.com", "{domain2} = domain2.com"]
        [worker]
        poll_min = "100ms"
        poll_max = "2s"
        [ledger]
        fingerprint_key = "{fingerprint_key}"
        "#,
        client_id = how_to::TENANT_BRIDGE,
        secret = how_to::TENANT_BRIDGE_SECRET,
        portal = how_to::PORTAL,
        domain1 = how_to::DOMAIN1,
        domain2 = how_to::DOMAIN2,
        fingerprint_key = uuid::Uuid::new_v4().simple(),
    )
}

/// The configuration of these settings, which trusts the emulator's authority.
///
/// # Errors
/// When the settings don't fit this version of the service.
pub fn configuration(emulator: &Emulator, serving_url: &Url) -> anyhow::Result<Config> {
    let mut config = Config::from_toml(&settings(emulator, serving_url))?;
    config.upstream.extra_authorities = Some(emulator.ca_pem().as_bytes().to_vec());
    Ok(config)
}

/// A token for the service that the portal got for this user in this tenant.
///
/// # Errors
/// When the emulator knows no such user or tenant.
pub fn user_token(emulator: &Emulator, user: &str, tenant: &str) -> anyhow::Result<String> {
    Ok(emulator.mint_user_token(&MintUserToken {
        user: user.to_owned(),
        tenant: tenant.to_owned(),
        client_app: how_to::PORTAL.to_owned(),
        api: how_to::TENANT_BRIDGE.to_owned(),
        scopes: vec!["Connections.ReadWrite".to_owned()],
        ..MintUserToken::default()
    })?)
}
