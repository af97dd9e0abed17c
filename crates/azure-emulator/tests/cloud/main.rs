//! The emulator from outside, over real TLS: what a client of Entra and ARM sees.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so"
)]

mod admin;
mod arm_tokens;
mod discovery;
mod event_hubs;
mod exchange;
mod faults;
mod ingestion;
mod linked;
mod lists;
mod operations;
mod reads;
mod refusals;
mod replay;
mod support;
mod versions;
mod writes;
