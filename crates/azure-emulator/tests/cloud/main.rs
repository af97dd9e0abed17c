//! The emulator from outside, over real TLS: what a client of Entra and ARM sees.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so"
)]

mod admin;
mod admin_change_table;
mod admin_changes;
mod admin_consent;
mod admin_making;
mod admin_page;
mod arm_addresses;
mod arm_headers;
mod arm_paths;
mod arm_tokens;
mod blobs;
mod bodies;
mod bounds;
mod browser;
mod by_itself;
mod challenges;
mod client_assertions;
mod codes;
mod conditional_access;
mod discovery;
mod event_grid;
mod event_hubs;
mod exchange;
mod faults;
mod faults_http;
mod groups;
mod ingestion;
mod key_rotation;
mod kinds;
mod kusto_members;
mod limits;
mod linked;
mod lists;
mod operations;
mod page_safety;
mod reads;
mod refusal_table;
mod refusals;
mod replay;
mod roles;
mod sessions;
mod sign_in;
mod spelling;
mod storage;
mod support;
mod throttling;
mod token_endpoints;
mod versions;
mod writes;
