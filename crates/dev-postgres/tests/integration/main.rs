//! A real Postgres is started in every test; nothing here is faked.
#![expect(
    clippy::unwrap_used,
    reason = "clippy's leave for tests doesn't reach the functions that they share"
)]

mod given;
mod leftovers;
mod private;
mod roles;
mod support;
