//! The `details` of ledger events: a type for each shape, which the OpenAPI document shows. A member that does not apply is absent.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::connection::LedgerConnection;
use crate::arm::CallReport;
use crate::domain::{
    ActorId, ComparisonWord, ConnectionRecord, EventKind, Failure, FailureCode, FoundResource, MissingKind,
    ProblemCode, State, TenantId, Upstream,
};

/// As the ledger stores it. Details hold only what JSON can express.
pub(crate) fn json(details: &impl Serialize) -> Value {
    serde_json::to_value(details).unwrap_or_default()
}

/// The name of the shape that events of a kind have.
pub(crate) const fn shape_of(kind: EventKind) -> &'static str {
    match kind {
        EventKind::CreateRefused | EventKind::RemoveRefused | EventKind::ContinueRefused => "RefusalDetails",
        EventKind::CreateIntended | EventKind::CreateQueued => "CreateIntentDetails",
        EventKind::CreateRepeated => "CreateRepeatedDetails",
        EventKind::CreateAccepted | EventKind::RemoveAccepted => "AcceptedDetails",
        EventKind::CreateSucceeded => "CreateSucceededDetails",
        EventKind::CreateAppeared => "CreateAppearedDetails",
        EventKind::CreateFailed | EventKind::RemoveFailed | EventKind::CreateHeld | EventKind::RemoveHeld => {
            "FailureDetails"
        }
        EventKind::RemoveIntended | EventKind::RemoveQueued | EventKind::RemoveRepeated => {
            "RemovalIntentDetails"
        }
        EventKind::RemoveSucceeded => "RemoveSucceededDetails",
        EventKind::OperationContinued => "ContinuedDetails",
        EventKind::ChangeDeferred => "DeferredDetails",
        EventKind::OutcomeUnknown => "OutcomeUnknownDetails",
    }
}

/// The schemas of all shapes, and of what they hold.
pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut all = Vec::new();
    add::<RefusalDetails>(&mut all);
    add::<CreateIntentDetails>(&mut all);
    add::<CreateRepeatedDetails>(&mut all);
    add::<AcceptedDetails>(&mut all);
    add::<CreateSucceededDetails>(&mut all);
    add::<CreateAppearedDetails>(&mut all);
    add::<FailureDetails>(&mut all);
    add::<RemovalIntentDetails>(&mut all);
    add::<RemoveSucceededDetails>(&mut all);
    add::<ContinuedDetails>(&mut all);
    add::<DeferredDetails>(&mut all);
    add::<OutcomeUnknownDetails>(&mut all);
    all
}

fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// Why a request was refused before anything was sent: `create.refused`, `remove.refused`, `continue.refused`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefusalDetails {
    /// The data connection's resource id in lower case; absent if the request could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) arm_id: Option<String>,
    /// The code of the problem.
    #[schema(value_type = ProblemCode)]
    pub(crate) code: String,
    /// The access that was missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) missing: Vec<MissingAccess>,
    /// The members of the request that were wrong, as JSON pointers or names of headers and parameters, at most 20; never their values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) pointers: Vec<String>,
    /// What the service behind this one answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) upstream: Option<Upstream>,
    /// How many refusals of the same person were not recorded before this one, because there were too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) left_out_before: Option<u64>,
}

/// Access that was missing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MissingAccess {
    /// In which tenant.
    #[schema(value_type = uuid::Uuid)]
    pub(crate) tenant: TenantId,
    /// What was missing.
    pub(crate) kind: MissingKind,
}

/// What a create sends, committed before it is sent: `create.intended`, `create.queued`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateIntentDetails {
    /// The data connection's resource id in lower case.
    pub(crate) arm_id: String,
    /// The source's resource id in lower case.
    pub(crate) source_id: String,
    /// The api-version of the request.
    pub(crate) api_version: String,
    /// SHA-256 of the body that is sent, in hexadecimal: the operation's `requestHash`.
    pub(crate) body_sha256: String,
    /// When a read found that nothing had the name.
    pub(crate) absence_seen_at: DateTime<Utc>,
    /// The tenant whose token goes into `Authorization`.
    #[schema(value_type = uuid::Uuid)]
    pub(crate) primary_tenant: TenantId,
    /// The tenants whose tokens go with it.
    #[schema(value_type = Vec<uuid::Uuid>)]
    pub(crate) auxiliary_tenants: Vec<TenantId>,
    /// The people whose tokens the requester added, by pseudonym. Only when the create is requested.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, value_type = Vec<uuid::Uuid>)]
    pub(crate) participants: Vec<ActorId>,
    /// SHA-256 over a salt and the justification, in hexadecimal. Only when the create is requested with one, and not for the source's
    /// tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    pub(crate) justification_hash: Option<Value>,
}

/// A create that had no effect so far is sent again: `create.repeated`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateRepeatedDetails {
    /// When a read found once more that nothing had the name.
    pub(crate) absence_seen_at: DateTime<Utc>,
    /// How often it was sent before.
    pub(crate) dispatches: i32,
}

/// Azure took the change: `create.accepted`, `remove.accepted`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AcceptedDetails {
    /// The HTTP status that Azure answered.
    pub(crate) status: u16,
    /// Azure's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) arm_request_id: Option<String>,
    /// How long Azure took to answer, in milliseconds.
    pub(crate) duration_ms: u64,
    /// Of a removal: whether the source's token went with it, because Azure demanded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) with_auxiliary: Option<bool>,
    /// Where what was found at Azure differs from the record, as JSON pointers into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) differences: Option<Vec<String>>,
    /// SHA-256 of what was found, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) fingerprint: Option<String>,
}

/// A read confirmed the data connection: `create.succeeded`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateSucceededDetails {
    /// The state that Azure shows of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) provisioning_state: Option<String>,
    /// From when on events are read, as Azure shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) retrieval_start_date: Option<DateTime<Utc>>,
}

/// A closed create took effect late: `create.appeared`. There is nothing more to say.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreateAppearedDetails {}

/// Why a change ended, or why Azure did not take it: `create.failed`, `remove.failed`, `create.held`, `remove.held`. Azure's code, never
/// its sentence, which may name people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailureDetails {
    /// The code of the failure; `claimsChallenge` where a create is held.
    #[schema(value_type = FailureCode)]
    pub(crate) code: String,
    /// How what Azure holds compares with the record, where that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<ComparisonWord>)]
    pub(crate) comparison: Option<String>,
    /// What the service behind this one answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) upstream: Option<Upstream>,
    /// Where what was found at Azure differs from the record, as JSON pointers into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) differences: Option<Vec<String>>,
    /// SHA-256 of what was found, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) fingerprint: Option<String>,
}

/// A removal, committed before it is sent: `remove.intended`, `remove.queued`, `remove.repeated`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemovalIntentDetails {
    /// The data connection's resource id in lower case.
    pub(crate) arm_id: String,
    /// The api-version of the request.
    pub(crate) api_version: String,
    /// The tenant whose token goes into `Authorization`.
    #[schema(value_type = uuid::Uuid)]
    pub(crate) primary_tenant: TenantId,
    /// The connection's state before.
    pub(crate) state_before: State,
    /// SHA-256 of what the caller saw at Azure and named as what is to be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) accepted_fingerprint: Option<String>,
    /// Where what was found at Azure differs from the record, as JSON pointers into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) differences: Option<Vec<String>>,
    /// SHA-256 of what was found, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) fingerprint: Option<String>,
}

/// The connection is removed: `remove.succeeded`. Which members are there says how that is known.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemoveSucceededDetails {
    /// Its create was never sent, so nothing had to be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) never_made: Option<bool>,
    /// A read found nothing, while the database could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) database_read: Option<bool>,
    /// Another data connection has had the name since.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) replaced_since: Option<bool>,
    /// Only the record was closed, and nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) record_only: Option<bool>,
    /// The connection's state before, where only the record was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) state_before: Option<State>,
    /// How what Azure held compared with the record, where only that was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) comparison: Option<ComparisonWord>,
    /// Where it differed, as JSON pointers into the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) differences: Option<Vec<String>>,
}

/// A caller provided tokens to an operation that waited: `operation.continued`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContinuedDetails {
    /// SHA-256 of the operation's request, in hexadecimal.
    pub(crate) request_hash: String,
    /// The tenants whose tokens it waited for.
    #[schema(value_type = Vec<uuid::Uuid>)]
    pub(crate) awaited_tenants: Vec<TenantId>,
    /// In whose name it ran before, by pseudonym.
    #[schema(value_type = uuid::Uuid)]
    pub(crate) actor_before: ActorId,
    /// The people whose tokens the caller added, by pseudonym.
    #[schema(value_type = Vec<uuid::Uuid>)]
    pub(crate) participants: Vec<ActorId>,
}

/// Azure did nothing and wants the same asked later: `change.putOff`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeferredDetails {
    /// Azure's own error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) code: Option<String>,
    /// The HTTP status that Azure answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) status: Option<u16>,
    /// How long the change waits, in milliseconds.
    pub(crate) wait_ms: u64,
}

/// The change may or may not have happened: `outcome.unknown`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutcomeUnknownDetails {
    /// Why that is not known.
    pub(crate) reason: String,
}

/// The details of a create's intent.
pub(crate) fn create_intent<'a>(
    connection: impl Into<LedgerConnection<'a>>,
    body_hash: &str,
    absent_at: DateTime<Utc>,
    api_version: &str,
) -> CreateIntentDetails {
    let connection = connection.into();
    CreateIntentDetails {
        arm_id: connection.arm_id.resource().canonical().to_owned(),
        source_id: connection.source.canonical().to_owned(),
        api_version: api_version.to_owned(),
        body_sha256: body_hash.to_owned(),
        absence_seen_at: absent_at,
        primary_tenant: connection.target_tenant,
        auxiliary_tenants: auxiliary_tenants(connection),
        participants: Vec::new(),
        justification_hash: None,
    }
}

pub(crate) fn removal_intent(record: &ConnectionRecord, api_version: &str) -> RemovalIntentDetails {
    RemovalIntentDetails {
        arm_id: record.arm_id.resource().canonical().to_owned(),
        api_version: api_version.to_owned(),
        primary_tenant: record.target_tenant,
        state_before: record.state(),
        accepted_fingerprint: None,
        differences: None,
        fingerprint: None,
    }
}

impl RemovalIntentDetails {
    /// With what was found that differs from the record.
    pub(crate) fn beside(self, found: Option<&FoundResource>) -> Self {
        Self {
            differences: found.map(|found| found.differences.clone()),
            fingerprint: found.map(|found| found.fingerprint.clone()),
            ..self
        }
    }
}

/// Azure's answer when it took a change. `found` is what a removal deletes, if it differs from the record.
pub(crate) fn accepted(status: u16, call: &CallReport, found: Option<&FoundResource>) -> AcceptedDetails {
    AcceptedDetails {
        status,
        arm_request_id: call.request_id.clone(),
        duration_ms: milliseconds(call.duration),
        with_auxiliary: None,
        differences: found.map(|found| found.differences.clone()),
        fingerprint: found.map(|found| found.fingerprint.clone()),
    }
}

pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A failure, and what was found if that is why.
pub(crate) fn failure(failure: &Failure, found: Option<&FoundResource>) -> FailureDetails {
    FailureDetails {
        code: failure.code.clone(),
        comparison: failure.comparison.clone(),
        upstream: failure.upstream.clone(),
        differences: found.map(|found| found.differences.clone()),
        fingerprint: found.map(|found| found.fingerprint.clone()),
    }
}

/// The source's tenant, where it is another: ARM wants no auxiliary token of the primary one.
fn auxiliary_tenants(connection: LedgerConnection<'_>) -> Vec<TenantId> {
    if connection.target_tenant == connection.source_tenant {
        Vec::new()
    } else {
        vec![connection.source_tenant]
    }
}
