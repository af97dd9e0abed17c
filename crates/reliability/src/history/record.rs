//! What a history is made of: what callers asked and were answered, what reached Azure and what it carried out, and what the
//! service recorded. The checker knows nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::client::FAILED;

/// A person by tenant and object id: `<tid>/<oid>`.
pub type Who = String;

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Every call of every caller, in the order of their answers.
    pub calls: Vec<Call>,
    /// Every PUT and DELETE of a data connection that reached ARM, in order of arrival.
    pub sent: Vec<Sent>,
    /// What Azure carried out, or tried to.
    pub changes: Vec<Change>,
    /// The ids of the data connections that are there, in lower case.
    pub world: BTreeSet<String>,
    /// The ledger, in its order.
    pub events: Vec<Event>,
    /// The table of operations.
    pub operations: Vec<Operation>,
    /// The table of connections.
    pub connections: Vec<Connection>,
    /// Who stands behind a pseudonym.
    pub people: Vec<Pseudonym>,
    /// Callers whose tokens died in the middle of it.
    pub revoked: BTreeSet<Who>,
    /// Callers who never came back to what waits for them.
    pub gone: BTreeSet<Who>,
    /// What strangers did to the names that callers use, in its order.
    pub strangers: Vec<Meddled>,
    /// What reads of data connections showed, in the order of their arrival.
    pub reads: Vec<Read>,
    /// When a replica was frozen, from and to.
    pub frozen: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

/// A stranger made a data connection; what had its name before is gone.
#[derive(Debug, Clone)]
pub struct Meddled {
    /// When.
    pub at: DateTime<Utc>,
    /// The data connection's id, in lower case.
    pub arm_id: String,
}

/// A read of a data connection that was answered.
#[derive(Debug, Clone)]
pub struct Read {
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// When it was answered.
    pub answered_at: DateTime<Utc>,
    /// The data connection's id, in lower case.
    pub arm_id: String,
    /// In whose name.
    pub who: Who,
    /// What it showed.
    pub shown: Shown,
}

/// What a read showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// That there is nothing of the name.
    Nothing,
    /// What a stranger made.
    Theirs,
    /// Anything else.
    Ours,
}

/// A call of a caller.
#[derive(Debug, Clone)]
pub struct Call {
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long its answer took, or was waited for.
    pub took: Duration,
    /// Who called.
    pub who: Who,
    /// At which replica.
    pub replica: usize,
    /// What was asked.
    pub wish: Wish,
    /// What was answered; nothing if no answer came.
    pub reply: Option<Reply>,
}

/// What a caller asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A connection with this id at ARM, in lower case, by this body.
    Create {
        /// The data connection's id, in lower case.
        arm_id: String,
        /// The body as it is sent.
        body: String,
        /// The idempotency key.
        key: Option<String>,
    },
    /// The end of a connection.
    Remove {
        /// Which.
        connection: Uuid,
        /// The idempotency key.
        key: Option<String>,
    },
    /// How far an operation is.
    Look {
        /// Which.
        operation: Uuid,
    },
    /// That an operation goes on.
    Continue {
        /// Which.
        operation: Uuid,
    },
}

/// An answer, as far as it matters.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The connection that it names.
    pub connection: Option<Uuid>,
    /// The operation that it names.
    pub operation: Option<Uuid>,
    /// How far the operation is.
    pub progress: String,
    /// The problem's code.
    pub code: String,
    /// When to ask again, in seconds.
    pub retry_after: Option<u64>,
}

impl Reply {
    /// Whether the service took on what was asked, even if it has failed by now.
    #[must_use]
    pub fn is_taken_on(&self) -> bool {
        (200..300).contains(&self.status) || FAILED.contains(&self.code.as_str())
    }
}

/// Whose a data connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The service made it.
    Service,
    /// A stranger did, at that time.
    Stranger(DateTime<Utc>),
}

/// A request to change a data connection that reached ARM.
#[derive(Debug, Clone)]
pub struct Sent {
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// `PUT` or `DELETE`.
    pub method: String,
    /// The data connection's id, in lower case.
    pub arm_id: String,
    /// The correlation id that went with it.
    pub correlation: String,
    /// In whose name.
    pub who: Who,
    /// In whose names for other tenants.
    pub auxiliary: Vec<Who>,
    /// ARM's status; 0 if the line was cut before.
    pub status: u16,
    /// Whether the answer went out.
    pub delivered: bool,
    /// When it was dealt with, whether or not somebody waited for that.
    pub answered_at: DateTime<Utc>,
}

/// A change that Azure carried out, or tried to.
#[derive(Debug, Clone)]
pub struct Change {
    /// Whether it made a new one, changed one that was there, or removed one.
    pub kind: ChangeKind,
    /// The data connection's id, in lower case.
    pub arm_id: String,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it was over.
    pub ended: DateTime<Utc>,
}

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// A new one.
    Create,
    /// Another PUT of one that is there.
    Update,
    /// The end of one.
    Delete,
}

/// An event of the ledger.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    /// Its place.
    pub sequence: i64,
    /// Its kind's word.
    pub kind: String,
    /// The operation it is of.
    pub operation_id: Option<Uuid>,
    /// The connection it is of.
    pub connection_id: Option<Uuid>,
    /// In whose name.
    pub person_id: Option<Uuid>,
    /// When its transaction was committed, by Postgres.
    pub committed_at: DateTime<Utc>,
}

/// A row of `operations`.
#[derive(Debug, Clone, Deserialize)]
pub struct Operation {
    /// Its id.
    pub id: Uuid,
    /// The connection it is of.
    pub connection_id: Uuid,
    /// `create` or `remove`.
    pub kind: String,
    /// How far it is.
    pub phase: String,
    /// Who asked for it.
    pub person_id: Uuid,
    /// What ARM is told with each request of it.
    pub correlation_id: Uuid,
    /// The tenant whose token it waits for.
    pub awaiting_tenant_id: Option<Uuid>,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<serde_json::Value>,
}

impl Operation {
    /// The code of its failure, if it has one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.error.as_ref()?.get("code")?.as_str()
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase.as_str(), "succeeded" | "failed")
    }
}

/// A row of `connections`.
#[derive(Debug, Clone, Deserialize)]
pub struct Connection {
    /// Its id.
    pub id: Uuid,
    /// The data connection's id, in lower case.
    pub arm_id: String,
    /// What is wanted.
    pub desired: String,
    /// What was seen.
    pub observed: String,
    /// When it became finally absent.
    pub closed_at: Option<DateTime<Utc>>,
    /// When a read first confirmed that it is there as it was asked for.
    #[serde(default)]
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// A row of `people`.
#[derive(Debug, Clone, Deserialize)]
pub struct Pseudonym {
    /// The pseudonym.
    pub id: Uuid,
    /// The person's tenant.
    pub tenant_id: Uuid,
    /// The person there.
    pub object_id: Uuid,
}

impl History {
    /// Who stands behind a pseudonym.
    #[must_use]
    pub fn person(&self, id: Uuid) -> Option<Who> {
        let row = self.people.iter().find(|row| row.id == id)?;
        Some(format!("{}/{}", row.tenant_id, row.object_id))
    }

    /// Whose the data connection of a name is at a moment; nothing if there is none.
    #[must_use]
    pub fn owner(&self, arm_id: &str, at: DateTime<Utc>) -> Option<Owner> {
        let theirs = self.strangers.iter().filter(|one| one.arm_id == arm_id);
        let theirs = theirs.map(|one| (one.at, Some(Owner::Stranger(one.at))));
        let ours = self.changes.iter().filter(|one| one.arm_id == arm_id);
        let ours = ours.map(|one| match one.kind {
            // Until it is over it is shown as one that is being removed.
            ChangeKind::Delete => (one.started, None),
            ChangeKind::Create | ChangeKind::Update => (one.started, Some(Owner::Service)),
        });
        let before = theirs.chain(ours).filter(|(when, _)| *when < at);
        before.max_by_key(|(when, _)| *when).and_then(|(_, owner)| owner)
    }

    /// Whether strangers made something of this name.
    #[must_use]
    pub fn is_meddled_with(&self, arm_id: &str) -> bool {
        self.strangers.iter().any(|one| one.arm_id == arm_id)
    }

    /// Whether a replica was frozen at any time of this span: what it sends when it wakes was decided on before.
    #[must_use]
    pub fn was_frozen(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        self.frozen
            .iter()
            .any(|(began, ended)| *began <= to && *ended >= from)
    }

    /// Whether a create of a connection was seen at Azure after its record had been closed.
    #[must_use]
    pub fn has_appeared(&self, connection: Uuid) -> bool {
        let of_it = |event: &&Event| event.kind == "create.appeared";
        self.events
            .iter()
            .filter(of_it)
            .filter_map(|event| self.operation(event.operation_id?))
            .any(|operation| operation.connection_id == connection)
    }

    /// An operation by its id.
    #[must_use]
    pub fn operation(&self, id: Uuid) -> Option<&Operation> {
        self.operations.iter().find(|row| row.id == id)
    }

    /// A connection by its id.
    #[must_use]
    pub fn connection(&self, id: Uuid) -> Option<&Connection> {
        self.connections.iter().find(|row| row.id == id)
    }

    /// The events of an operation, in order.
    pub fn events_of(&self, operation: Uuid) -> impl Iterator<Item = &Event> {
        self.events
            .iter()
            .filter(move |event| event.operation_id == Some(operation))
    }
}
