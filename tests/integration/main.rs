//! The whole service over its real router, a real Postgres and the emulated Azure. One binary, so that one link serves all.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, and what it indexes it has looked at"
)]

mod support;

mod anothers;
mod continued;
mod continuing;
mod costs;
mod document;
mod endpoints;
mod entity_tags;
mod examples;
mod fault_matrix;
mod feed;
mod health_command;
mod http_edges;
mod idempotency;
mod jobs;
mod main_job;
mod names;
mod newer_records;
mod order;
mod outcomes;
mod parameters;
mod partitions;
mod places;
mod points;
mod polls;
mod preconditions;
mod problems;
mod promises;
mod reading;
mod refusals;
mod remedies;
mod removal;
mod repeats;
mod resilience;
mod rights;
mod roles;
mod service_identity;
mod shares;
mod signing_keys;
mod sockets;
mod statements;
mod stopping;
mod strangers;
mod takeover;
mod telemetry;
mod tokens;
mod upgrades;
mod upstream;
mod visibility;
mod words;
