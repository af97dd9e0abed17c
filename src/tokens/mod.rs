//! Tokens for ARM: exchanged for a caller, stored for running operations, and the service's own.

pub(crate) mod exchange;
pub(crate) mod service_identity;
pub(crate) mod store;
