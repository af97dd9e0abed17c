//! `POST /v1/operations/{id}/continue`

use std::time::Duration;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{Code, FieldError, OperationId};
use crate::http::extract::{
    Authorized, Conditions, Idempotency, JsonIfAny, NoParameters, Path, Prefer, Query, Write,
};
use crate::http::openapi::{
    Answer, Answers, AuxiliaryHeader, ChangeResponses, ErrorCodes, ErrorResponses, IdempotencyKeyHeader,
    PreferHeader, examples,
};
use crate::http::v1::changed::Changed;
use crate::http::{AppState, Problem};
use crate::usecases::Continued;

/// How many hexadecimal digits a SHA-256 has.
const DIGITS: usize = 64;

/// Names the request of the operation that is continued.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ContinueOperation {
    /// The operation's `requestHash`. Required from a person other than its requester: it shows that they have read what they continue
    /// in their own name.
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

struct ContinueResponses;

impl ErrorCodes for ContinueResponses {
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

impl Answers for ContinueResponses {
    const ANSWERS: &'static [Answer] = &[
        Answer {
            status: 200,
            description: "It has ended, or did not wait for a caller",
            body: "Operation",
            headers: &["Operation-Location", "Retry-After"],
            example: || examples::succeeded("create"),
        },
        Answer {
            status: 202,
            description: "It runs",
            body: "Operation",
            headers: &["Operation-Location", "Retry-After"],
            example: examples::running,
        },
    ];
}

/// Continue an operation
///
/// Provides the caller's tokens, also for changes at Azure, to an operation that waits for some (`awaitingCaller`). Its requester needs
/// nothing else. Another person who may make the same change sends its `requestHash`, and the operation runs in that person's name
/// from then on. Insufficient tokens are rejected as at a create; where `awaiting` has `claims`, sign in with these first. An operation that
/// does not wait for a caller stays as it is.
#[utoipa::path(
    post,
    path = "/v1/operations/{id}/continue",
    operation_id = "continueOperation",
    tag = "operations",
    params(("id" = Uuid, Path, description = "The operation's id"), IdempotencyKeyHeader, PreferHeader, AuxiliaryHeader),
    request_body(content = ContinueOperation, description = "The request of the operation that is continued; its requester may omit it", example = json!(examples::continue_operation())),
    responses(
        ChangeResponses<ContinueResponses>,
        ErrorResponses<ContinueResponses>,
    )
)]
pub(crate) async fn continue_operation(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Write>,
    (Query(NoParameters {}), conditions): (Query<NoParameters>, Conditions),
    prefer: Prefer,
    Idempotency(key): Idempotency,
    Path(id): Path<Uuid>,
    JsonIfAny(body): JsonIfAny<ContinueOperation>,
) -> Result<Changed, Problem> {
    // There is no resource here that a tag could match.
    if conditions.expected.is_some() {
        conditions.hold_without_tag()?;
    }
    let hash = body.unwrap_or_default().parse()?;
    let allowed_wait = prefer.allowed_wait(&state.load, &caller);
    let Continued {
        operation,
        viewer_role,
        resumed,
    } = state
        .usecases
        .continue_operation
        .run(&caller, OperationId::new(id), hash, key)
        .await?;
    let wait = if resumed {
        allowed_wait.wait
    } else {
        Duration::ZERO
    };
    let view = state
        .usecases
        .queries
        .wait_for(&caller, &operation, viewer_role, wait)
        .await?;
    let view = state.usecases.remedies.explain(&caller, view).await.operation;
    let status = if resumed && !view.phase.is_terminal() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    Ok(Changed::operation(&state, status, &view))
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
