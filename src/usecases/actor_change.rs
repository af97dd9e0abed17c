//! Records that a caller continues an operation that waits for one, and is its recorded actor from then on.

use crate::ledger::details::{self, ContinuedDetails};
use sqlx::PgConnection;

use crate::authz::Caller;
use crate::db::connections::ConnectionRole;
use crate::db::{connections, ledger_events, operations};
use crate::domain::{Code, ConnectionRecord, Error, EventKind, OperationRecord, Refusal};
use crate::ledger::recorder::Recorder;

/// Records the operation's actor and the ledger event. Returns the operation in the caller's name.
///
/// # Errors
/// [`Code::ChangeInProgress`] when it no longer waits as it was `seen` to.
pub(crate) async fn record(
    db: &mut PgConnection,
    recorder: &Recorder,
    connection: &ConnectionRecord,
    seen: &OperationRecord,
    caller: &Caller,
) -> Result<OperationRecord, Error> {
    let actor = recorder.ensure_actor(db, caller).await?;
    // People are locked first, as everywhere.
    recorder.participants(db, caller).await?;
    connections::lock(db, seen.connection).await?;
    let continued = operations::continue_as(db, seen.id, seen.actor, actor, caller.app()).await?;
    if !continued {
        let detail = "the operation ended, or another person continued it, at the same moment; read it again";
        return Err(Refusal::new(Code::ChangeInProgress, detail).into());
    }
    let operation = OperationRecord {
        actor,
        app: caller.app(),
        ..seen.clone()
    };
    // The caller sees the connection from now on; a person of the source's tenant without its justification.
    let part = if caller.actor().tenant == connection.target_tenant {
        ConnectionRole::Actor
    } else {
        ConnectionRole::Participant
    };
    let participants = recorder
        .record_people(db, seen.connection, (actor, part), caller)
        .await?;
    let details = details::json(&ContinuedDetails {
        request_hash: seen.request_hash.clone(),
        awaited_tenants: seen.awaiting.iter().map(|awaiting| awaiting.tenant).collect(),
        actor_before: seen.actor,
        participants,
    });
    let mut event = recorder.event(EventKind::OperationContinued, connection, &operation, details);
    event.request_id = Some(caller.request_id().to_owned());
    ledger_events::append(db, &event).await?;
    Ok(operation)
}
