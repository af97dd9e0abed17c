//! The bodies of responses. Members that don't apply are absent, never null, so that generated clients stay simple.

mod source;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) use source::CreateSource;

use source::ConnectionSource;

use crate::domain::{ConnectionRecord, Failure, OperationKind, OperationRecord, Phase, State};

/// A connection as this service recorded it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection {
    /// This service's id of it.
    id: Uuid,
    /// The data connection's name.
    name: String,
    /// How it stands.
    state: State,
    /// The data connection's resource id at Azure.
    resource_id: String,
    /// Where the events go.
    target: ConnectionTarget,
    /// Where the events come from.
    source: ConnectionSource,
    /// Its requester: the pseudonym that the ledger uses.
    created_by: Uuid,
    /// When it was requested.
    created_at: DateTime<Utc>,
    /// When a read last confirmed `state` at Azure.
    observed_at: DateTime<Utc>,
    /// Why it is wanted: shown to the people who requested the connection or a change of it, and to callers who see it from the
    /// target's side: an account of the target's tenant that took part in it or has `Connections.Read.All` there, and callers who
    /// may read the data connection at Azure. Not shown to others of the source's tenant, to callers who see it by the event hub,
    /// and to operators; the ledger contains only a salted hash of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    justification: Option<String>,
    /// What Azure holds under the name although the record differs. The ETag names it: a removal with that in `If-Match` removes exactly
    /// this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    found: Option<FoundResource>,
    /// The newest operation: the running one, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_operation: Option<Operation>,
}

/// What a read found at Azure that differs from the record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FoundResource {
    /// The data connection as Azure showed it, without the names of people; absent for those who see the connection from the
    /// source's side.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Object)]
    resource: Option<serde_json::Value>,
    /// Where it differs from what is recorded: JSON pointers (RFC 6901) into `resource`.
    differences: Vec<String>,
    /// When it was seen.
    seen_at: DateTime<Utc>,
}

/// Where the events go.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConnectionTarget {
    /// The tenant of the cluster's subscription, according to Azure.
    tenant_id: Uuid,
    /// The database's resource id.
    database: String,
    /// The cluster's region.
    location: String,
    /// The table; absent if each event names its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    table: Option<String>,
    /// The ingestion mapping of that table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    mapping: Option<String>,
    /// The format of the events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    data_format: Option<String>,
}

/// One change of one connection, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    /// This service's id of it.
    pub(super) id: Uuid,
    /// The connection that it changes.
    connection_id: Uuid,
    /// What it does.
    kind: OperationKind,
    /// Its progress.
    pub(super) status: OperationStatus,
    /// When it was requested.
    created_at: DateTime<Utc>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    finished_at: Option<DateTime<Utc>>,
    /// The tenant whose token the operation waits for, while `status` is `awaitingCaller`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    awaiting_tenant_id: Option<Uuid>,
    /// How many changes of the same cluster precede it in the queue: a cluster processes one at a time. Only in a response to a read of
    /// the operation itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    changes_ahead: Option<u32>,
    /// The claims that the sign-in to that tenant requires, as JSON text: pass them on unchanged, as `claims` of the sign-in. Absent if
    /// no particular claims are required.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    awaiting_claims: Option<String>,
    /// SHA-256 of the request, in hexadecimal: a person who continues another person's operation sends it to `continue`.
    request_hash: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<Failure>,
}

/// The progress of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum OperationStatus {
    /// Recorded; nothing was sent to Azure yet.
    NotStarted,
    /// Running.
    Running,
    /// Waits for a token of the tenant that `awaitingTenantId` names: `POST …/continue` provides it, and so does repeating the request.
    AwaitingCaller,
    /// It may or may not have happened; reads will decide.
    Unsettled,
    /// Completed.
    Succeeded,
    /// Ended without the change; `error` has the reason.
    Failed,
}

impl OperationStatus {
    pub(super) const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

impl Operation {
    /// What a reader who waits for a change compares: the other members follow from these or never change.
    pub(super) fn standing(&self) -> impl Serialize + use<> {
        let error = self.error.as_ref().map(|error| error.code.clone());
        (
            self.id,
            self.status,
            self.awaiting_tenant_id,
            self.awaiting_claims.clone(),
            error,
        )
    }
}

impl From<&OperationRecord> for Operation {
    fn from(record: &OperationRecord) -> Self {
        let status = match record.phase {
            Phase::Succeeded => OperationStatus::Succeeded,
            Phase::Failed => OperationStatus::Failed,
            // A running operation does not wait for a caller, whatever it waited for before.
            _ if record.awaiting.is_some() && !record.driven => OperationStatus::AwaitingCaller,
            Phase::Queued => OperationStatus::NotStarted,
            Phase::Dispatched | Phase::Accepted => OperationStatus::Running,
            Phase::Settling => OperationStatus::Unsettled,
        };
        let awaiting = record
            .awaiting
            .as_ref()
            .filter(|_| status == OperationStatus::AwaitingCaller);
        Self {
            id: record.id.uuid(),
            connection_id: record.connection.uuid(),
            kind: record.kind,
            status,
            created_at: record.created_at,
            finished_at: record.finished_at,
            awaiting_tenant_id: awaiting.map(|awaiting| awaiting.tenant.uuid()),
            changes_ahead: record.ahead.filter(|_| status == OperationStatus::NotStarted),
            awaiting_claims: awaiting.and_then(|awaiting| awaiting.claims.clone()),
            request_hash: record.request_hash.clone(),
            error: record
                .failure
                .clone()
                .filter(|_| status != OperationStatus::Succeeded),
        }
    }
}

impl From<&ConnectionRecord> for Connection {
    fn from(record: &ConnectionRecord) -> Self {
        let text = |name: &crate::domain::EntityName| name.as_str().to_owned();
        let settings = &record.target.settings;
        Self {
            id: record.id.uuid(),
            name: record.name.to_string(),
            state: record.state(),
            resource_id: record.arm_id.to_string(),
            target: ConnectionTarget {
                tenant_id: record.target_tenant.uuid(),
                database: record.target.database.to_string(),
                location: record.location.clone(),
                table: settings.table.as_ref().map(text),
                mapping: settings.mapping.as_ref().map(text),
                data_format: settings.data_format.map(|format| format.as_str().to_owned()),
            },
            source: ConnectionSource::from(record),
            created_by: record.created_by.uuid(),
            created_at: record.created_at,
            observed_at: record.observed_at,
            justification: record.justification.clone(),
            found: record.found.as_ref().map(|found| FoundResource {
                resource: found.resource.clone(),
                differences: found.differences.clone(),
                seen_at: found.seen_at,
            }),
            last_operation: record.last_operation.as_ref().map(Operation::from),
        }
    }
}
