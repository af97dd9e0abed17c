//! Tenant Bridge connects Azure Data Explorer to event streams in another Microsoft Entra tenant,
//! on behalf of the people who request it, and keeps a record of every connection.
//!
//! The modules and what each may import are on one page: `docs/architecture.md`.

pub mod app;
pub mod arm;
pub mod authz;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod entra;
pub mod failpoints;
pub mod http;
mod jobs;
pub mod ledger;
pub mod operations;
mod preflight;
mod sources;
pub mod telemetry;
mod tokens;
pub mod upstream;
pub mod usecases;
pub mod visibility;

#[cfg(test)]
mod layout_tests;
#[cfg(test)]
mod test_log;
