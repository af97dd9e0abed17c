//! Extractors whose rejections are problems that name the member or header that is wrong.

mod authorized;
mod caller;
mod conditions;
mod fields;
mod idempotency_key;
mod json;
mod parameters;
mod prefer;
mod strict;

pub(super) use authorized::{Authorized, Create, Read, Write};
pub(super) use caller::authenticate;
pub(super) use conditions::Conditions;
pub(super) use fields::{field, optional};
pub(super) use idempotency_key::Idempotency;
pub(super) use json::{Json, JsonIfAny, LARGEST_BODY};
pub(super) use parameters::{NoParameters, Path, Query};
pub(super) use prefer::Prefer;
