//! Reads: what a caller may see of connections, operations and the ledger. Nothing here writes to ARM.

use crate::authz::Scope;
use crate::authz::tenants::Tenants;
use crate::db::Db;
use crate::operations::replica::Replica;
use crate::operations::signals::Signals;
use crate::visibility::{Visibility, role_by_record, role_of_auditor};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::{Instant, timeout_at};

use crate::authz::{Caller, Side};
use crate::db::connections::{ConnectionWithRole, ListScope, Selection};
use crate::db::{connections, ledger_events, operations, principals};
use crate::domain::{
    Code, ConnectionId, ConnectionRecord, Error, ListFilter, ListPosition, OperationId, OperationRecord,
    RecordedEvent, Refusal, State, SubscriptionId,
};
use crate::sources::{self, SourceCheck};
use crate::visibility::{AccessCheck, ViewerRole, sees_all_of_own_tenant};

/// How often a waiting request reads the database, in case another replica ends the operation.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// The connections, in the order of the list.
    pub connections: Vec<ConnectionRecord>,
    /// Where the page ends; `None` on the last one.
    pub next: Option<ListPosition>,
}

/// A page of a connection's events.
#[derive(Debug)]
pub struct EventsPage {
    /// The events, oldest first.
    pub events: Vec<RecordedEvent>,
    /// Where the next page begins; `None` on the last one.
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
    /// A connection, redacted for the caller.
    ///
    /// # Errors
    /// [`Code::NotFound`] when it does not exist or is not visible to the caller: the two are indistinguishable.
    pub async fn connection(&self, caller: &Caller, id: ConnectionId) -> Result<ConnectionRecord, Error> {
        let found = self.find(caller, id).await?;
        match self.visibility.viewer_role(caller, &found).await? {
            Some(side) => Ok(side.redact(caller, found)),
            None => Err(Error::not_found("connection")),
        }
    }

    /// A connection, without a visibility check.
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

    /// The connections that match the filter and are visible to the caller, behind `after`. ARM is asked only about the resource that the
    /// filter names. A page may hold fewer than `limit` although another one follows.
    ///
    /// # Errors
    /// When the database, Entra or ARM can't answer.
    pub async fn connections(
        &self,
        caller: &Caller,
        filter: &ListFilter,
        after: Option<ListPosition>,
        limit: u32,
    ) -> Result<Page, Error> {
        caller.require(Scope::Read)?;
        let (scope, side) = match self.scope_of_filter(caller, filter).await? {
            Some((scope, side)) => (Some(scope), side),
            None => (None, None),
        };
        let found = self.db.read(async |db| {
            let selection = Selection {
                viewer: principals::find(db, caller.actor()).await?,
                scope,
                filter,
                after,
                limit,
            };
            Ok(connections::list(db, &selection).await?)
        });
        let connections::Listed { connections, next } = found.await?;
        let show = |found: ConnectionWithRole| {
            let side = role_by_record(caller, &found).or(side)?;
            Some(side.redact(caller, found))
        };
        let connections = connections.into_iter().filter_map(show).collect();
        Ok(Page { connections, next })
    }

    /// What of a list the caller may see although the records do not name them, and in which role; without one, in that of their
    /// tenant.
    async fn scope_of_filter<'a>(
        &self,
        caller: &Caller,
        filter: &'a ListFilter,
    ) -> Result<Option<(ListScope<'a>, Option<ViewerRole>)>, Error> {
        if filter.is_mine {
            return Ok(None);
        }
        if filter.state == Some(State::Unsettled) && self.visibility.is_operator(caller) {
            return Ok(Some((ListScope::Unsettled, Some(ViewerRole::Operator))));
        }
        if let Some(database) = &filter.database {
            let what = AccessCheck::DataConnections(database);
            let asked = (database.subscription(), Side::Target, what);
            if self.may_read_named(caller, asked).await? {
                return Ok(Some((ListScope::Database(database), Some(ViewerRole::Target))));
            }
        }
        if let Some(source) = &filter.source {
            let check = sources::check_of(source);
            let what = match &check {
                SourceCheck::Read(read) => AccessCheck::Resource(read),
                SourceCheck::Actions(actions) => AccessCheck::Actions(source, actions),
            };
            let asked = (source.subscription(), Side::Source, what);
            if self.may_read_named(caller, asked).await? {
                return Ok(Some((ListScope::Source(source), Some(ViewerRole::Source))));
            }
        }
        let tenant = sees_all_of_own_tenant(caller).then(|| caller.actor().tenant);
        Ok(tenant.map(|tenant| (ListScope::Tenant(tenant), None)))
    }

    /// Whether the caller may read the resource that the filter names; `false` in a subscription that Azure does not know.
    async fn may_read_named(
        &self,
        caller: &Caller,
        (subscription, direction, what): (SubscriptionId, Side, AccessCheck<'_>),
    ) -> Result<bool, Error> {
        match self.tenants.of_subscription(subscription, "").await {
            Ok(tenant) => self.visibility.may_read(caller, tenant, direction, what).await,
            Err(Error::Refused(refusal)) if refusal.code == Code::ReferenceNotFound => Ok(false),
            // This is not about the caller's rights: ARM's response is unusable.
            Err(Error::Refused(refusal)) => Err(Refusal {
                code: Code::UpstreamRefused,
                ..*refusal
            }
            .into()),
            Err(error) => Err(error),
        }
    }

    /// A connection's events after a sequence number: for callers who see the connection, and for auditors of its tenants.
    ///
    /// # Errors
    /// As [`Queries::connection`].
    pub async fn events(
        &self,
        caller: &Caller,
        id: ConnectionId,
        after: i64,
        limit: u32,
    ) -> Result<EventsPage, Error> {
        let role = self.role_for_events(caller, id).await?;
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
        for recorded in &mut events {
            role.redact_event(caller, &mut recorded.event);
        }
        Ok(EventsPage { events, next })
    }

    /// From which side the caller sees the events of a connection.
    ///
    /// # Errors
    /// As [`Queries::connection`].
    pub(crate) async fn role_for_events(
        &self,
        caller: &Caller,
        id: ConnectionId,
    ) -> Result<ViewerRole, Error> {
        let found = self.find(caller, id).await?;
        let known = role_by_record(caller, &found).or_else(|| role_of_auditor(caller, &found.record));
        let role = match known {
            Some(role) => Some(role),
            // Operators see the state of a connection, not its history.
            None => self
                .visibility
                .viewer_role(caller, &found)
                .await?
                .filter(|role| *role != ViewerRole::Operator),
        };
        role.ok_or_else(|| Error::not_found("connection"))
    }

    /// An operation of a connection that the caller may see.
    ///
    /// # Errors
    /// As [`Queries::connection`].
    pub async fn operation(&self, caller: &Caller, id: OperationId) -> Result<OperationView, Error> {
        caller.require(Scope::Read)?;
        let operation = self.recorded_operation(id).await?;
        let found = self.find(caller, operation.connection).await?;
        let side = self.visibility.viewer_role(caller, &found).await?;
        let side = side.ok_or_else(|| Error::not_found("operation"))?;
        let connection = side.redact(caller, found);
        Ok(OperationView {
            operation,
            connection,
        })
    }

    /// The same, when it has ended, waits for a caller, or after `longest`, or when this replica stops. Visibility is checked at the
    /// beginning.
    ///
    /// # Errors
    /// As [`Queries::operation`].
    pub async fn operation_at_rest(
        &self,
        caller: &Caller,
        id: OperationId,
        longest: Duration,
    ) -> Result<OperationView, Error> {
        let deadline = Instant::now() + longest;
        // Subscribed before the first read, so that no change is missed between the two.
        let mut changes = self.signals.subscribe();
        let mut view = self.operation(caller, id).await?;
        while !view.operation.is_at_rest() && Instant::now() < deadline && !self.replica.is_stopping() {
            self.change_of(&mut changes, view.operation.connection, deadline)
                .await;
            view.operation = self.db.for_a_request(self.recorded_operation(id)).await?;
        }
        Ok(view)
    }

    /// Ends when this replica changed a connection, or it is time to read what another one may have changed.
    async fn change_of(
        &self,
        changes: &mut broadcast::Receiver<ConnectionId>,
        connection: ConnectionId,
        deadline: Instant,
    ) {
        let changed = async {
            while let Ok(other) = changes.recv().await {
                if other == connection {
                    break;
                }
            }
        };
        let _ = timeout_at(deadline.min(Instant::now() + POLL_INTERVAL), changed).await;
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

    /// An operation, without a visibility check.
    pub(crate) async fn recorded_operation(&self, id: OperationId) -> Result<OperationRecord, Error> {
        self.db
            .read(async |db| {
                let found = operations::find(db, id).await?;
                found.ok_or_else(|| Error::not_found("operation"))
            })
            .await
    }

    /// Waits until an operation has ended, at most for `longest` and until this replica stops. Returns it and its connection, redacted
    /// for `side`. The caller of the change saw the connection, so visibility is not checked again.
    pub async fn wait_for(
        &self,
        caller: &Caller,
        operation: &OperationRecord,
        side: ViewerRole,
        longest: Duration,
    ) -> Result<OperationView, Error> {
        let deadline = Instant::now() + longest;
        // Subscribed before the first read, so that no change is missed between the two.
        let mut changes = self.signals.subscribe();
        let mut view = self.view(caller, operation, side).await?;
        loop {
            let waited = Instant::now() >= deadline || self.replica.is_stopping();
            if view.operation.phase.is_terminal() || waited {
                return Ok(view);
            }
            self.change_of(&mut changes, operation.connection, deadline).await;
            // A long wait reads often; each read has a request's time for itself.
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
        let connection = side.redact(caller, found);
        let operation = match &connection.last_operation {
            // Read with its connection, so that both are from the same moment.
            Some(last) if last.id == operation.id => last.clone(),
            _ => self.recorded_operation(operation.id).await?,
        };
        Ok(OperationView {
            operation,
            connection,
        })
    }
}
