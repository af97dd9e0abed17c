//! The emulator from outside, over real TLS: what a client of Entra and ARM sees.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so"
)]

mod admin;
mod admin_consent;
mod arm_tokens;
mod browser;
mod client_assertions;
mod codes;
mod discovery;
mod exchange;
mod faults;
mod linked;
mod operations;
mod reads;
mod refusals;
mod sign_in;
mod support;
mod writes;
