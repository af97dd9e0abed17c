//! What can go wrong while a server is found, started, asked or ended.
//! No variant carries a URL: every URL here has a password in it.

use std::path::PathBuf;

/// Why there is no server, or why it did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No folder with a usable `initdb` and `postgres` was found.
    #[error("no PostgreSQL 15 or later found ({tried}); install one or set DEV_POSTGRES_BIN_DIR")]
    NoPrograms {
        /// Each folder that was looked at and what was wrong with it.
        tried: String,
    },
    /// None is installed, and none could be fetched either.
    #[error("{missing}; fetching one failed too: {cause}")]
    Fetch {
        /// The error of the search.
        missing: Box<Error>,
        /// Why there is nothing to use instead.
        cause: String,
    },
    /// The folder named by `DEV_POSTGRES_BIN_DIR` can't be used; no other is tried then.
    #[error("DEV_POSTGRES_BIN_DIR names {}, which can't be used: {cause}", folder.display())]
    BinDir {
        /// The folder.
        folder: PathBuf,
        /// What was wrong with it.
        cause: String,
    },
    /// Postgres refuses to run as root, and there is no way to another account.
    #[error("Postgres doesn't run as root, and no other account could be used: {tried}")]
    NoAccount {
        /// Each account and program that was tried.
        tried: String,
    },
    /// No folder for temporary files that the server's account can reach.
    #[error("no usable folder for temporary files: {tried}")]
    NoPlace {
        /// Each folder and why not.
        tried: String,
    },
    /// A program could not be started or spoken with.
    #[error("{doing} failed")]
    Process {
        /// What was being done.
        doing: &'static str,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
    /// `initdb` or `postgres` gave up.
    #[error("{program} did not succeed; the end of its log:\n{log}")]
    Gave {
        /// `initdb` or `postgres`.
        program: &'static str,
        /// The last lines that it wrote.
        log: String,
    },
    /// The server could not be reached, or refused a statement.
    #[error("{doing} failed")]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// Postgres's or the driver's answer.
        #[source]
        source: sqlx::Error,
    },
    /// The URL of the server to use instead of a private one isn't one.
    #[error("the database URL to use instead of a private server is unusable: {cause}")]
    GivenUrl {
        /// What is wrong with it, without the URL itself.
        cause: &'static str,
    },
    /// A prefix that can't be part of a database's name.
    #[error("{prefix:?} can't begin a database name: want 1 to 20 of a-z, 0-9 and _, a letter first")]
    Prefix {
        /// The prefix.
        prefix: String,
    },
    /// The server was ended already.
    #[error("the server was ended already")]
    Ended,
    /// A server that was given can't be stopped or restarted from here.
    #[error("only a private server can do this; this one was given by its URL")]
    NotPrivate,
}

impl Error {
    pub(crate) fn process(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Process { doing, source }
    }

    pub(crate) fn sql(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Sql { doing, source }
    }
}
