//! Postgres: one file an aggregate, free functions over a connection, domain types in and out.
//! Nothing here knows of HTTP, Entra or ARM, and no transaction is open while a call to them is.

mod address;
pub mod cluster_locks;
pub mod connections;
pub mod counts;
mod error;
pub mod feed;
mod handle;
pub mod idempotency_keys;
pub mod leases;
pub mod ledger_events;
pub mod operations;
mod pool;
pub mod principals;
mod probe;
pub mod replicas;
mod request_time;
pub mod revisions;
pub mod schedules;
pub mod schema;
mod session;
mod shortage;

pub use error::{DbError, exactly_one};
pub use handle::Db;
pub use pool::{PoolOptions, Transaction, begin, connect, with_timeout};
pub use request_time::{RequestTime, in_request_time};
pub use session::SessionError;
pub use shortage::{Explainer, first_connection};
