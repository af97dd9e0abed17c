//! Tenant Bridge connects Azure Data Explorer to event streams in another Microsoft Entra tenant,
//! on behalf of the people who ask, and keeps a record of every connection.
//!
//! The rooms and what each may touch are on one page: `docs/architecture.md`.

pub mod arm;
pub mod broker;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connection;
pub mod db;
pub mod entra;
pub mod failure_points;
pub mod http;
pub mod ledger;
pub mod limits;
pub mod outbound;
pub mod service;
pub mod telemetry;
pub mod worker;

#[cfg(test)]
mod test_log;
