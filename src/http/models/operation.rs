//! One change of one connection, as responses show it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::authz::TenantNames;
use crate::domain::words::words;
use crate::domain::{Awaiting, Failure, OperationKind, OperationRecord, Phase};

/// One change of one connection, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Operation {
    /// This service's id of it.
    id: Uuid,
    /// The connection that it changes.
    connection_id: Uuid,
    /// What it does.
    kind: OperationKind,
    /// Its progress.
    status: OperationStatus,
    /// When it was requested.
    created_at: DateTime<Utc>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    finished_at: Option<DateTime<Utc>>,
    /// What the operation waits for, while `status` is `awaitingCaller`: all of it is needed before it continues.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    awaiting: Vec<AwaitedToken>,
    /// How many changes of the same cluster precede it in the queue: a cluster processes one at a time. Only in a response to a read of
    /// the operation itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    changes_ahead: Option<u32>,
    /// SHA-256 of the request, in hexadecimal: a person who continues another person's operation sends it to `continue`.
    request_hash: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<Failure>,
}

/// A user token that an operation waits for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AwaitedToken {
    /// The tenant of the token.
    tenant_id: Uuid,
    /// That tenant's name, if this service's configuration has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant_name: Option<String>,
    /// Why the operation does not continue without it.
    reason: AwaitingReason,
    /// The claims that the sign-in to that tenant requires, as JSON text: pass them on unchanged, as `claims` of the sign-in. Absent if
    /// no particular claims are required.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    claims: Option<String>,
}

words! {
    /// Why an operation waits for a user token.
    enum AwaitingReason {
        /// The service has no token of that tenant, or not one that is accepted: `POST …/continue` provides it, and so does repeating the
        /// request.
        TokenMissing => "tokenMissing",
        /// The tenant requires more proof of its user: sign in with `claims`, and continue with the new token.
        Claims => "claims",
        /// Reserved: no person of the source's tenant has joined the operation yet. This version never sends it.
        #[expect(dead_code, reason = "documented now, so that clients expect it; nobody can join yet")]
        NotJoined => "notJoined",
    }
}

words! {
    /// The progress of an operation.
    pub(in crate::http) enum OperationStatus {
        /// Recorded; nothing was sent to Azure yet.
        NotStarted => "notStarted",
        /// It is sent to Azure, or followed there.
        Running => "running",
        /// Waits for the user tokens that `awaiting` names: `POST …/continue` provides them, and so does repeating the request.
        AwaitingCaller => "awaitingCaller",
        /// It may or may not have happened; reads will decide.
        Unsettled => "unsettled",
        /// Completed. Final.
        Succeeded => "succeeded",
        /// Ended without the change; `error` has the reason. Final.
        Failed => "failed",
    }
}

impl OperationStatus {
    /// The status of an operation.
    pub(in crate::http) fn of(record: &OperationRecord) -> Self {
        match record.phase {
            Phase::Succeeded => Self::Succeeded,
            Phase::Failed => Self::Failed,
            // A running operation does not wait for a caller, whatever it waited for before.
            _ if record.awaiting.is_some() && !record.driven => Self::AwaitingCaller,
            Phase::Queued => Self::NotStarted,
            Phase::Dispatched | Phase::Accepted => Self::Running,
            Phase::Settling => Self::Unsettled,
        }
    }

    pub(in crate::http) const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

impl Operation {
    /// An operation as it stands.
    pub(in crate::http) fn of(record: &OperationRecord, names: &TenantNames) -> Self {
        let status = OperationStatus::of(record);
        Self {
            id: record.id.uuid(),
            connection_id: record.connection.uuid(),
            kind: record.kind,
            status,
            created_at: record.created_at,
            finished_at: record.finished_at,
            awaiting: awaited(record, status)
                .map(|awaited| AwaitedToken {
                    tenant_id: awaited.tenant.uuid(),
                    tenant_name: names.of(awaited.tenant),
                    reason: match awaited.claims {
                        Some(_) => AwaitingReason::Claims,
                        None => AwaitingReason::TokenMissing,
                    },
                    claims: awaited.claims.clone(),
                })
                .into_iter()
                .collect(),
            changes_ahead: record.ahead.filter(|_| status == OperationStatus::NotStarted),
            request_hash: record.request_hash.clone(),
            error: record
                .failure
                .clone()
                .filter(|_| status != OperationStatus::Succeeded),
        }
    }
}

/// What a reader who waits for a change compares: the other members follow from these or never change.
pub(in crate::http) fn standing(record: &OperationRecord) -> impl Serialize + use<'_> {
    let status = OperationStatus::of(record);
    let awaited = awaited(record, status).map(|awaited| (awaited.tenant.uuid(), awaited.claims.as_deref()));
    let failure = record.failure.as_ref();
    let failure = failure.filter(|_| status != OperationStatus::Succeeded);
    (
        record.id.uuid(),
        status,
        awaited,
        failure.map(|failure| failure.code.as_str()),
    )
}

fn awaited(record: &OperationRecord, status: OperationStatus) -> Option<&Awaiting> {
    record
        .awaiting
        .as_ref()
        .filter(|_| status == OperationStatus::AwaitingCaller)
}
