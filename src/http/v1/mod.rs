//! The endpoints, one file each.

mod changed;
pub(super) mod continue_operation;
pub(super) mod create;
mod ended;
pub(super) mod events;
pub(super) mod feed;
mod feed_export;
pub(super) mod get;
pub(super) mod list;
mod list_parameters;
pub(super) mod operation;
pub(super) mod remove;
