//! A caller whose tokens have the scope that the request needs. A handler names it before the extractor of the body, so that a
//! request without the scope is rejected before its body is parsed.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::caller::Authenticated;
use crate::authz::{Caller, Intent};
use crate::http::AppState;
use crate::http::problem::Problem;

/// What a request intends.
pub(in crate::http) trait Means {
    /// As the use cases name it.
    const INTENT: Intent;
}

/// It reads.
pub(in crate::http) struct Read;
/// It makes a connection.
pub(in crate::http) struct Create;
/// It changes something else.
pub(in crate::http) struct Write;

impl Means for Read {
    const INTENT: Intent = Intent::Read;
}

impl Means for Create {
    const INTENT: Intent = Intent::Create;
}

impl Means for Write {
    const INTENT: Intent = Intent::Write;
}

/// The validated caller, who may ask for what the request means to do.
pub(in crate::http) struct Authorized<T> {
    pub(in crate::http) caller: Caller,
    means: PhantomData<T>,
}

impl<T: Means> FromRequestParts<AppState> for Authorized<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let Authenticated(caller) = Authenticated::from_request_parts(parts, state).await?;
        state.usecases.recorder.require_scope(&caller, T::INTENT).await?;
        Ok(Self {
            caller,
            means: PhantomData,
        })
    }
}
