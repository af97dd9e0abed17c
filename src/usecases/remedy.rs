//! What fixes a change that failed: the failure as it is recorded, with a sentence for the caller who reads it.

use crate::authz::Caller;
use crate::db::connections;
use crate::domain::{Code, ConnectionRecord, Error, Failure, OperationKind, Source};
use crate::usecases::queries::{OperationView, Queries};

/// How Kusto says that another data connection reads the event hub with the consumer group (recorded ARM traffic).
const ALREADY_USED: &str = "consumer group tuple provided are already used";

/// How Kusto says that the table does not exist.
const NO_TABLE: &str = "table does not exist";

impl Queries {
    /// Adds to the failure of an operation what fixes it, as far as this caller may know.
    pub async fn with_remedy(&self, caller: &Caller, mut view: OperationView) -> OperationView {
        let is_over = view.operation.phase.is_terminal();
        if let Some(failure) = view.operation.failure.as_mut().filter(|_| is_over) {
            let remedy = if failure.detail.contains(ALREADY_USED) {
                // Without an answer, the failure is told all the same.
                let readers = self.readers_beside(caller, &view.connection).await;
                of_used_source(&view.connection.source, &readers.unwrap_or_default())
            } else {
                general(view.operation.kind, failure).to_owned()
            };
            failure.remedy = Some(remedy);
        }
        view
    }

    /// The other connections of the same cluster that read the same source with the same consumer group, and that the caller sees.
    async fn readers_beside(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
    ) -> Result<Vec<ConnectionRecord>, Error> {
        let ids = self
            .db
            .read(async |db| Ok(connections::readers_beside(db, record).await?));
        let mut seen = Vec::new();
        for id in ids.await? {
            let found = self.find(caller, id).await?;
            if let Ok(Some(side)) = self.visibility.viewer_role(caller, &found).await {
                seen.push(side.redact(caller, found));
            }
        }
        Ok(seen)
    }
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
