//! The variable `TENANT_BRIDGE_FAILURE_POINTS`, which a service that is deployed doesn't know.

/// What is to be armed in this process, as [`crate::failpoints::arm_process`] reads it.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "no setting of the service: it belongs to one process of a trial, and never to a file"
)]
pub fn failure_points() -> Option<String> {
    std::env::var("TENANT_BRIDGE_FAILURE_POINTS").ok()
}
