//! What is known of a connection and of an operation: the rows of the record, parsed.

use super::{Code, FailureCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{ActorId, ConnectionId, OperationId, Person, TenantId};
use crate::domain::names::DataConnectionName;
use crate::domain::resource_id::{DataConnectionId, ResourceId};
use crate::domain::source::Source;
use crate::domain::state::{Desired, InFlight, Observed, OperationKind, Phase, State, derive};
use crate::domain::target::Target;
use crate::domain::words::words;

/// A connection that is about to be recorded, before anything is sent: it is wanted, and from the commit on it may be at ARM.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// This service's own id of it.
    pub id: ConnectionId,
    /// Its identity at ARM, as the caller wrote it.
    pub arm_id: DataConnectionId,
    /// The data connection's name.
    pub name: DataConnectionName,
    /// The tenant of the target's subscription.
    pub target_tenant: TenantId,
    /// The tenant of the source's subscription.
    pub source_tenant: TenantId,
    /// Where the events go.
    pub target: Target,
    /// Where they come from.
    pub source: Source,
    /// The cluster's region, as ARM named it.
    pub location: String,
    /// SHA-256 of the canonical request.
    pub request_hash: Vec<u8>,
    /// Who asked for it.
    pub created_by: ActorId,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When a read found nothing under its name.
    pub absent_at: DateTime<Utc>,
}

impl NewRecord {
    /// The resources that it touches.
    #[must_use]
    pub fn resources(&self) -> [ConnectionResource; 3] {
        let touched = |role, id: &ResourceId, tenant| ConnectionResource {
            role,
            id: id.clone(),
            tenant,
        };
        let database = &self.target.database;
        [
            touched("cluster", database.cluster().resource(), self.target_tenant),
            touched("database", database.resource(), self.target_tenant),
            touched(self.source.kind(), self.source.resource(), self.source_tenant),
        ]
    }
}

/// A resource that a connection touches.
#[derive(Debug, Clone)]
pub struct ConnectionResource {
    /// What it is to the connection: `cluster` and `database` receive the events, all others are of the source.
    pub role: &'static str,
    /// Which it is.
    pub id: ResourceId,
    /// The tenant of its subscription.
    pub tenant: TenantId,
}

/// A connection as this service recorded it.
#[derive(Debug, Clone)]
pub struct ConnectionRecord {
    /// This service's own id of it.
    pub id: ConnectionId,
    /// Its identity at ARM, as the caller wrote it.
    pub arm_id: DataConnectionId,
    /// The data connection's name.
    pub name: DataConnectionName,
    /// The tenant of the target's subscription.
    pub target_tenant: TenantId,
    /// The tenant of the source's subscription.
    pub source_tenant: TenantId,
    /// Where the events go.
    pub target: Target,
    /// Where they come from.
    pub source: Source,
    /// The cluster's region, as ARM named it.
    pub location: String,
    /// SHA-256 of the canonical request.
    pub request_hash: Vec<u8>,
    /// Who asked for it.
    pub created_by: ActorId,
    /// Who that is, where it was read and is not erased; none for those who may not know.
    pub creator: Option<KnownPerson>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// What is wanted.
    pub desired: Desired,
    /// What was last seen at ARM.
    pub observed: Observed,
    /// When that was.
    pub observed_at: DateTime<Utc>,
    /// When a read first found it at ARM.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When it became finally absent.
    pub closed_at: Option<DateTime<Utc>>,
    /// Why it is wanted, in the words of who asked.
    pub justification: Option<String>,
    /// Rises with each new revision and each new `found`.
    pub version: i32,
    /// What a read found at ARM although the record says otherwise.
    pub found: Option<FoundResource>,
    /// When a record that was closed with an unknown outcome of its create is rechecked.
    pub recheck_at: Option<DateTime<Utc>>,
    /// The newest operation; the running one, if there is one.
    pub last_operation: Option<OperationRecord>,
    /// The kind of an operation whose outcome no read has settled yet; another one may wait behind it.
    pub settling: Option<OperationKind>,
}

impl ConnectionRecord {
    /// The state that the API shows.
    #[must_use]
    pub fn state(&self) -> State {
        // Whatever else is under way: what may have been sent decides.
        let settling = self.settling.map(|kind| InFlight {
            kind,
            phase: Phase::Settling,
        });
        let last = self
            .last_operation
            .as_ref()
            .filter(|operation| !operation.phase.is_terminal())
            .map(|operation| InFlight {
                kind: operation.kind,
                phase: operation.phase,
            });
        derive(
            self.desired,
            self.observed,
            settling.or(last),
            self.confirmed_at.is_some(),
        )
    }
}

/// Who stands behind a pseudonym.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPerson {
    /// The account.
    pub person: Person,
    /// Its name for display, as its last recorded token had it.
    pub user_name: Option<String>,
}

/// What ARM holds under a connection's name when that is not what the record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundResource {
    /// The resource as ARM showed it, without the names of people; none for those who are not shown it.
    pub resource: Option<Value>,
    /// Where it differs from what is recorded: JSON pointers (RFC 6901) into it.
    pub differences: Vec<String>,
    /// When a read showed it.
    pub seen_at: DateTime<Utc>,
    /// Identifies this resource: what a caller accepts by naming it.
    pub fingerprint: String,
    /// Whether it was, or may have been, another creator's when this service's create replaced it.
    pub contested: bool,
}

/// An operation as it stands.
#[derive(Debug, Clone)]
pub struct OperationRecord {
    /// Its id.
    pub id: OperationId,
    /// The connection it changes.
    pub connection: ConnectionId,
    /// What it does.
    pub kind: OperationKind,
    /// How far it is.
    pub phase: Phase,
    /// Who asked for it.
    pub actor: ActorId,
    /// The app that asked in their name.
    pub app: Uuid,
    /// Sent to ARM as correlation id, so that both sides' logs meet.
    pub correlation_id: Uuid,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When its intent was committed: from then on the request may have left. What is recorded is Postgres's time.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// By when it should have ended.
    pub deadline_at: DateTime<Utc>,
    /// Why it failed, or what is known so far.
    pub failure: Option<Failure>,
    /// The token that it waits for, or waited for before a replica began to drive it.
    pub awaiting: Option<Awaiting>,
    /// Whether a replica is driving it at the moment.
    pub driven: bool,
    /// How many changes of the same cluster precede it in the queue; only if the operation itself was read.
    pub ahead: Option<u32>,
    /// SHA-256 of the request, in hexadecimal: a person who continues another person's operation names it.
    pub request_hash: String,
}

impl OperationRecord {
    /// Whether nothing changes by itself any more: it has ended, or waits for a caller.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.phase.is_terminal() || (self.awaiting.is_some() && !self.driven)
    }
}

/// A token that an operation waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaiting {
    /// The tenant that it must open.
    pub tenant: TenantId,
    /// The claims that its user must sign in with: the JSON text of the challenge that the service met, if one was.
    pub claims: Option<String>,
}

/// [`OperationRecord::request_hash`] of a removal, which is sent without a body: its connection is all that it names.
#[must_use]
pub fn removal_hash(connection: ConnectionId) -> String {
    let hash = Sha256::digest(format!("remove {connection}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same of one that names what was found at ARM, by its fingerprint: the person who continues it accepts that too.
#[must_use]
pub fn removal_of_found_hash(connection: ConnectionId, fingerprint: &str) -> Vec<u8> {
    Sha256::digest(format!("remove {connection} {fingerprint}")).to_vec()
}

impl From<TenantId> for Awaiting {
    fn from(tenant: TenantId) -> Self {
        Self { tenant, claims: None }
    }
}

/// Why an operation failed, in words that are safe to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Why.
    #[schema(value_type = FailureCode)]
    pub code: String,
    /// What happened, and how to fix it.
    pub detail: String,
    /// How what Azure holds compares with the record, where that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<ComparisonWord>)]
    pub comparison: Option<String>,
    /// What the service behind this one answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub upstream: Option<Upstream>,
    /// What fixes it, for the reader: only in a response to a read of the operation itself.
    // Not recorded: it depends on what the reader may know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub remedy: Option<String>,
}

impl Failure {
    /// A failure without an answer behind it.
    pub(crate) fn new(code: Code, detail: &str) -> Self {
        Self {
            code: code.as_str().to_owned(),
            detail: detail.to_owned(),
            comparison: None,
            upstream: None,
            remedy: None,
        }
    }
}

words! {
    /// How what Azure holds compares with the record.
    pub(crate) enum ComparisonWord {
        /// It is what is recorded.
        Same => "same",
        /// The recorded one, with other settings.
        Differs => "differs",
        /// Another kind, source or consumer group: another data connection under the same name.
        Replaced => "replaced",
        /// Nothing is there.
        Absent => "absent",
        /// It cannot be read.
        Unreadable => "unreadable",
    }
}

words! {
    /// A service that this one calls.
    pub(crate) enum UpstreamService {
        /// Azure Resource Manager.
        Arm => "arm",
        /// Microsoft Entra.
        Entra => "entra",
    }
}

/// An answer of Entra or Azure Resource Manager that a problem or failure goes back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upstream {
    /// Which service.
    #[schema(value_type = UpstreamService)]
    pub service: String,
    /// The HTTP status it answered, if it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status: Option<u16>,
    /// Its own error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// Its request id: what its support will ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request_id: Option<String>,
}
