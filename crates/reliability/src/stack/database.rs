//! What the service recorded, read as the schema's owner.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use tenant_bridge::db::{self, PoolOptions, schema};

/// A database of the service, with the rights of its owner. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database(PgPool);

fn owner(database: &dev_postgres::Database) -> anyhow::Result<PgPool> {
    pool(database.owner_url.as_str())
}

/// The server itself, as its administrator.
pub(super) fn admin(url: &url::Url) -> anyhow::Result<Database> {
    Ok(Database(pool(url.as_str())?))
}

fn pool(url: &str) -> anyhow::Result<PgPool> {
    Ok(db::connect(&PoolOptions {
        url: url.into(),
        max_connections: 2,
        acquire_timeout: Duration::from_secs(20),
    })?)
}

/// Makes the schema, as `tenant-bridge migrate` does.
pub(super) async fn migrate(database: &dev_postgres::Database) -> anyhow::Result<()> {
    let owner = owner(database)?;
    schema::migrate(&owner, &database.serving_role)
        .await
        .context("the schema can't be made")?;
    owner.close().await;
    Ok(())
}

impl Database {
    pub(super) fn open(database: &dev_postgres::Database) -> anyhow::Result<Self> {
        Ok(Self(owner(database)?))
    }

    /// The rows of a query, each as JSON with the columns as members.
    pub async fn rows(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let query = format!("select to_jsonb(r) from ({query}) r");
        Ok(sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_all(&self.0)
            .await?)
    }

    /// A number that a query gives.
    ///
    /// # Errors
    /// When the database can't answer, or with something else.
    pub async fn number(&self, query: &str) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(&self.0)
            .await?)
    }

    /// Changes something behind the service's back.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn run(&self, statements: &str) -> anyhow::Result<()> {
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
            .execute(&self.0)
            .await?;
        Ok(())
    }

    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}
