//! A private Postgres server for tests and demonstrations.
//!
//! [`Server::start`] finds the Postgres that is installed on the machine, starts a server of its
//! own in a temporary folder on a free port of 127.0.0.1, and leaves nothing behind: server and
//! folder are gone when the last [`Server`] is dropped, and also when the process that holds it
//! is killed. Several servers run side by side, beside whatever else runs on the machine.
//!
//! With `TENANT_BRIDGE_TEST_DATABASE_URL` set, that server is used instead; see [`Source`].
//!
//! Unix only: what watches over the server is a `sh`. Needs PostgreSQL 15 or later.

mod account;
mod database;
mod error;
mod fetch;
mod find;
mod place;
mod reaper;
mod run;
mod server;
mod session;
mod sql;
mod watchdog;
mod wire;

pub use database::Database;
pub use error::Error;
pub use server::{Options, Server, Source};
pub use wire::Wire;
