//! The answer to a change.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::domain::OperationRecord;
use crate::http::entity_tag::EntityTag;
use crate::http::models::{Connection, Operation};
use crate::http::{AppState, links, response};
use crate::usecases::OperationView;

/// What was changed as it stands now, and where the change is followed. [`crate::http::openapi::ChangeResponses`] describes it.
pub(crate) struct Changed {
    status: StatusCode,
    tag: Option<EntityTag>,
    headers: HeaderMap,
    body: Response,
}

impl Changed {
    /// A connection, and the operation that changes it.
    pub(super) fn connection(state: &AppState, status: StatusCode, view: &OperationView) -> Self {
        Self {
            tag: Some(EntityTag::of(&view.connection)),
            body: response::json(&Connection::of(&view.connection, &state.tenant_names)),
            ..Self::operation(state, status, &view.operation)
        }
    }

    /// An operation alone.
    pub(super) fn operation(state: &AppState, status: StatusCode, operation: &OperationRecord) -> Self {
        Self {
            status,
            tag: None,
            headers: links::follow(state, operation),
            body: response::json(&Operation::of(operation, &state.tenant_names)),
        }
    }

    /// With the place where the connection is read.
    pub(super) fn at(mut self, link: &str) -> Self {
        if let Ok(location) = HeaderValue::from_str(link) {
            self.headers.insert(header::LOCATION, location);
        }
        self
    }
}

impl IntoResponse for Changed {
    fn into_response(self) -> Response {
        (self.status, self.tag, self.headers, self.body).into_response()
    }
}
