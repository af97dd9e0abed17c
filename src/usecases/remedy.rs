//! What fixes a change that failed: the failure as it is recorded, with a sentence for the caller who reads it.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::authz::Caller;
use crate::db::connections;
use crate::domain::{Code, ConnectionId, ConnectionRecord, Error, Failure, OperationKind, Source};
use crate::usecases::queries::{OperationView, Queries};

/// How Kusto says that another data connection reads the event hub with the consumer group (recorded ARM traffic).
const ALREADY_USED: &str = "consumer group tuple provided are already used";

/// How Kusto says that the table does not exist.
const NO_TABLE: &str = "table does not exist";

/// How long a response waits for the names of other connections. Without them the failure is returned all the same.
const NAMES_WITHIN: Duration = Duration::from_secs(2);

/// Says what fixes failed changes. Cheap to clone.
#[derive(Clone)]
pub struct Remedies {
    pub(super) queries: Queries,
}

impl Remedies {
    /// Adds to the failure of an operation what fixes it, as far as this caller may know.
    pub async fn explain(&self, caller: &Caller, mut view: OperationView) -> OperationView {
        let is_over = view.operation.phase.is_terminal();
        if let Some(failure) = view.operation.failure.as_mut().filter(|_| is_over) {
            let remedy = if failure.detail.contains(ALREADY_USED) {
                let readers = timeout(NAMES_WITHIN, self.readers_beside(caller, &view.connection)).await;
                let readers = readers.ok().and_then(Result::ok).unwrap_or_default();
                of_used_source(&view.connection.source, &readers)
            } else {
                general(view.operation.kind, failure).to_owned()
            };
            let is_open = view.connection.closed_at.is_none();
            failure.remedy = Some(if is_open && blocks_its_repeat(view.operation.kind, failure) {
                format!(
                    "First remove the connection {}: Azure may hold its data connection. {remedy}",
                    view.connection.id
                )
            } else {
                remedy
            });
        }
        view
    }

    /// The other connections of the same cluster that read the same source with the same consumer group, and that the caller sees.
    async fn readers_beside(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
    ) -> Result<Vec<ConnectionRecord>, Error> {
        let queries = &self.queries;
        let ids = queries
            .db
            .read(async |db| Ok(connections::readers_beside(db, record).await?));
        let checks = ids.await?.into_iter().map(|id| self.as_seen(caller, id));
        Ok(join_all(checks).await.into_iter().flatten().collect())
    }

    /// A connection as the caller sees it, if they do.
    async fn as_seen(&self, caller: &Caller, id: ConnectionId) -> Option<ConnectionRecord> {
        let queries = &self.queries;
        let found = queries.find(caller, id).await.ok()?;
        let side = queries.visibility.viewer_role(caller, &found).await.ok()??;
        Some(side.redact(caller, found))
    }
}

/// Whether the request of a failed create is refused for as long as the record is open, and the usual remedy does not say so.
fn blocks_its_repeat(kind: OperationKind, failure: &Failure) -> bool {
    let says_so = [Code::Contested, Code::Drifted].map(Code::as_str);
    kind == OperationKind::Create && !says_so.contains(&failure.code.as_str())
}

fn of_used_source(source: &Source, readers: &[ConnectionRecord]) -> String {
    let Source::EventHub(hub) = source;
    let (hub, group) = (hub.hub.name(), &hub.consumer_group);
    match readers {
        [] => format!(
            "Another data connection of this cluster reads the event hub {hub} with the consumer group {group}: have it removed, or send the request with a consumer group that nothing else reads with."
        ),
        readers => {
            let named: Vec<String> = readers
                .iter()
                .map(|reader| format!("{} ({})", reader.name, reader.id))
                .collect();
            format!(
                "The connection {} reads the event hub {hub} with the consumer group {group}: remove it, or send the request with a consumer group that nothing else reads with.",
                named.join(", ")
            )
        }
    }
}

/// What usually fixes a failure of this code.
fn general(kind: OperationKind, failure: &Failure) -> &'static str {
    let is = |code: Code| failure.code == code.as_str();
    if failure.detail.contains(NO_TABLE) {
        return "Create the table in the database, or correct `target.table`; then send the request again, with a new Idempotency-Key.";
    }
    match kind {
        _ if is(Code::Contested) => {
            "Agree with the person who created what Azure holds. Who wants it gone removes the connection with its ETag in If-Match."
        }
        _ if is(Code::Drifted) => {
            "Read the connection's `found`. Who wants that gone removes the connection with its ETag in If-Match; who wants only the record closed, with recordOnly=true."
        }
        OperationKind::Remove if is(Code::ParentMissing) => {
            "If the database is gone for good, remove the connection with recordOnly=true; otherwise request the removal again when the database can be read."
        }
        OperationKind::Remove => {
            "Fix what Azure's answer in `upstream` names, then request the removal again; with an Idempotency-Key, with a new one."
        }
        OperationKind::Create if is(Code::ParentMissing) => {
            "Check that the database of `target.database` exists and can be read; then send the request again, with a new Idempotency-Key."
        }
        OperationKind::Create if is(Code::NameTaken) => "Send the request with another name.",
        OperationKind::Create if is(Code::NotSent) => {
            "Nothing reached Azure. If the connection is still wanted, send the request again, with a new Idempotency-Key."
        }
        OperationKind::Create => {
            "Fix what the detail and Azure's answer in `upstream` name, then send the request again, with a new Idempotency-Key."
        }
    }
}
