//! What can go wrong between this service and its database.

use crate::telemetry::metrics;

pub use crate::domain::DbError;

impl DbError {
    /// The database did not answer in time.
    pub(crate) fn timed_out() -> Self {
        metrics::database_failed(Class::Timeout.as_str());
        Self::TimedOut
    }

    /// The answer to a commit did not come.
    pub(crate) fn unconfirmed() -> Self {
        metrics::commit_unconfirmed();
        Self::Unconfirmed
    }

    /// A stored value that no longer parses.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let class = Class::of(&error);
        metrics::database_failed(class.as_str());
        if class == Class::Timeout {
            return Self::TimedOut;
        }
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                    Self::Internal(error.to_string())
                }
                _ => Self::Unavailable(error.into()),
            };
        };
        let code = database.code().unwrap_or_default();
        match code.as_ref() {
            "23505" => Self::Conflict(database.constraint().unwrap_or_default().to_owned()),
            // A right that is missing is given by the database's owner, and then the same request succeeds.
            "42501" => Self::Unavailable(error.into()),
            // Another session's prepared statement: there is a pooler in between, and the connection is none of ours.
            "42P05" => Self::Unavailable(error.into()),
            // Integrity, data and syntax errors: ours. The rest (a deadlock, a shutdown, a full disk…) is the
            // server's condition, and the same request may succeed later.
            code if code.starts_with("22") || code.starts_with("23") || code.starts_with("42") => {
                Self::Internal(error.to_string())
            }
            _ => Self::Unavailable(error.into()),
        }
    }
}

/// What went wrong at Postgres, in the few classes that matter to an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// There is no connection, or it was lost.
    Connection,
    /// No connection was free, or no answer came, in time.
    Timeout,
    /// The server takes no more connections.
    TooManyConnections,
    /// The server has no disk, memory or other room left.
    OutOfResources,
    /// The server stops, starts or ended the session.
    Shutdown,
    /// The server takes no writes.
    ReadOnly,
    /// Others wait for the same rows.
    Deadlock,
    /// The role lacks a right, or isn't let in.
    MissingRight,
    /// A unique index refused a row: two requests wanted the same, and one of them had it.
    Conflict,
    /// A statement or a row is not as it must be.
    Defect,
    /// Anything else.
    Other,
}

impl Class {
    /// A short, stable word, one of [`metrics::DATABASE_ERRORS`].
    const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::TooManyConnections => "tooManyConnections",
            Self::OutOfResources => "outOfResources",
            Self::Shutdown => "shutdown",
            Self::ReadOnly => "readOnly",
            Self::Deadlock => "deadlock",
            Self::MissingRight => "missingRight",
            Self::Conflict => "conflict",
            Self::Defect => "defect",
            Self::Other => "other",
        }
    }

    fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => Self::of_state(&error.code().unwrap_or_default()),
            sqlx::Error::PoolTimedOut => Self::Timeout,
            sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Defect
            }
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolClosed => {
                Self::Connection
            }
            _ => Self::Other,
        }
    }

    /// By SQLSTATE (PostgreSQL, appendix A).
    fn of_state(state: &str) -> Self {
        match state {
            "53300" => Self::TooManyConnections,
            "57014" | "55P03" | "25P03" => Self::Timeout,
            "42501" => Self::MissingRight,
            "23505" => Self::Conflict,
            "25006" => Self::ReadOnly,
            _ => match state.get(..2).unwrap_or_default() {
                "08" => Self::Connection,
                "28" => Self::MissingRight,
                "40" => Self::Deadlock,
                "53" | "54" => Self::OutOfResources,
                "57" => Self::Shutdown,
                "22" | "23" | "42" => Self::Defect,
                _ => Self::Other,
            },
        }
    }
}

/// Checks that a statement changed one row.
///
/// # Errors
/// [`DbError::Internal`] with the statement's purpose if it changed none or several.
pub fn exactly_one(purpose: &str, rows: u64) -> Result<(), DbError> {
    if rows == 1 {
        return Ok(());
    }
    Err(DbError::Internal(format!("{purpose} changed {rows} rows")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classes_of_sqlstates_are_those_that_an_operator_tells_apart() {
        for (state, class) in [
            ("53300", "tooManyConnections"),
            ("53100", "outOfResources"),
            ("57P01", "shutdown"),
            ("57014", "timeout"),
            ("40P01", "deadlock"),
            ("40001", "deadlock"),
            ("25006", "readOnly"),
            ("42501", "missingRight"),
            ("28P01", "missingRight"),
            ("23505", "conflict"),
            ("23503", "defect"),
            ("42P01", "defect"),
            ("08006", "connection"),
            ("XX000", "other"),
            ("", "other"),
        ] {
            assert_eq!(Class::of_state(state).as_str(), class, "{state}");
            assert!(metrics::DATABASE_ERRORS.contains(&class));
        }
        assert_eq!(Class::of(&sqlx::Error::PoolTimedOut), Class::Timeout);
        assert_eq!(Class::of(&sqlx::Error::PoolClosed), Class::Connection);
    }
}
