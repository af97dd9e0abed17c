//! What a repeated create finds.

use super::{Created, Wanted};
use crate::broker::idempotency::Replay;
use crate::broker::refusal::{BrokerError, Refusal};
use crate::broker::vault::Use;
use crate::broker::{Broker, Caller};
use crate::connection::{Code, Desired, OperationRecord, State};
use crate::db::{DbError, connections, operations, people};

impl Broker {
    /// What the first create with the same key led to; else what is recorded under the connection's name, for which the key
    /// stands from then on.
    pub(super) async fn known(
        &self,
        caller: &Caller,
        wanted: &Wanted,
    ) -> Result<Option<Created>, BrokerError> {
        if let Some(keyed) = &wanted.keyed
            && let Some(replay) = self.replay(caller, keyed).await?
        {
            return self.replayed(caller, replay).await.map(Some);
        }
        let Some(operation) = self.existing(caller, wanted).await? else {
            return Ok(None);
        };
        let Replay { operation, began } = match &wanted.keyed {
            Some(keyed) => self.bind(caller, keyed, operation).await?,
            None => Replay {
                operation,
                began: false,
            },
        };
        Ok(Some(Created { operation, began }))
    }

    /// Nothing is asked or sent for a key that stands for something: what it led to is the answer, as long as the caller may
    /// see it.
    async fn replayed(&self, caller: &Caller, replay: Replay) -> Result<Created, BrokerError> {
        let Replay { operation, began } = replay;
        let record = self.connection(caller, operation.connection).await?;
        if waits(&operation) || record.last_operation.as_ref().is_some_and(waits) {
            self.take_up(record.id, caller, Use::Read).await?;
        }
        Ok(Created { operation, began })
    }

    /// The operation that makes the same connection for the same actor and request; a refusal for all others, which tells them
    /// nothing of whose it is.
    async fn existing(
        &self,
        caller: &Caller,
        wanted: &Wanted,
    ) -> Result<Option<OperationRecord>, BrokerError> {
        let mut db = self.pool.acquire().await.map_err(DbError::from)?;
        let Some(record) = connections::find_open(&mut db, &wanted.request.id()).await? else {
            return Ok(None);
        };
        let same_actor = people::find(&mut db, caller.actor()).await? == Some(record.created_by);
        if !same_actor {
            let detail = "a connection of this name is recorded for this database";
            return Err(Refusal::new(Code::ConnectionExists, detail)
                .at("/name", detail)
                .into());
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
                "the connection {} is recorded, but Azure no longer has it; remove the record, then create it anew",
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
        let create = operations::create_of(&mut db, record.id).await?;
        drop(db);
        if record.last_operation.as_ref().is_some_and(waits) {
            self.take_up(record.id, caller, Use::Read).await?;
        }
        Ok(Some(create))
    }
}

/// Whether an operation waits for somebody's token.
fn waits(operation: &OperationRecord) -> bool {
    !operation.phase.is_terminal() && operation.awaiting.is_some()
}
