//! One connection an administrative call: a pool would be tied to the runtime of the test that
//! made it, and each test has its own.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use url::Url;

use crate::error::Error;

/// Postgres's code for a database that others are connected to (`object_in_use`, PostgreSQL
/// documentation, appendix A).
pub(crate) const IN_USE: &str = "55006";
/// A role that something still belongs to (`dependent_objects_still_exist`).
pub(crate) const STILL_NEEDED: &str = "2BP01";

/// Something that should not happen inside of Postgres (`internal_error`).
pub(crate) const INTERNAL: &str = "XX000";

pub(crate) async fn connect(url: &Url) -> Result<PgConnection, Error> {
    PgConnection::connect(url.as_str())
        .await
        .map_err(Error::sql("connecting to Postgres"))
}

/// Runs a statement that names what Postgres takes no parameters for. Every name in it was made
/// here, of letters, digits and underscores.
pub(crate) async fn run(
    connection: &mut PgConnection,
    doing: &'static str,
    statement: String,
) -> Result<(), Error> {
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(statement)))
        .await
        .map(drop)
        .map_err(Error::sql(doing))
}

/// Whether Postgres refused with this code.
pub(crate) fn refused_with(error: &Error, code: &str) -> bool {
    let Error::Sql { source, .. } = error else {
        return false;
    };
    source
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|found| found == code)
}
