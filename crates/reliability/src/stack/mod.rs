//! What trials stand on: one private Postgres and one program for all of them, and for each stack a database, an emulated Azure
//! and replicas of the real program as processes of their own. Nothing of it outlives this process.

mod database;
mod people;
mod program;
mod replica;
mod settings;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use azure_emulator::{Emulator, Options};
use dev_postgres::Server;
use tempfile::TempDir;

use crate::client::Client;

pub use database::Database;
pub use people::Person;
use program::ensure_failure_points;
pub use program::{build, build_revision};
pub(crate) use program::{built, commit, seed_of_commit};
pub use replica::Replica;
pub(crate) use replica::is_abort;
pub use settings::Settings;

/// What all stacks share: the server, with a database to copy, and the program. Cheap to clone.
#[derive(Clone)]
pub struct Ground(Arc<Shared>);

struct Shared {
    server: Server,
    template: dev_postgres::Database,
    program: PathBuf,
}

impl Ground {
    /// Builds the program, unless one is given, and starts Postgres. With `durable`, Postgres syncs as one that is deployed.
    ///
    /// # Errors
    /// When one of them fails, or the program has no failure points.
    pub async fn start(program: Option<PathBuf>, durable: bool) -> anyhow::Result<Self> {
        let program = match program {
            Some(program) => program,
            None => tokio::task::spawn_blocking(build).await??,
        };
        ensure_failure_points(&program)?;
        let options = dev_postgres::Options {
            durable,
            ..dev_postgres::Options::default()
        };
        let server = Server::start(options).await.context("no Postgres")?;
        let template = server.create_database("reliability").await?;
        database::migrate(&template).await?;
        Ok(Self(Arc::new(Shared {
            server,
            template,
            program,
        })))
    }

    /// The server, to be stopped and started again.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.0.server
    }

    /// Has Postgres remember when each transaction was committed, which it doesn't by itself.
    ///
    /// # Errors
    /// When it refuses, or does not come back.
    pub async fn tell_commit_times(&self) -> anyhow::Result<()> {
        let admin = database::admin(self.0.server.admin_url())?;
        admin.run("alter system set track_commit_timestamp = on").await?;
        admin.close().await;
        Ok(self.0.server.restart().await?)
    }

    /// A stack of its own: an empty database with the schema, and an emulated Azure in this process.
    ///
    /// # Errors
    /// When one of them can't be had.
    pub async fn stack(&self, options: Options) -> anyhow::Result<Stack> {
        let database = self.0.server.clone_database(&self.0.template).await?;
        self.stack_on(database, options).await
    }

    /// A stack whose database has no schema: [`Stack::migrate`] makes it.
    ///
    /// # Errors
    /// As [`Ground::stack`].
    pub async fn bare_stack(&self, options: Options) -> anyhow::Result<Stack> {
        let database = self.0.server.create_database("bare").await?;
        self.stack_on(database, options).await
    }

    /// The service's program that is tried.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.0.program
    }

    async fn stack_on(&self, database: dev_postgres::Database, options: Options) -> anyhow::Result<Stack> {
        let emulator = Emulator::start(people::seed()?, options).await?;
        // The first token of a process takes as long as its signing key: longer than the service waits for keys.
        let first = (Person::pair(), emulator.clone());
        tokio::task::spawn_blocking(move || first.0.tokens(&first.1)).await??;
        // In the private server's folder, which is removed even if this process is killed.
        let folder = match self.0.server.folder() {
            Some(folder) => tempfile::tempdir_in(folder),
            None => tempfile::tempdir(),
        };
        let folder = folder.context("no folder")?;
        std::fs::write(folder.path().join("ca.pem"), emulator.ca_pem())?;
        let text = sandbox::settings(&emulator, &database.serving_url);
        let authority = folder.path().join("ca.pem");
        std::fs::write(
            folder.path().join("tenant-bridge.toml"),
            format!("{text}\n[upstream]\nca_file = \"{}\"\n", authority.display()),
        )?;
        Ok(Stack {
            database: Database::open(&database)?,
            emulator,
            ground: self.clone(),
            raw: database,
            folder,
        })
    }

    /// Stops Postgres. Without it, it is gone with this process all the same.
    ///
    /// # Errors
    /// When it can't be stopped in order.
    pub async fn stop(&self) -> anyhow::Result<()> {
        Ok(self.0.server.clone().stop().await?)
    }
}

/// A database, an emulated Azure, and the settings with which replicas use them.
pub struct Stack {
    /// The Azure that isn't one: its world, its journal, its faults.
    pub emulator: Emulator,
    /// What the service recorded, as the database's owner reads it.
    pub database: Database,
    ground: Ground,
    raw: dev_postgres::Database,
    folder: TempDir,
}

impl Stack {
    /// Starts a replica and waits until it serves. `points` is what `TENANT_BRIDGE_FAILURE_POINTS` arms in it.
    ///
    /// # Errors
    /// When it does not come up; with the end of its log.
    pub async fn replica(&self, settings: &Settings, points: &str) -> anyhow::Result<Replica> {
        Replica::start(self.launch(settings, points), None).await
    }

    /// Starts a replica of another version of the program.
    ///
    /// # Errors
    /// As [`Stack::replica`].
    pub async fn replica_of(&self, program: &Path, settings: &Settings) -> anyhow::Result<Replica> {
        let launch = replica::Launch {
            program: program.to_owned(),
            ..self.launch(settings, "")
        };
        Replica::start(launch, None).await
    }

    /// Brings the schema to where this version of the program wants it, by its own command.
    ///
    /// # Errors
    /// When it refuses; with what it said.
    pub async fn migrate(&self, program: &Path) -> anyhow::Result<()> {
        let mut command = std::process::Command::new(program);
        command
            .arg("migrate")
            .env("TENANT_BRIDGE__DATABASE__OWNER_URL", self.raw.owner_url.as_str())
            .env("TENANT_BRIDGE__DATABASE__SERVING_ROLE", &self.raw.serving_role);
        let migrated = tokio::task::spawn_blocking(move || command.output()).await??;
        let said = String::from_utf8_lossy(&migrated.stderr);
        anyhow::ensure!(migrated.status.success(), "migrate refused: {said}");
        Ok(())
    }

    /// Starts another process in the place, and at the address, of one that is dead or dying.
    ///
    /// # Errors
    /// As [`Stack::replica`].
    pub async fn replace(&self, old: Replica, settings: &Settings, points: &str) -> anyhow::Result<Replica> {
        let address = old.address();
        old.bury()?;
        Replica::start(self.launch(settings, points), Some(address)).await
    }

    fn launch(&self, settings: &Settings, points: &str) -> replica::Launch {
        replica::Launch {
            program: self.ground.0.program.clone(),
            file: self.folder.path().join("tenant-bridge.toml"),
            settings: settings.clone(),
            points: points.to_owned(),
        }
    }

    /// The database's URL for the service.
    #[must_use]
    pub fn database_url(&self) -> &url::Url {
        &self.raw.serving_url
    }

    /// A client of the replica with new tokens of this person.
    ///
    /// # Errors
    /// When the emulated Entra knows no such person.
    pub fn client(&self, replica: &Replica, person: &Person) -> anyhow::Result<Client> {
        let (token, auxiliary) = person.tokens(&self.emulator)?;
        Client::new(replica.address(), &token, auxiliary.as_deref())
    }

    /// Where files of a trial may be, such as those that hold a failure point. Gone with the stack.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Ends the emulator and drops the database.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.database.close().await;
        self.emulator.stop().await;
        Ok(self.ground.0.server.drop_database(&self.raw).await?)
    }
}
