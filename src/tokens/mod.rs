//! Tokens for ARM: exchanged for a caller, kept for operations under way, and the service's own.

pub(crate) mod exchange;
pub(crate) mod service_identity;
pub(crate) mod store;
