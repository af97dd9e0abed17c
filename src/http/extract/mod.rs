//! Extractors whose rejections are problems that name the member or header that is wrong.

mod caller;
mod fields;
mod idempotency_key;
mod json;
mod parameters;
mod prefer;

pub(super) use caller::{Authenticated, authenticate};
pub(super) use fields::{field, optional};
pub(super) use idempotency_key::Idempotency;
pub(super) use json::{Json, JsonIfAny, LARGEST_BODY};
pub(super) use parameters::{Path, Query};
pub(super) use prefer::Prefer;
