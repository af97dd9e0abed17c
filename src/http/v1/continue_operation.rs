//! `POST /v1/operations/{id}/continue`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::Code;
use crate::domain::FieldError;
use crate::domain::OperationId;
use crate::http::AppState;
use crate::http::Problem;
use crate::http::extract::{
    Authorized, Conditions, Idempotency, JsonIfAny, NoParameters, Path, Prefer, Query, Write,
};
use crate::http::links;
use crate::http::models::Operation;
use crate::http::openapi::AuxiliaryHeader;
use crate::http::openapi::IdempotencyKeyHeader;
use crate::http::openapi::PreferHeader;
use crate::http::openapi::Refuses;
use crate::http::openapi::Refusing;
use crate::http::openapi::examples;
use crate::http::response;
use crate::usecases::Continued;

/// How many hexadecimal digits a SHA-256 has.
const DIGITS: usize = 64;

/// Which operation is meant to go on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ContinueOperation {
    /// The operation's `requestHash`. Needed by whoever is not the one who asked for it: it says that they have seen what they
    /// go on with in their own name.
    #[serde(default)]
    #[schema(nullable = false, pattern = "^[0-9A-Fa-f]{64}$")]
    request_hash: Option<String>,
}

impl ContinueOperation {
    fn parse(self) -> Result<Option<String>, Problem> {
        let is_hash =
            |hash: &String| hash.len() == DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        match self.request_hash {
            Some(hash) if !is_hash(&hash) => Err(Problem::invalid(vec![FieldError {
                pointer: "/requestHash".to_owned(),
                detail: format!("must be a SHA-256 as {DIGITS} hexadecimal digits"),
            }])),
            hash => Ok(hash.map(|hash| hash.to_ascii_lowercase())),
        }
    }
}

struct ContinueRefuses;

impl Refuses for ContinueRefuses {
    const CODES: &'static [Code] = &[
        Code::TenantNotAllowed,
        Code::AzureRefused,
        Code::RequestHashMissing,
        Code::NotFound,
        Code::PreconditionFailed,
        Code::ChangeInProgress,
        Code::RequestHashDiffers,
        Code::RequestTimeout,
        Code::PayloadTooLarge,
        Code::UnsupportedMediaType,
        Code::ReferenceNotFound,
        Code::IdempotencyKeyReused,
    ];
}

/// Go on with an operation
///
/// Brings the caller's tokens to an operation that waits for some (`awaitingCaller`), to change things at Azure too. Who asked for it
/// needs nothing else. Another person who may make the same change gives its `requestHash`, and from then on it goes on in their
/// name. Tokens that don't do are refused as a create's are; with `awaitingClaims`, sign in with these first. An operation that
/// waits for nobody stays as it is.
#[utoipa::path(
    post,
    path = "/v1/operations/{id}/continue",
    operation_id = "continueOperation",
    tag = "operations",
    params(("id" = Uuid, Path, description = "The operation's id"), IdempotencyKeyHeader, PreferHeader, AuxiliaryHeader),
    request_body(content = ContinueOperation, description = "Which operation is meant; may be left out by who asked for it", example = json!(examples::go_on())),
    responses(
        (status = 200, description = "It has ended, or waits for nobody", body = Operation,
            headers(("Operation-Location" = String, description = "Where the change is followed: a path, or an absolute URL"), ("Retry-After" = u32, description = "When to ask again: seconds from now")),
            example = json!(examples::succeeded("create"))),
        (status = 202, description = "It goes on", body = Operation,
            headers(("Operation-Location" = String, description = "Where the change is followed: a path, or an absolute URL"), ("Retry-After" = u32, description = "When to ask again: seconds from now")),
            example = json!(examples::running())),
        Refusing<ContinueRefuses>,
    )
)]
pub(crate) async fn go_on(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Write>,
    (Query(NoParameters {}), conditions): (Query<NoParameters>, Conditions),
    prefer: Prefer,
    Idempotency(key): Idempotency,
    Path(id): Path<Uuid>,
    JsonIfAny(body): JsonIfAny<ContinueOperation>,
) -> Result<Response, Problem> {
    // Going on is no thing that is there, so tags have nothing to match.
    if conditions.expected.is_some() {
        conditions.hold_without_tag()?;
    }
    let hash = body.unwrap_or_default().parse()?;
    let patience = prefer.patience(&state.load, &caller);
    let Continued {
        operation,
        viewer_role,
        goes_on,
    } = state
        .usecases
        .continue_operation
        .run(&caller, OperationId::new(id), hash, key)
        .await?;
    let view = if goes_on {
        let waited = state
            .usecases
            .queries
            .wait_for(&caller, &operation, viewer_role, patience.wait);
        waited.await?.operation
    } else {
        operation
    };
    let operation = Operation::from(&view);
    let status = if goes_on && !view.phase.is_terminal() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    Ok((
        status,
        links::follow(&state, &operation),
        response::json(&operation),
    )
        .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(hash: &str) -> Result<Option<String>, Problem> {
        let request_hash = Some(hash.to_owned());
        ContinueOperation { request_hash }.parse()
    }

    #[test]
    fn a_hash_is_sixty_four_hexadecimal_digits_whatever_their_case() {
        let hash = "AB".repeat(32);
        assert_eq!(parsed(&hash).ok().flatten(), Some("ab".repeat(32)));
        for wrong in ["", "ab", &"ag".repeat(32), &"ab".repeat(33)] {
            let problem = parsed(wrong).expect_err(wrong);
            let pointer = problem.errors.first().map(|error| error.pointer.as_str());
            assert_eq!(pointer, Some("/requestHash"));
        }
    }
}
