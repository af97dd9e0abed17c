//! What can go wrong between this service and its database.

/// Why a statement or transaction did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Postgres can't be reached, is too slow or refuses to work: nothing is known to have been committed.
    #[error("the database is out of reach: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The answer to a commit did not come: it may have been committed or not.
    #[error("whether the transaction was committed is not known")]
    Unconfirmed,
    /// A unique index refused the row; the name is the index's.
    #[error("the unique index {0} refused the row")]
    Conflict(String),
    /// The operation's lease is held by another replica, or has run out: nothing was written.
    #[error("the lease on the operation is lost")]
    LeaseLost,
    /// A row can't be understood, or a statement changed another number of rows than it must: a defect.
    #[error("the database holds something unexpected: {0}")]
    Defect(String),
}

impl DbError {
    /// Whether the database could not be used, and the same may succeed in a moment.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unconfirmed)
    }

    /// A stored value that no longer parses.
    pub(crate) fn defect(error: impl std::fmt::Display) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                    Self::Defect(error.to_string())
                }
                _ => Self::Unavailable(error),
            };
        };
        let code = database.code().unwrap_or_default();
        match code.as_ref() {
            "23505" => Self::Conflict(database.constraint().unwrap_or_default().to_owned()),
            // A right that is missing is given by the database's owner, and then the same request succeeds.
            "42501" => Self::Unavailable(error),
            // Another session's prepared statement: there is a pooler in between, and the connection is none of ours.
            "42P05" => Self::Unavailable(error),
            // Integrity, data and syntax errors: ours. The rest (a deadlock, a shutdown, a full disk…) is the
            // server's condition, and the same request may succeed later.
            code if code.starts_with("22") || code.starts_with("23") || code.starts_with("42") => {
                Self::Defect(error.to_string())
            }
            _ => Self::Unavailable(error),
        }
    }
}

/// Checks that a statement changed one row.
///
/// # Errors
/// [`DbError::Defect`] with the statement's purpose if it changed none or several.
pub fn exactly_one(purpose: &str, rows: u64) -> Result<(), DbError> {
    if rows == 1 {
        return Ok(());
    }
    Err(DbError::Defect(format!("{purpose} changed {rows} rows")))
}
