//! What a request goes through before its handler: whose it is, whether they ask too often, its body, and a place.
//!
//! In this order, so that no caller without a valid token takes a place or another caller's share; and none keeps a
//! place for an answer by sending nothing.

use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::{FutureExt as _, StreamExt as _};
use http::Method;
use http::request::Parts;
use tokio::time::timeout;

use super::AppState;
use super::extract::{LARGEST_BODY, authenticate};
use super::problem::Problem;
use super::shares::{Holder, Place};
use crate::authz::Caller;
use crate::domain::Code;

/// Answers a request when all that is due before has been done.
pub(super) async fn admit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match admitted(&state, request).await {
        Ok((request, _place)) => state.usecases.driver.db.for_a_request(next.run(request)).await,
        Err(problem) => problem.into_response(),
    }
}

/// The request with its caller and its whole body, and its place.
async fn admitted(state: &AppState, request: Request) -> Result<(Request, Place), Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = identify(state, &parts).await?;
    state.person_limit.check(&caller)?;
    let holder = Holder::from(&caller);
    let body = if takes_body(&parts.method) && !body.is_end_stream() {
        let _place = state.load.place_to_receive(holder).await?;
        Body::from(receive(body, state.server.body_timeout).await?)
    } else {
        Body::empty()
    };
    let place = state.load.place(holder).await?;
    parts.extensions.insert(caller);
    Ok((Request::from_parts(parts, body), place))
}

/// The request's caller. With cached keys it is known at once, however many requests wait for others.
async fn identify(state: &AppState, parts: &Parts) -> Result<Caller, Problem> {
    let mut caller = pin!(authenticate(parts, state));
    if let Some(known) = caller.as_mut().now_or_never() {
        return known;
    }
    let _place = state.load.place_to_check()?;
    caller.await
}

/// The methods whose bodies mean something here; others' are not read.
fn takes_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// A whole body. Of one that is too large, only as much as the handler needs to see that.
async fn receive(body: Body, longest: Duration) -> Result<Bytes, Problem> {
    let read = async {
        let (mut bytes, mut parts) = (Vec::new(), body.into_data_stream());
        while bytes.len() <= LARGEST_BODY
            && let Some(part) = parts.next().await
        {
            let broken = |_| Problem::new(Code::InvalidRequest, "the body could not be read to its end");
            bytes.extend_from_slice(&part.map_err(broken)?);
        }
        bytes.truncate(LARGEST_BODY + 1);
        Ok(Bytes::from(bytes))
    };
    timeout(longest, read).await.unwrap_or_else(|_| {
        let seconds = longest.as_secs_f64();
        let detail = format!("the body was not complete after {seconds} s; nothing was done");
        Err(Problem::new(Code::RequestTimeout, detail))
    })
}
