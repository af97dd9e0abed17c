//! Reads: what a caller may see of connections, operations and the ledger. Nothing here writes to ARM.

use crate::authz::Scope;
use crate::authz::tenants::Tenants;
use crate::db::Db;
use crate::operations::replica::Replica;
use crate::operations::signals::Signals;
use crate::visibility::Visibility;
use crate::visibility::is_auditor;
use crate::visibility::role_by_record;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::authz::Caller;
use crate::authz::Side;
use crate::db::connections;
use crate::db::connections::{ConnectionWithRole, Selection};
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
use crate::domain::RecordedEvent;
use crate::domain::Refusal;
use crate::domain::SubscriptionId;
use crate::visibility::AccessCheck;
use crate::visibility::ViewerRole;
use crate::visibility::sees_all_of_own_tenant;

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

/// Reads connections, operations and events for callers. Cheap to clone.
#[derive(Clone)]
pub struct Queries {
    pub(super) db: Db,
    pub(super) tenants: Tenants,
    pub(super) visibility: Visibility,
    pub(super) signals: Signals,
    pub(super) replica: Replica,
}

impl Queries {
    /// A connection that the caller may see, as far as they may.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none, or not for them: the two can't be told apart.
    pub async fn connection(&self, caller: &Caller, id: ConnectionId) -> Result<ConnectionRecord, Error> {
        let found = self.find(caller, id).await?;
        match self.visibility.viewer_role(caller, &found).await? {
            Some(side) => Ok(side.redact(caller, found.record)),
            None => Err(Error::not_found("connection")),
        }
    }

    /// A connection, whether or not the caller may see it.
    pub(crate) async fn find(&self, caller: &Caller, id: ConnectionId) -> Result<ConnectionWithRole, Error> {
        caller.require(Scope::Read)?;
        self.db
            .read(async |db| {
                let viewer = principals::find(db, caller.actor()).await?;
                let found = connections::find_with_role(db, id, viewer).await?;
                found.ok_or_else(|| Error::not_found("connection"))
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
        caller.require(Scope::Read)?;
        let everything_from = self.side_of_filter(caller, filter).await?;
        let found = self.db.read(async |db| {
            let selection = Selection {
                viewer: principals::find(db, caller.actor()).await?,
                tenant: sees_all_of_own_tenant(caller).then(|| caller.actor().tenant),
                everything: everything_from.is_some(),
                database: filter.database.as_ref(),
                source: filter.source.as_ref(),
                unsettled: filter.unsettled,
                before,
                // One more than asked for tells whether there is another page.
                limit: i64::from(limit) + 1,
            };
            Ok(connections::list(db, &selection).await?)
        });
        let mut found = found.await?;
        let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let show = |found: ConnectionWithRole| {
            let side = role_by_record(caller, &found).or(everything_from)?;
            Some(side.redact(caller, found.record))
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
        if filter.unsettled && self.visibility.is_operator(caller) {
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
        match self.tenants.of_subscription(subscription, "").await {
            Ok(tenant) => self.visibility.may_read(caller, tenant, direction, what).await,
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
        if !is_auditor(caller, &found.record)
            && matches!(
                self.visibility.viewer_role(caller, &found).await?,
                None | Some(ViewerRole::Operator)
            )
        {
            return Err(Error::not_found("connection"));
        }
        let events = self
            .db
            .read(async |db| Ok(ledger_events::of_connection(db, id, after, i64::from(limit) + 1).await?));
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

    /// An operation of a connection that the caller may see.
    ///
    /// # Errors
    /// As [`Broker::connection`].
    pub async fn operation(&self, caller: &Caller, id: OperationId) -> Result<OperationView, Error> {
        caller.require(Scope::Read)?;
        let operation = self.recorded_operation(id).await?;
        let found = self.find(caller, operation.connection).await?;
        let side = self.visibility.viewer_role(caller, &found).await?;
        let side = side.ok_or_else(|| Error::not_found("operation"))?;
        let connection = side.redact(caller, found.record);
        Ok(OperationView {
            operation,
            connection,
        })
    }

    pub(crate) async fn is_requester(
        &self,
        caller: &Caller,
        operation: &OperationRecord,
    ) -> Result<bool, Error> {
        self.db
            .read(async |db| {
                let person = principals::find(db, caller.actor()).await?;
                Ok(person == Some(operation.actor))
            })
            .await
    }

    /// An operation, whether or not anybody may see it.
    pub(crate) async fn recorded_operation(&self, id: OperationId) -> Result<OperationRecord, Error> {
        self.db
            .read(async |db| {
                let found = operations::find(db, id).await?;
                found.ok_or_else(|| Error::not_found("operation"))
            })
            .await
    }

    /// Waits until an operation has ended, for at most `longest` and only until this replica stops. Gives it and its connection as
    /// they are then, seen from `side`. Whoever began it saw the connection, so nobody is asked again: a change that was taken is answered as such.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn wait_for(
        &self,
        caller: &Caller,
        operation: &OperationRecord,
        side: ViewerRole,
        longest: Duration,
    ) -> Result<OperationView, Error> {
        let deadline = Instant::now() + longest;
        // Registered before the first look, so that no change is missed between the two.
        let mut changes = self.signals.subscribe();
        let mut view = self.view(caller, operation, side).await?;
        loop {
            let waited = Instant::now() >= deadline || self.replica.is_stopping();
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
            view = self.db.for_a_request(self.view(caller, operation, side)).await?;
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
        let connection = side.redact(caller, found.record);
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
}
