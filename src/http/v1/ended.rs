//! The problem for a change that ended without its effect.

use axum::response::{IntoResponse, Response};

use crate::domain::{Code, OperationKind, OperationRecord};
use crate::http::entity_tag::EntityTag;
use crate::http::{AppState, Problem, links};
use crate::usecases::OperationView;

/// The failures of a removal that have a code of their own: what Azure holds, or where it is held, contradicts the record.
const OWN_CODES: [Code; 3] = [Code::Drifted, Code::Contested, Code::ParentMissing];

/// The response to a change that failed: the connection's tag, where the operation is read, and the problem.
pub(super) fn response(state: &AppState, view: &OperationView) -> Option<Response> {
    let problem = problem(&view.operation)?;
    let followed = links::follow(state, &view.operation);
    Some((EntityTag::of(&view.connection), followed, problem).into_response())
}

fn problem(operation: &OperationRecord) -> Option<Problem> {
    let failure = operation
        .failure
        .as_ref()
        .filter(|_| operation.phase.is_terminal())?;
    let code = match operation.kind {
        OperationKind::Create => Code::CreateFailed,
        OperationKind::Remove => OWN_CODES
            .into_iter()
            .find(|code| failure.code == code.as_str())
            .unwrap_or(Code::RemoveFailed),
    };
    Some(Problem {
        connection_id: Some(operation.connection.uuid()),
        operation_id: Some(operation.id.uuid()),
        upstream: failure.upstream.clone(),
        cause: Some(failure.code.clone()),
        remedy: failure.remedy.clone(),
        comparison: failure.comparison.clone(),
        ..Problem::new(code, failure.detail.clone())
    })
}
