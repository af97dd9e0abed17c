//! `/v1/connections`.

pub(super) mod create;
pub(super) mod events;
pub(super) mod get;
pub(super) mod list;
pub(super) mod remove;
