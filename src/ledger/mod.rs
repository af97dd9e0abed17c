//! The ledger: what is recorded of what was requested, decided, sent and answered. People appear as pseudonyms, tokens as
//! fingerprints, free text as a salted hash.

mod canonical;
mod connection;
pub(crate) mod details;
mod fingerprint;
pub(crate) mod recorder;
pub(crate) mod refusal_limit;
pub(crate) mod sequencer;
pub(crate) mod upkeep;

pub use fingerprint::TokenFingerprinter;
pub use upkeep::Settings;
