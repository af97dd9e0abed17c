//! One database with its two roles: made empty, copied, dropped.
//! Roles belong to the whole server, so each database made empty has two of its own; copies share
//! their template's, because the rights inside them are those roles'.

use std::fmt;
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use url::Url;

use crate::error::Error;
use crate::sql;

/// How often a copy is tried while others are connected to the template. Postgres itself waits
/// up to five seconds each time.
const COPY_ATTEMPTS: usize = 5;
/// How often a role is dropped while the databases that need it go one after the other.
const DROP_ATTEMPTS: usize = 20;
const COPY_PAUSE: Duration = Duration::from_millis(100);

/// A database of a [`Server`](crate::Server).
#[derive(Clone)]
pub struct Database {
    /// Its name, unique on the server.
    pub name: String,
    /// For the role that owns it, and so may migrate.
    pub owner_url: Url,
    /// For the role that serves: it may connect, and what the owner grants it.
    pub serving_url: Url,
    /// The serving role's name, for the owner's `GRANT`s.
    pub serving_role: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URLs hold passwords.
        formatter
            .debug_struct("Database")
            .field("name", &self.name)
            .field("serving_role", &self.serving_role)
            .finish_non_exhaustive()
    }
}

impl Database {
    /// A new name and new passwords; nothing is made yet.
    pub(crate) fn plan(admin: &Url, run: &str, prefix: &str) -> Result<Self, Error> {
        let name = name(run, prefix)?;
        let serving_role = format!("{name}_serving");
        Ok(Self {
            owner_url: login(admin, &format!("{name}_owner"), &name)?,
            serving_url: login(admin, &serving_role, &name)?,
            serving_role,
            name,
        })
    }

    /// Another name with the same roles; nothing is made yet.
    pub(crate) fn plan_copy(&self, run: &str, prefix: &str) -> Result<Self, Error> {
        let mut copy = self.clone();
        copy.name = name(run, prefix)?;
        copy.owner_url.set_path(&copy.name);
        copy.serving_url.set_path(&copy.name);
        Ok(copy)
    }

    pub(crate) async fn create(&self, admin: &Url) -> Result<(), Error> {
        let mut connection = sql::connect(admin).await?;
        let (owner, serving) = (self.owner_url.username(), self.serving_role.as_str());
        for url in [&self.owner_url, &self.serving_url] {
            let (role, password) = (url.username(), url.password().unwrap_or_default());
            let statement = format!("CREATE ROLE {role} LOGIN PASSWORD '{password}'");
            sql::run(&mut connection, "creating a role", statement).await?;
        }
        // Only a member of a role may give it a database; a superuser is taken for one.
        if !is_superuser(&mut connection).await? {
            let statement = format!("GRANT {owner} TO CURRENT_USER");
            sql::run(&mut connection, "joining the owner's role", statement).await?;
        }
        // template0 is as Postgres made it, whatever was done to template1 of a given server.
        let name = &self.name;
        let statement = format!(
            "CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8' \
             LOCALE_PROVIDER libc LOCALE 'C'"
        );
        sql::run(&mut connection, "creating a database", statement).await?;
        self.limit(&mut connection, serving).await?;
        close(connection).await
    }

    /// Copies `template`, waiting for others to leave it.
    pub(crate) async fn copy(&self, admin: &Url, template: &Self) -> Result<(), Error> {
        let mut connection = sql::connect(admin).await?;
        let (name, owner) = (&self.name, self.owner_url.username());
        let statement = format!("CREATE DATABASE {name} OWNER {owner} TEMPLATE {}", template.name);
        let mut attempt = 1;
        loop {
            match sql::run(&mut connection, "copying a database", statement.clone()).await {
                Err(error) if sql::refused_with(&error, sql::IN_USE) && attempt < COPY_ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(COPY_PAUSE).await;
                }
                answer => break answer?,
            }
        }
        self.limit(&mut connection, &self.serving_role).await?;
        close(connection).await
    }

    /// Drops the database, even if clients are connected, and its roles unless a copy still needs them.
    pub(crate) async fn remove(&self, admin: &Url) -> Result<(), Error> {
        let mut connection = sql::connect(admin).await?;
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        sql::run(&mut connection, "dropping a database", statement).await?;
        for role in [self.owner_url.username(), &self.serving_role] {
            let statement = format!("DROP ROLE IF EXISTS {role}");
            let mut attempt = 1;
            loop {
                match sql::run(&mut connection, "dropping a role", statement.clone()).await {
                    // Postgres would name what needs the role, and one of these went at this moment.
                    Err(error) if sql::refused_with(&error, sql::INTERNAL) && attempt < DROP_ATTEMPTS => {
                        attempt += 1;
                    }
                    Err(error) if sql::refused_with(&error, sql::STILL_NEEDED) => break,
                    answer => break answer?,
                }
            }
        }
        close(connection).await
    }

    /// By default everybody may connect to a database and make temporary tables in it.
    async fn limit(&self, connection: &mut PgConnection, serving: &str) -> Result<(), Error> {
        let name = &self.name;
        let statement = format!(
            "REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO {serving}"
        );
        sql::run(connection, "limiting who may connect", statement).await
    }
}

async fn is_superuser(connection: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query_scalar("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        .fetch_one(connection)
        .await
        .map_err(Error::sql("asking for the administrator's rights"))
}

async fn close(connection: PgConnection) -> Result<(), Error> {
    connection
        .close()
        .await
        .map_err(Error::sql("closing the connection"))
}

/// `PREFIX` with the run in front, by which leftovers are told apart, and a random end. With the
/// longest role's ending it stays within Postgres's 63 bytes.
fn name(run: &str, prefix: &str) -> Result<String, Error> {
    let fits = prefix.len() <= 20
        && prefix.starts_with(|first: char| first.is_ascii_lowercase())
        && prefix
            .chars()
            .all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '_');
    if !fits {
        return Err(Error::Prefix {
            prefix: prefix.to_owned(),
        });
    }
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    Ok(format!("{run}_{prefix}_{:08x}", random >> 32))
}

/// The administrator's URL with another user, a new password and another database.
fn login(admin: &Url, role: &str, database: &str) -> Result<Url, Error> {
    let unusable = |()| Error::GivenUrl {
        cause: "it has no host",
    };
    let mut url = admin.clone();
    url.set_username(role).map_err(unusable)?;
    url.set_password(Some(&crate::server::random_password()))
        .map_err(unusable)?;
    url.set_path(database);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admin() -> Url {
        Url::parse("postgres://postgres:p%40ss@127.0.0.1:5432/postgres?sslmode=disable").unwrap()
    }

    #[test]
    fn a_database_has_a_url_for_each_role_and_keeps_the_servers_parameters() {
        let database = Database::plan(&admin(), "devpg_0000002a", "api").unwrap();
        assert!(database.name.starts_with("devpg_0000002a_api_"));
        assert_eq!(database.serving_url.username(), database.serving_role);
        assert_eq!(database.owner_url.path(), format!("/{}", database.name));
        assert_eq!(database.owner_url.query(), Some("sslmode=disable"));
        assert_ne!(database.owner_url.password(), database.serving_url.password());
    }

    #[test]
    fn debug_output_shows_no_password() {
        let database = Database::plan(&admin(), "devpg_0000002a", "api").unwrap();
        let shown = format!("{database:?}");
        for url in [&database.owner_url, &database.serving_url] {
            assert!(!shown.contains(url.password().unwrap()));
        }
    }

    #[test]
    fn a_prefix_that_would_need_quoting_or_be_too_long_is_refused() {
        for prefix in ["", "1a", "_a", "A", "a-b", "a b", "a;b", &"a".repeat(21)] {
            let planned = Database::plan(&admin(), "devpg_0000002a", prefix);
            assert!(matches!(planned, Err(Error::Prefix { .. })), "{prefix}");
        }
        let longest = Database::plan(&admin(), "devpg_0000002a", &"a".repeat(20)).unwrap();
        assert!(longest.serving_role.len() <= 63);
    }
}
