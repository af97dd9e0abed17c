//! `/v1/operations`.

pub(super) mod get;
