//! Reads: what a caller may see of connections, operations and the ledger. Nothing here writes to ARM.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::authz::Caller;
use crate::authz::Side;
use crate::db::DbError;
use crate::db::connections;
use crate::db::connections::{ConnectionWithRole, Selection};
use crate::db::leases;
use crate::db::ledger_events;
use crate::db::operations;
use crate::db::principals;
use crate::domain::Code;
use crate::domain::ConnectionId;
use crate::domain::ConnectionRecord;
use crate::domain::DatabaseId;
use crate::domain::Error;
use crate::domain::EventHubId;
use crate::domain::OperationId;
use crate::domain::OperationRecord;
use crate::domain::Phase;
use crate::domain::RecordedEvent;
use crate::domain::Refusal;
use crate::domain::SubscriptionId;
use crate::tokens::store::Access;
use crate::usecases::Broker;
use crate::visibility::AccessCheck;
use crate::visibility::ViewerRole;
use crate::visibility::audits;
use crate::visibility::sees_all_of_own_tenant;
use crate::visibility::side_by_record;

/// The scopes of which one lets an app read in a user's name.
const SCOPE_READ: &str = "Connections.Read";

/// How often a waiter looks at the database, for the case that another replica ends the operation.
const WAIT_LOOK: Duration = Duration::from_millis(500);

/// What a list is narrowed down to.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// The connections into this database.
    pub database: Option<DatabaseId>,
    /// The connections from this event hub.
    pub source: Option<EventHubId>,
    /// Those alone of which no read has told yet whether a change happened.
    pub unsettled: bool,
}

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
    /// A connection that the caller may see, as far as they may.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none, or not for them: the two can't be told apart.
    pub async fn connection(&self, caller: &Caller, id: ConnectionId) -> Result<ConnectionRecord, Error> {
        let found = self.find(caller, id).await?;
        match self.side(caller, &found).await? {
            Some(side) => Ok(side.show(caller, found.record)),
            None => Err(not_found("connection")),
        }
    }

    /// A connection, whether or not the caller may see it.
    pub(crate) async fn find(&self, caller: &Caller, id: ConnectionId) -> Result<ConnectionWithRole, Error> {
        demand_read(caller)?;
        self.with_db_deadline(async {
            let mut db = self.pool.acquire().await.map_err(DbError::from)?;
            let viewer = principals::find(&mut db, caller.actor()).await?;
            let found = connections::find_with_role(&mut db, id, viewer).await?;
            found.ok_or_else(|| not_found("connection"))
        })
        .await
    }

    /// The connections that the caller may see and the filter leaves, newest first, older than `before`. What ARM lets them read
    /// is asked only where the filter says what to ask about.
    ///
    /// # Errors
    /// When the database, Entra or ARM can't answer.
    pub async fn connections(
        &self,
        caller: &Caller,
        filter: &ListFilter,
        before: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Page, Error> {
        demand_read(caller)?;
        let everything_from = self.side_of_filter(caller, filter).await?;
        let found = self.with_db_deadline(async {
            let mut db = self.pool.acquire().await.map_err(DbError::from)?;
            let selection = Selection {
                viewer: principals::find(&mut db, caller.actor()).await?,
                tenant: sees_all_of_own_tenant(caller).then(|| caller.actor().tenant),
                everything: everything_from.is_some(),
                database: filter.database.as_ref(),
                source: filter.source.as_ref(),
                unsettled: filter.unsettled,
                before,
                // One more than asked for tells whether there is another page.
                limit: i64::from(limit) + 1,
            };
            Ok(connections::list(&mut db, &selection).await?)
        });
        let mut found = found.await?;
        let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let show = |found: ConnectionWithRole| {
            let side = side_by_record(caller, &found).or(everything_from)?;
            Some(side.show(caller, found.record))
        };
        let connections: Vec<ConnectionRecord> = found.into_iter().filter_map(show).collect();
        let last = connections.last().map(|record| record.id);
        let next = last.filter(|_| more);
        Ok(Page { connections, next })
    }

    /// From where ARM lets the caller see everything that a filter leaves.
    async fn side_of_filter(
        &self,
        caller: &Caller,
        filter: &ListFilter,
    ) -> Result<Option<ViewerRole>, Error> {
        if filter.unsettled && self.operates(caller) {
            return Ok(Some(ViewerRole::Operator));
        }
        if let Some(database) = &filter.database {
            let what = AccessCheck::DataConnections(database);
            let asked = (database.subscription(), Side::Target, what);
            if self.may_read_named(caller, asked).await? {
                return Ok(Some(ViewerRole::Target));
            }
        }
        if let Some(hub) = &filter.source {
            let asked = (hub.subscription(), Side::Source, AccessCheck::EventHub(hub));
            if self.may_read_named(caller, asked).await? {
                return Ok(Some(ViewerRole::Source));
            }
        }
        Ok(None)
    }

    /// Whether the caller may read what they named. In a subscription that Azure doesn't know there is nothing to read.
    async fn may_read_named(
        &self,
        caller: &Caller,
        (subscription, direction, what): (SubscriptionId, Side, AccessCheck<'_>),
    ) -> Result<bool, Error> {
        match self.tenant_of(subscription, "").await {
            Ok(tenant) => self.may_read(caller, tenant, direction, what).await,
            Err(Error::Refused(refusal)) if refusal.code == Code::ReferenceNotFound => Ok(false),
            // Nobody's rights were asked about: it is ARM that can't be made sense of.
            Err(Error::Refused(refusal)) => Err(Refusal {
                code: Code::UpstreamRefused,
                ..*refusal
            }
            .into()),
            Err(error) => Err(error),
        }
    }

    /// A connection's part of the ledger, after a place in it: for those who see the connection, and for auditors of its tenants.
    ///
    /// # Errors
    /// As [`Broker::connection`].
    pub async fn events(
        &self,
        caller: &Caller,
        id: ConnectionId,
        after: i64,
        limit: u32,
    ) -> Result<EventsPage, Error> {
        let found = self.find(caller, id).await?;
        // What happened is told to those whose connection it is; an operator looks after what will.
        if !audits(caller, &found.record)
            && matches!(
                self.side(caller, &found).await?,
                None | Some(ViewerRole::Operator)
            )
        {
            return Err(not_found("connection"));
        }
        let events = self.with_db_deadline(async {
            let mut db = self.pool.acquire().await.map_err(DbError::from)?;
            Ok(ledger_events::of_connection(&mut db, id, after, i64::from(limit) + 1).await?)
        });
        let mut events = events.await?;
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
    pub async fn operation(&self, caller: &Caller, id: OperationId) -> Result<OperationView, Error> {
        demand_read(caller)?;
        let operation = self.recorded_operation(id).await?;
        let found = self.find(caller, operation.connection).await?;
        let side = self.side(caller, &found).await?;
        let side = side.ok_or_else(|| not_found("operation"))?;
        let connection = side.show(caller, found.record);
        // What was never sent waits for a token to write with, which nobody brings by looking; nor does an operator's look lend any.
        if operation.awaiting.is_some() && operation.phase != Phase::Queued && side != ViewerRole::Operator {
            self.resume(&connection, caller, Lending::Read).await?;
        }
        Ok(OperationView {
            operation,
            connection,
        })
    }

    /// An operation, whether or not anybody may see it.
    pub(crate) async fn recorded_operation(&self, id: OperationId) -> Result<OperationRecord, Error> {
        self.with_db_deadline(async {
            let mut db = self.pool.acquire().await.map_err(DbError::from)?;
            let found = operations::find(&mut db, id).await?;
            found.ok_or_else(|| not_found("operation"))
        })
        .await
    }

    /// Waits until an operation has ended, for at most `patience` and only until this replica stops. Gives it and its connection as
    /// they are then, seen from `side`. Whoever began it saw the connection, so nobody is asked again: a change that was taken is answered as such.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn wait_for(
        &self,
        caller: &Caller,
        operation: &OperationRecord,
        side: ViewerRole,
        patience: Duration,
    ) -> Result<OperationView, Error> {
        let deadline = Instant::now() + patience;
        // Registered before the first look, so that no change is missed between the two.
        let mut changes = self.0.changes.subscribe();
        let mut view = self.view(caller, operation, side).await?;
        loop {
            let waited = Instant::now() >= deadline || self.0.stop.is_cancelled();
            if view.operation.phase.is_terminal() || waited {
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
            // Many looks in a long wait; each has the time of a request for itself.
            view = self.for_a_request(self.view(caller, operation, side)).await?;
        }
    }

    /// An operation as it is now, with its connection.
    async fn view(
        &self,
        caller: &Caller,
        operation: &OperationRecord,
        side: ViewerRole,
    ) -> Result<OperationView, Error> {
        let found = self.find(caller, operation.connection).await?;
        let connection = side.show(caller, found.record);
        let operation = match &connection.last_operation {
            // Read with its connection, so that the two are of one moment.
            Some(last) if last.id == operation.id => last.clone(),
            _ => self.recorded_operation(operation.id).await?,
        };
        Ok(OperationView {
            operation,
            connection,
        })
    }

    /// Goes on, here and with this caller's tokens, with whatever of a connection nobody drives. What waits for its turn goes back
    /// into the queue; a create that may have been sent is only ever read about. Tokens that don't even open the target take
    /// up nothing.
    pub(crate) async fn resume(
        &self,
        connection: &ConnectionRecord,
        caller: &Caller,
        lending: Lending,
    ) -> Result<(), Error> {
        if lending == Lending::Read && !Box::pin(self.opens_target(caller, connection)).await {
            return Ok(());
        }
        let claimed_at = Instant::now();
        let replica = self.0.replica;
        if let Lending::Write(operation) = lending {
            let ids = (operation, connection.id);
            self.0
                .store
                .keep(ids, Access::Write, caller.clone(), self.clock.now());
        }
        // Claims that are given up with the wait for them run out like those of a replica that has died.
        let claims = self.with_db_deadline(async {
            let mut db = self.pool.acquire().await.map_err(DbError::from)?;
            if let Lending::Write(operation) = lending {
                leases::requeue(&mut db, operation, replica).await?;
            }
            Ok(leases::claim_of(&mut db, connection.id, replica, self.worker.lease).await?)
        });
        let claims = claims.await?;
        for claim in claims {
            let allowed = match lending {
                Lending::Write(operation) if operation == claim.record.id => Access::Write,
                _ => Access::Read,
            };
            // Kept only under a lease, so that they are forgotten with the operation's end.
            let ids = (claim.record.id, connection.id);
            self.0.store.keep(ids, allowed, caller.clone(), self.clock.now());
            self.drive(claim, claimed_at, false);
        }
        self.notify_queue();
        Ok(())
    }
}

/// What a caller's tokens may be used for when they take up operations of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lending {
    /// To read at ARM, for any of them.
    Read,
    /// To carry on this operation, which they asked for or may ask for; to read, for others.
    Write(OperationId),
}

pub(crate) fn demand_read(caller: &Caller) -> Result<(), Error> {
    // Who may change may read.
    caller.demand_scope(&[SCOPE_READ, super::create::SCOPE_WRITE])
}

pub(crate) fn not_found(what: &str) -> Error {
    Refusal::new(
        Code::NotFound,
        format!("there is no such {what}, or it is not visible to you"),
    )
    .into()
}
