//! What a repeated create finds.

use crate::authz::Caller;
use crate::db::connections;
use crate::db::operations;
use crate::db::principals;
use crate::domain::Code;
use crate::domain::Desired;
use crate::domain::Error;
use crate::domain::OperationRecord;
use crate::domain::Refusal;
use crate::domain::State;
use crate::operations::driver::Lending;
use crate::usecases::create::Create;
use crate::usecases::create::CreateCommand;
use crate::usecases::create::Created;
use crate::usecases::idempotency::Replay;

/// What is known of a wanted connection.
pub(crate) enum ExistingConnection {
    Nothing,
    /// The caller made it.
    Theirs(Box<Created>),
    /// Somebody else made it: for those alone who may make one there themselves.
    Somebodys(Box<Refusal>),
}

enum Existing {
    Nothing,
    Theirs(Box<OperationRecord>),
    Somebodys(Box<Refusal>),
}

impl Create {
    /// What the first create with the same key led to; else what is recorded under the connection's name, for which the key
    /// stands from then on.
    pub(crate) async fn known(
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
            Some(keyed) => self.keys.bind(caller, keyed, operation).await?,
            None => Replay {
                operation,
                began: false,
            },
        };
        Ok(ExistingConnection::Theirs(Box::new(Created { operation, began })))
    }

    /// The same once the caller was found to have every right that a create needs: they may be told of what is somebody else's.
    pub(crate) async fn known_to_the_permitted(
        &self,
        caller: &Caller,
        wanted: &CreateCommand,
    ) -> Result<Option<Created>, Error> {
        match self.known(caller, wanted).await? {
            ExistingConnection::Nothing => Ok(None),
            ExistingConnection::Theirs(created) => Ok(Some(*created)),
            ExistingConnection::Somebodys(refusal) => Err((*refusal).into()),
        }
    }

    /// Nothing is asked or sent for a key that stands for something: what it led to is the answer, as long as the caller may
    /// see it.
    async fn replayed(&self, caller: &Caller, replay: Replay) -> Result<Created, Error> {
        let Replay { operation, began } = replay;
        // As long as they may see it.
        self.queries.connection(caller, operation.connection).await?;
        Ok(Created { operation, began })
    }

    /// Lends the tokens of a repeated create to whatever of its connection waits for some. Apart from what the database is asked,
    /// which has to answer within two seconds: Entra may take longer to say whether they open the target.
    pub(crate) async fn lend_tokens(&self, caller: &Caller, created: &Created) -> Result<(), Error> {
        let record = self
            .queries
            .find(caller, created.operation.connection)
            .await?
            .record;
        // No token leaves for a tenant that is no longer allowed.
        if self.preflight.tenants.still_allowed(&record, true).is_err() {
            return Ok(());
        }
        if waits(&created.operation) || record.last_operation.as_ref().is_some_and(waits) {
            // Whoever asks again for what they asked for themselves goes on with it.
            self.driver
                .resume(&record, caller, Lending::Write(created.operation.id))
                .await?;
        }
        Ok(())
    }

    /// The operation that makes the same connection for the same actor and request; a refusal for all others, which tells them
    /// nothing of whose it is.
    async fn existing(&self, caller: &Caller, wanted: &CreateCommand) -> Result<Existing, Error> {
        self.db.read(async |db| {
let Some(record) = connections::find_open(db, &wanted.request.id()).await? else {
            return Ok(Existing::Nothing);
        };
        if record.found.as_ref().is_some_and(|found| found.contested) {
            let detail = "somebody else made a data connection of this name at the same time as this service; whoever may see the connection finds there what Azure holds, and can remove it with its ETag in If-Match";
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
                "you made this connection with another configuration; it is {}",
                record.id
            );
            return Err(Refusal::new(Code::ConnectionExists, detail).into());
        }
        if record.state() == State::Missing {
            let detail = format!(
                "the connection {} is recorded, but Azure no longer has it; remove it (with recordOnly=true if something else has its name), then create it anew",
                record.id
            );
            return Err(Refusal::new(Code::ConnectionExists, detail).into());
        }
        if record.desired == Desired::Absent {
            let detail = format!(
                "the connection {} is being removed; create it anew when it is gone",
                record.id
            );
            return Err(Refusal::new(Code::ChangeInProgress, detail).into());
        }
        let create = operations::create_of(db, record.id).await?;
        Ok(Existing::Theirs(Box::new(create)))
        }).await
    }
}

/// Whether an operation waits for somebody's token.
pub(in crate::usecases) fn waits(operation: &OperationRecord) -> bool {
    !operation.phase.is_terminal() && operation.awaiting.is_some()
}
