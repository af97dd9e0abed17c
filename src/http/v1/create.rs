//! `POST /v1/connections`

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::{Code, FieldError, NewConnection, Phase, Target, TargetSettings};
use crate::http::extract::{
    Authorized, Conditions, Create, Idempotency, Json, NoParameters, Prefer, Query, field, optional,
};
use crate::http::models::CreateSource;
use crate::http::openapi::{
    Answer, Answers, AuxiliaryHeader, ChangeResponses, ErrorCodes, ErrorResponses, IdempotencyKeyHeader,
    PreferHeader, examples,
};
use crate::http::v1::changed::Changed;
use crate::http::v1::ended;
use crate::http::{AppState, Problem, links};
use crate::usecases::IdempotencyKey;
use crate::visibility::ViewerRole;

/// The longest justification, in characters.
const LONGEST_JUSTIFICATION: usize = 2000;

/// What is to be connected to what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateConnection {
    /// The data connection's name: 1 to 40 letters, digits, hyphens, spaces and periods.
    #[schema(
        example = "telemetry",
        max_length = 40,
        pattern = r"^(\.[ .]*)?[A-Za-z0-9-]([A-Za-z0-9 .-]*[A-Za-z0-9.-])?$"
    )]
    name: String,
    /// Where the events go.
    target: CreateTarget,
    /// Where the events come from.
    source: CreateSource,
    /// Why it is wanted, for those who will ask: shown to the people who requested the connection or a change of it, and to callers who see it from the
    /// target's side: an account of the target's tenant that took part in it or has `Connections.Read.All` there, and callers who
    /// may read the data connection at Azure. Not shown to others of the source's tenant, to callers who see it by the event hub,
    /// and to operators; the ledger contains only a salted hash of it.
    #[serde(default)]
    #[schema(
        nullable = false,
        max_length = 2000,
        pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
    )]
    justification: Option<String>,
}

/// Where the events go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateTarget {
    /// The database's resource id.
    #[schema(
        max_length = 2048,
        pattern = r"^/subscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/resourceGroups/\w[\w().-]{0,89}/providers/Microsoft\.Kusto/clusters/\w[\w-]{0,62}/databases/\w([\w .-]{0,258}[\w-])?$",
        example = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1/databases/telemetry"
    )]
    database: String,
    /// The table; without one, each event must name its own.
    #[serde(default)]
    #[schema(
        nullable = false,
        example = "Events",
        max_length = 1024,
        pattern = r"^[\w.-]([\w .-]*[\w.-])?$"
    )]
    table: Option<String>,
    /// The ingestion mapping of that table.
    #[serde(default)]
    #[schema(
        nullable = false,
        example = "EventsMapping",
        max_length = 1024,
        pattern = r"^[\w.-]([\w .-]*[\w.-])?$"
    )]
    mapping: Option<String>,
    /// The format of the events, in any case.
    #[serde(default)]
    #[schema(
        nullable = false,
        example = "JSON",
        pattern = "^(MULTIJSON|JSON|CSV|TSV|SCSV|SOHSV|PSV|TXT|SINGLEJSON|AVRO|TSVE|PARQUET|ORC|APACHEAVRO|W3CLOGFILE|AZMONSTREAM)$"
    )]
    data_format: Option<String>,
}

impl CreateConnection {
    /// Parses every member, and returns all mistakes at once.
    fn parse(self) -> Result<NewConnection, Problem> {
        let mut errors = Vec::new();
        let name = field(&mut errors, NewConnection::NAME_POINTER, &self.name);
        let database = field(&mut errors, Target::DATABASE_POINTER, &self.target.database);
        let table = optional(&mut errors, "/target/table", self.target.table.as_deref());
        let mapping = optional(&mut errors, "/target/mapping", self.target.mapping.as_deref());
        let data_format = optional(
            &mut errors,
            "/target/dataFormat",
            self.target.data_format.as_deref(),
        );
        let source = self.source.parse(&mut errors);
        if let Some(detail) = self.justification.as_deref().and_then(wrong_justification) {
            errors.push(FieldError {
                pointer: "/justification".to_owned(),
                detail,
            });
        }
        match (name, database, source) {
            (Some(name), Some(database), Some(source)) if errors.is_empty() => Ok(NewConnection {
                name,
                target: Target {
                    database,
                    settings: TargetSettings {
                        table,
                        mapping,
                        data_format,
                    },
                },
                source,
                justification: self.justification,
            }),
            _ => Err(Problem::invalid(errors)),
        }
    }
}

/// What is wrong with a justification, if anything.
fn wrong_justification(text: &str) -> Option<String> {
    let is_wrong = |character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t');
    if text.chars().count() > LONGEST_JUSTIFICATION {
        Some(format!("has more than {LONGEST_JUSTIFICATION} characters"))
    } else if text.contains(is_wrong) {
        Some("holds control characters".to_owned())
    } else {
        None
    }
}

struct CreateResponses;

impl ErrorCodes for CreateResponses {
    const CODES: &'static [Code] = &[
        Code::TenantNotAllowed,
        Code::AzureRefused,
        Code::PreconditionFailed,
        Code::NameTaken,
        Code::ConnectionExists,
        Code::Contested,
        Code::ChangeInProgress,
        Code::RequestTimeout,
        Code::PayloadTooLarge,
        Code::UnsupportedMediaType,
        Code::ReferenceNotFound,
        Code::IdempotencyKeyReused,
        Code::CreateFailed,
    ];
}

impl Answers for CreateResponses {
    const ANSWERS: &'static [Answer] = &[
        Answer {
            status: 200,
            description: "The connection stands already, made by the same request",
            body: "Connection",
            headers: &["ETag", "Operation-Location", "Location"],
            example: examples::active,
        },
        Answer {
            status: 201,
            description: "The connection was made: by this request, or by the first one with its `Idempotency-Key`",
            body: "Connection",
            headers: &["ETag", "Operation-Location", "Location"],
            example: examples::active,
        },
        Answer {
            status: 202,
            description: "The connection is being made: see `lastOperation`",
            body: "Connection",
            headers: &["ETag", "Operation-Location", "Location", "Retry-After"],
            example: examples::creating,
        },
    ];
}

/// Create a connection
///
/// Exchanges the caller's tokens for tokens of both tenants, checks what can be checked, records the intent and sends the data
/// connection to Azure. The response is 201 if Azure finishes within `Prefer: wait=n` (seconds), otherwise 202: follow
/// `Operation-Location`. A create that fails meanwhile is 422 `createFailed`, with its operation and what fixes it; so is a repeat with
/// its `Idempotency-Key`, while a new key tries again, once a connection that Azure may hold is removed (409 `connectionExists`). Repeating a create that runs or has succeeded returns the same connection. With an `Idempotency-Key`, a
/// repeat returns the same connection and operation even after the connection was removed: nothing is created again.
#[utoipa::path(
    post,
    path = "/v1/connections",
    operation_id = "createConnection",
    tag = "connections",
    params(IdempotencyKeyHeader, PreferHeader, AuxiliaryHeader),
    request_body(content = CreateConnection, description = "What is to be connected to what", example = json!(examples::create())),
    responses(
        ChangeResponses<CreateResponses>,
        ErrorResponses<CreateResponses>,
    )
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Create>,
    parameters: Result<Query<NoParameters>, Problem>,
    conditions: Result<Conditions, Problem>,
    prefer: Prefer,
    key: Result<Idempotency, Problem>,
    body: Result<Json<CreateConnection>, Problem>,
) -> Result<Response, Problem> {
    let conditions = conditions.and_then(|conditions| conditions.hold_without_tag());
    let request = body.and_then(|Json(body)| body.parse());
    let (key, request) = match join_errors(parameters, conditions, key, request) {
        Ok(parsed) => parsed,
        Err(problem) => {
            let recorder = &state.usecases.recorder;
            recorder
                .record_unusable_create(&caller, &problem.code, &problem.errors)
                .await;
            return Err(problem);
        }
    };
    let allowed_wait = prefer.allowed_wait(&state.load, &caller);
    let created = state.usecases.create.run(&caller, request, key).await?;
    let view = state
        .usecases
        .queries
        .wait_for(&caller, &created.operation, ViewerRole::Actor, allowed_wait.wait)
        .await?;
    let view = state.usecases.remedies.explain(&caller, view).await;
    if let Some(failed) = ended::response(&state, &view) {
        return Ok(failed);
    }
    // How the create ended, whatever has become of the connection since.
    let status = match (view.operation.phase, created.began) {
        (Phase::Succeeded, true) => StatusCode::CREATED,
        (Phase::Succeeded, false) => StatusCode::OK,
        _ => StatusCode::ACCEPTED,
    };
    let link = links::to(&state, &format!("/v1/connections/{}", view.connection.id));
    Ok(Changed::connection(&state, status, &view)
        .at(&link)
        .into_response())
}

/// Key and request, or all that is wrong with what came: what keeps it from being read at all before what is wrong in it.
fn join_errors(
    parameters: Result<Query<NoParameters>, Problem>,
    conditions: Result<(), Problem>,
    key: Result<Idempotency, Problem>,
    request: Result<NewConnection, Problem>,
) -> Result<(Option<IdempotencyKey>, NewConnection), Problem> {
    match (parameters, conditions, key, request) {
        (Ok(_), Ok(()), Ok(Idempotency(key)), Ok(request)) => Ok((key, request)),
        (parameters, conditions, key, request) => {
            let problems = [parameters.err(), key.err(), request.err(), conditions.err()];
            let (invalid, other): (Vec<Problem>, Vec<Problem>) = problems
                .into_iter()
                .flatten()
                .partition(|problem| problem.code == Code::InvalidRequest.as_str());
            let errors = invalid.into_iter().flat_map(|problem| problem.errors);
            Err(other
                .into_iter()
                .next()
                .unwrap_or_else(|| Problem::invalid(errors.collect())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_example_is_a_good_request() {
        let request: CreateConnection =
            serde_json::from_value(examples::create()).expect("the shape is right");
        assert!(request.parse().is_ok());
    }

    #[test]
    fn everything_that_is_wrong_with_a_request_is_told_at_once() {
        let body = r#"{"name":"a/b","target":{"database":"/subscriptions/x","table":" ","dataFormat":"RAW"},
            "source":{"eventHub":{"resourceId":"nothing","consumerGroup":"$Other"}},"justification":"a\u0000b"}"#;
        let request: CreateConnection = serde_json::from_str(body).expect("the shape is right");
        let problem = request.parse().expect_err("the values are wrong");
        let pointers: Vec<&str> = problem
            .errors
            .iter()
            .map(|error| error.pointer.as_str())
            .collect();
        assert_eq!(
            pointers,
            [
                "/name",
                "/target/database",
                "/target/table",
                "/target/dataFormat",
                "/source/eventHub/resourceId",
                "/source/eventHub/consumerGroup",
                "/justification"
            ]
        );
        assert_eq!(problem.status, 400);
    }
}
