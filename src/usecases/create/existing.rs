//! What a repeated create finds.

use crate::authz::Caller;
use crate::db::{connections, operations, principals};
use crate::domain::{Code, Desired, Error, NewConnection, OperationRecord, Phase, Refusal, State};
use crate::usecases::create::{Create, CreateCommand};
use crate::usecases::idempotency::Outcome;

/// The connection of the requested name, if there is one.
pub(super) enum Existing {
    Nothing,
    /// The caller's own, by the operation that creates it.
    Theirs(Box<OperationRecord>),
    /// Another person's: disclosed only to callers who may create there.
    Somebodys(Box<Refusal>),
}

impl Create {
    /// The caller's own connection of the name, for a caller who has every right that a create needs: that another person's exists is
    /// disclosed.
    pub(super) async fn known_to_the_permitted(
        &self,
        caller: &Caller,
        wanted: &CreateCommand,
    ) -> Result<Option<Outcome>, Error> {
        match self.existing(caller, wanted).await? {
            Existing::Nothing => Ok(None),
            Existing::Theirs(operation) => Ok(Some(Outcome::found(*operation))),
            Existing::Somebodys(refusal) => Err((*refusal).into()),
        }
    }

    /// Resumes a create that waits for a caller, if its actor repeats it. Outside of the database's deadline: Entra may take longer to
    /// exchange the tokens.
    pub(super) async fn provide_tokens(
        &self,
        caller: &Caller,
        operation: &OperationRecord,
    ) -> Result<(), Error> {
        if !waits(operation) || !self.queries.is_requester(caller, operation).await? {
            return Ok(());
        }
        let record = self.queries.find(caller, operation.connection).await?.record;
        // No token is sent to a tenant that is no longer allowed.
        if self.preflight.tenants.still_allowed(&record, true).is_err() {
            return Ok(());
        }
        self.driver.resume(operation, caller).await;
        Ok(())
    }

    /// The operation that creates the same connection for the same actor and request; a refusal for all others, which does not disclose
    /// whose it is.
    pub(super) async fn existing(&self, caller: &Caller, wanted: &CreateCommand) -> Result<Existing, Error> {
        self.db.read(async |db| {
let Some(record) = connections::find_open(db, &wanted.request.id()).await? else {
            return Ok(Existing::Nothing);
        };
        if record.found.as_ref().is_some_and(|found| found.contested) {
            let detail = "another person created a data connection of this name at the same time as this service; the connection's `found` shows what Azure holds, and a removal with its ETag in If-Match removes that";
            let refusal = Refusal::new(Code::Contested, detail).at(NewConnection::NAME_POINTER, detail);
            return Ok(Existing::Somebodys(Box::new(refusal)));
        }
        let same_actor = principals::find(db, caller.actor()).await? == Some(record.created_by);
        if !same_actor {
            let detail = "a connection of this name is recorded for this database";
            let refusal = Refusal::new(Code::ConnectionExists, detail).at(NewConnection::NAME_POINTER, detail);
            return Ok(Existing::Somebodys(Box::new(refusal)));
        }
        if record.request_hash != wanted.hash {
            let detail = format!(
                "you created this connection with another configuration; its id is {}",
                record.id
            );
            return Err(Refusal::new(Code::ConnectionExists, detail).into());
        }
        if record.state() == State::Missing {
            let detail = format!(
                "the connection {} is recorded, but Azure no longer has it; remove it (with recordOnly=true if another data connection has its name), then create it again",
                record.id
            );
            return Err(Refusal::new(Code::ConnectionExists, detail).into());
        }
        if record.desired == Desired::Absent {
            let detail = format!(
                "the connection {} is being removed; create it again when it is removed",
                record.id
            );
            return Err(Refusal::new(Code::ChangeInProgress, detail).into());
        }
        let create = operations::create_of(db, record.id).await?;
        // Its record is open because Azure may hold what it was to make. No key is to stand for it.
        if create.phase == Phase::Failed {
            let detail = format!(
                "the create of the connection {} failed or its outcome is unknown, and Azure may hold its data connection; remove the connection, then create it again",
                record.id
            );
            return Err(Refusal::new(Code::ConnectionExists, detail).into());
        }
        Ok(Existing::Theirs(Box::new(create)))
        }).await
    }
}

/// Whether an operation waits for a caller's token.
pub(in crate::usecases) fn waits(operation: &OperationRecord) -> bool {
    !operation.phase.is_terminal() && operation.awaiting.is_some()
}
