//! Reads: what a caller may see of connections, operations and the ledger. Nothing here writes to ARM.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::refusal::{BrokerError, Refusal};
use super::vault::Use;
use super::{Broker, Caller};
use crate::connection::{Code, ConnectionId, ConnectionRecord, OperationId, OperationKind, OperationRecord};
use crate::db::{DbError, connections, leases, ledger_events, operations, people};
use crate::ledger::RecordedEvent;

/// The scopes of which one lets an app read in a user's name.
const SCOPE_READ: &str = "Connections.Read";

/// How often a waiter looks at the database, for the case that another replica ends the operation.
const WAIT_LOOK: Duration = Duration::from_millis(500);

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// The connections, newest first.
    pub connections: Vec<ConnectionRecord>,
    /// Where the next page begins; none on the last.
    pub next: Option<ConnectionId>,
}

/// A page of a connection's events.
#[derive(Debug)]
pub struct EventsPage {
    /// The events, oldest first.
    pub events: Vec<RecordedEvent>,
    /// Where the next page begins; none on the last.
    pub next: Option<i64>,
}

/// An operation and the connection it changes.
#[derive(Debug)]
pub struct OperationView {
    /// The operation.
    pub operation: OperationRecord,
    /// Its connection.
    pub connection: ConnectionRecord,
}

impl Broker {
    /// A connection that the caller may see.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none, or not for them: the two can't be told apart.
    pub async fn connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
    ) -> Result<ConnectionRecord, BrokerError> {
        demand_read(caller)?;
        let mut db = self.pool.acquire().await.map_err(DbError::from)?;
        let Some(viewer) = people::find(&mut db, caller.actor()).await? else {
            return Err(not_found("connection"));
        };
        connections::find_visible(&mut db, id, viewer)
            .await?
            .ok_or_else(|| not_found("connection"))
    }

    /// The connections that the caller may see, newest first, older than `before`.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn connections(
        &self,
        caller: &Caller,
        before: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Page, BrokerError> {
        demand_read(caller)?;
        let mut db = self.pool.acquire().await.map_err(DbError::from)?;
        let Some(viewer) = people::find(&mut db, caller.actor()).await? else {
            return Ok(Page {
                connections: Vec::new(),
                next: None,
            });
        };
        // One more than asked for tells whether there is another page.
        let mut connections =
            connections::list_visible(&mut db, viewer, before, i64::from(limit) + 1).await?;
        let more = connections.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        connections.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = if more {
            connections.last().map(|record| record.id)
        } else {
            None
        };
        Ok(Page { connections, next })
    }

    /// A connection's part of the ledger, after a place in it.
    ///
    /// # Errors
    /// As [`Broker::connection`].
    pub async fn events(
        &self,
        caller: &Caller,
        id: ConnectionId,
        after: i64,
        limit: u32,
    ) -> Result<EventsPage, BrokerError> {
        self.connection(caller, id).await?;
        let mut db = self.pool.acquire().await.map_err(DbError::from)?;
        let mut events = ledger_events::of_connection(&mut db, id, after, i64::from(limit) + 1).await?;
        let more = events.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = if more {
            events.last().map(|event| event.sequence)
        } else {
            None
        };
        Ok(EventsPage { events, next })
    }

    /// An operation of a connection that the caller may see. One that waits for a token to read with takes the caller's.
    ///
    /// # Errors
    /// As [`Broker::connection`].
    pub async fn operation(&self, caller: &Caller, id: OperationId) -> Result<OperationView, BrokerError> {
        demand_read(caller)?;
        let mut db = self.pool.acquire().await.map_err(DbError::from)?;
        let operation = operations::find(&mut db, id)
            .await?
            .ok_or_else(|| not_found("operation"))?;
        drop(db);
        let connection = match self.connection(caller, operation.connection).await {
            Err(BrokerError::Refused(refusal)) if refusal.code == Code::NotFound => {
                return Err(not_found("operation"));
            }
            other => other?,
        };
        if operation.awaiting.is_some() {
            self.take_up(connection.id, caller, Use::Read).await?;
        }
        Ok(OperationView {
            operation,
            connection,
        })
    }

    /// Waits until an operation has ended, at most `patience`, and gives it and its connection as they are then.
    ///
    /// # Errors
    /// As [`Broker::connection`].
    pub async fn wait_for(
        &self,
        caller: &Caller,
        operation: &OperationRecord,
        patience: Duration,
    ) -> Result<OperationView, BrokerError> {
        let deadline = Instant::now() + patience;
        // Registered before the first look, so that no change is missed between the two.
        let mut changes = self.0.changes.subscribe();
        loop {
            let view = self.view(caller, operation).await?;
            if view.operation.phase.is_terminal() || Instant::now() >= deadline {
                return Ok(view);
            }
            let changed = async {
                while let Ok(other) = changes.recv().await {
                    if other == operation.connection {
                        break;
                    }
                }
            };
            // Ending by time is as good a reason to look as a change: another replica may have ended it.
            let _ = timeout_at(deadline.min(Instant::now() + WAIT_LOOK), changed).await;
        }
    }

    /// An operation as it is now, with its connection.
    async fn view(&self, caller: &Caller, operation: &OperationRecord) -> Result<OperationView, BrokerError> {
        let connection = self.connection(caller, operation.connection).await?;
        let operation = match &connection.last_operation {
            // Read with its connection, so that the two are of one moment.
            Some(last) if last.id == operation.id => last.clone(),
            _ => {
                let mut db = self.pool.acquire().await.map_err(DbError::from)?;
                let found = operations::find(&mut db, operation.id).await?;
                found.ok_or_else(|| not_found("operation"))?
            }
        };
        Ok(OperationView {
            operation,
            connection,
        })
    }

    /// Goes on, here and with this caller's tokens, with whatever of a connection nobody drives. `allowed` is what they may do
    /// for a removal; a create that may have been sent is only ever read about.
    pub(super) async fn take_up(
        &self,
        connection: ConnectionId,
        caller: &Caller,
        allowed: Use,
    ) -> Result<(), BrokerError> {
        let claimed_at = Instant::now();
        let mut db = self.pool.acquire().await.map_err(DbError::from)?;
        let claims = leases::claim_of(&mut db, connection, self.worker.lease).await?;
        drop(db);
        for claim in claims {
            let allowed = match claim.record.kind {
                OperationKind::Remove => allowed,
                OperationKind::Create => Use::Read,
            };
            // Kept only under a lease, so that they are forgotten with the operation's end.
            self.0
                .vault
                .keep(claim.record.id, allowed, caller.clone(), self.clock.now());
            self.drive(claim, claimed_at, false);
        }
        Ok(())
    }
}

fn demand_read(caller: &Caller) -> Result<(), BrokerError> {
    // Who may change may read.
    caller.demand_scope(&[SCOPE_READ, super::create::SCOPE_WRITE])
}

fn not_found(what: &str) -> BrokerError {
    Refusal::new(
        Code::NotFound,
        format!("there is no such {what}, or it is not visible to you"),
    )
    .into()
}
