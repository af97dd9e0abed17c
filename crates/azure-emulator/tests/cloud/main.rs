//! The emulator from outside, over real TLS: what a client of Entra and ARM sees.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so"
)]

mod admin;
mod admin_changes;
mod admin_consent;
mod admin_page;
mod arm_tokens;
mod browser;
mod client_assertions;
mod codes;
mod discovery;
mod event_hubs;
mod exchange;
mod faults;
mod faults_http;
mod ingestion;
mod linked;
mod lists;
mod operations;
mod reads;
mod refusals;
mod replay;
mod sign_in;
mod support;
mod versions;
mod writes;
