//! What a repeated create finds.

use crate::authz::Caller;
use crate::db::{connections, operations, principals};
use crate::domain::{Code, Desired, Error, OperationRecord, Refusal, State};
use crate::usecases::create::{Create, CreateCommand, Created};
use crate::usecases::idempotency::Replay;

/// The connection of the requested name, if there is one.
pub(crate) enum ExistingConnection {
    Nothing,
    /// The caller's own.
    Theirs(Box<Created>),
    /// Another person's: disclosed only to callers who may create there.
    Somebodys(Box<Refusal>),
}

enum Existing {
    Nothing,
    Theirs(Box<OperationRecord>),
    Somebodys(Box<Refusal>),
}

impl Create {
    /// The result of the first create with the same key; otherwise the connection recorded under the name, which the key stands for from
    /// then on.
    pub(crate) async fn find_existing(
        &self,
        caller: &Caller,
        wanted: &CreateCommand,
    ) -> Result<ExistingConnection, Error> {
        if let Some(keyed) = &wanted.keyed
            && let Some(replay) = self.keys.replay(caller, keyed).await?
        {
            let created = self.replayed(caller, replay).await?;
            return Ok(ExistingConnection::Theirs(Box::new(created)));
        }
        let operation = match self.existing(caller, wanted).await? {
            Existing::Nothing => return Ok(ExistingConnection::Nothing),
            Existing::Somebodys(refusal) => return Ok(ExistingConnection::Somebodys(refusal)),
            Existing::Theirs(operation) => *operation,
        };
        let Replay { operation, began } = match &wanted.keyed {
            Some(keyed) => self.keys.attach_key(caller, keyed, operation).await?,
            None => Replay {
                operation,
                began: false,
            },
        };
        Ok(ExistingConnection::Theirs(Box::new(Created { operation, began })))
    }

    /// The same for a caller who has every right that a create needs: another person's connection is disclosed.
    pub(crate) async fn known_to_the_permitted(
        &self,
        caller: &Caller,
        wanted: &CreateCommand,
    ) -> Result<Option<Created>, Error> {
        match self.find_existing(caller, wanted).await? {
            ExistingConnection::Nothing => Ok(None),
            ExistingConnection::Theirs(created) => Ok(Some(*created)),
            ExistingConnection::Somebodys(refusal) => Err((*refusal).into()),
        }
    }

    /// Answers a repeat from the operation that its key stands for, as long as the caller may see it. Nothing is sent.
    async fn replayed(&self, caller: &Caller, replay: Replay) -> Result<Created, Error> {
        let Replay { operation, began } = replay;
        self.queries.connection(caller, operation.connection).await?;
        Ok(Created { operation, began })
    }

    /// Resumes a create that waits for a caller with the tokens of its actor's repeat. Outside of the database's deadline: Entra may take
    /// longer to exchange them.
    pub(crate) async fn resume_waiting(&self, caller: &Caller, created: &Created) -> Result<(), Error> {
        let operation = &created.operation;
        if !waits(operation) || !self.queries.is_requester(caller, operation).await? {
            return Ok(());
        }
        let record = self.queries.find(caller, operation.connection).await?.record;
        // No token is sent to a tenant that is no longer allowed.
        if self.preflight.tenants.still_allowed(&record, true).is_err() {
            return Ok(());
        }
        self.driver.resume(operation, caller).await
    }

    /// The operation that creates the same connection for the same actor and request; a refusal for all others, which does not disclose
    /// whose it is.
    async fn existing(&self, caller: &Caller, wanted: &CreateCommand) -> Result<Existing, Error> {
        self.db.read(async |db| {
let Some(record) = connections::find_open(db, &wanted.request.id()).await? else {
            return Ok(Existing::Nothing);
        };
        if record.found.as_ref().is_some_and(|found| found.contested) {
            let detail = "another person created a data connection of this name at the same time as this service; the connection's `found` shows what Azure holds, and a removal with its ETag in If-Match removes that";
            let refusal = Refusal::new(Code::Contested, detail).at("/name", detail);
            return Ok(Existing::Somebodys(Box::new(refusal)));
        }
        let same_actor = principals::find(db, caller.actor()).await? == Some(record.created_by);
        if !same_actor {
            let detail = "a connection of this name is recorded for this database";
            let refusal = Refusal::new(Code::ConnectionExists, detail).at("/name", detail);
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
        Ok(Existing::Theirs(Box::new(create)))
        }).await
    }
}

/// Whether an operation waits for a caller's token.
pub(in crate::usecases) fn waits(operation: &OperationRecord) -> bool {
    !operation.phase.is_terminal() && operation.awaiting.is_some()
}
