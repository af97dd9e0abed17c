//! What can go wrong between this service and its database, in the classes that use cases distinguish.

/// Why a statement or transaction did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Postgres can't be reached or refuses to work: nothing is known to have been committed.
    #[error("the database is out of reach: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Postgres did not answer in time, or no connection was free in time.
    #[error("the database did not answer in time")]
    TimedOut,
    /// The answer to a commit did not come: it may have been committed or not.
    #[error("whether the transaction was committed is not known")]
    Unconfirmed,
    /// A unique index refused the row; the name is the index's.
    #[error("the unique index {0} refused the row")]
    Conflict(String),
    /// A defect: a row can't be parsed, or a statement changed another number of rows than it must.
    #[error("the database holds something unexpected: {0}")]
    Internal(String),
}

impl DbError {
    /// Whether the database could not be used, and the same may succeed in a moment.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::TimedOut | Self::Unconfirmed)
    }
}
