//! Builds and records ledger events.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::TokenFingerprinter;
use super::connection::LedgerConnection;
use super::details::{self, MissingAccess, RefusalDetails};
use super::refusal_limit::RefusalLimit;
use crate::authz::{Caller, Intent, Scope};
use crate::clock::Clock;
use crate::db::connections::ConnectionRole;
use crate::db::{Db, DbError, connections, ledger_events, principals};
use crate::domain::{
    ActorId, Code, ConnectionId, ConnectionRecord, DataConnectionId, Error, Event, EventKind, FieldError,
    OperationRecord, Refusal,
};
use crate::telemetry::metrics;
use std::sync::Arc;
use uuid::Uuid;

/// The most places that an event names.
const MAX_POINTERS: usize = 20;
/// The longest place in an event, in characters.
const MAX_POINTER: usize = 120;

/// Writes the ledger's events. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Recorder {
    db: Db,
    clock: Clock,
    fingerprinter: Arc<TokenFingerprinter>,
    /// The service's own application.
    client_id: Uuid,
    limit: Arc<RefusalLimit>,
}

impl Recorder {
    /// A recorder of this service. `refusals_logged` is how many of a person's refusals a minute are written.
    pub(crate) fn new(
        db: Db,
        clock: Clock,
        fingerprinter: TokenFingerprinter,
        client_id: Uuid,
        refusals_logged: u32,
    ) -> Self {
        Self {
            db,
            clock,
            fingerprinter: Arc::new(fingerprinter),
            client_id,
            limit: Arc::new(RefusalLimit::new(refusals_logged)),
        }
    }

    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Checks the scopes of a request before its body is read. A create that lacks them is recorded as refused.
    ///
    /// # Errors
    /// [`Code::InsufficientScope`].
    pub(crate) async fn require_scope(&self, caller: &Caller, intent: Intent) -> Result<(), Error> {
        let scope = match intent {
            Intent::Read => Scope::Read,
            Intent::Create | Intent::Write => Scope::ReadWrite,
        };
        let required = caller.require(scope);
        if let (Intent::Create, Err(Error::Refused(refusal))) = (intent, &required) {
            self.record_unusable_create(caller, refusal.code.as_str(), &refusal.errors)
                .await;
        }
        required
    }

    /// An event of an operation.
    pub(crate) fn event<'a>(
        &self,
        kind: EventKind,
        connection: impl Into<LedgerConnection<'a>>,
        operation: &OperationRecord,
        details: Value,
    ) -> Event {
        let connection = connection.into();
        Event {
            id: self.clock.new_id(),
            occurred_at: self.clock.now(),
            kind,
            connection: Some(connection.id),
            operation: Some(operation.id),
            actor: Some(operation.actor),
            app: Some(operation.app),
            request_id: None,
            target_tenant: Some(connection.target_tenant),
            source_tenant: Some(connection.source_tenant),
            details,
        }
    }

    /// The same event, caused by the service's own token only.
    pub(crate) fn of_the_service(&self, mut event: Event) -> Event {
        if let Some(details) = event.details.as_object_mut() {
            details.insert("by".to_owned(), "service".into());
        }
        Event {
            actor: None,
            app: Some(self.client_id),
            ..event
        }
    }

    /// Does the work of a request, and records if it is refused. `record` is the connection that the caller sees, `id` the one that
    /// the request names.
    ///
    /// # Errors
    /// Those of the work.
    pub(crate) async fn refusals<T>(
        &self,
        kind: EventKind,
        caller: &Caller,
        record: Option<&ConnectionRecord>,
        id: &DataConnectionId,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        // Boxed: the request's own future would carry all of it.
        let result = Box::pin(work).await;
        if let Err(Error::Refused(refusal)) = &result {
            let id = id.resource().canonical();
            self.record_refusal(kind, caller, record, id, refusal).await;
        }
        result
    }

    /// Records a refusal, except for overload and throttling, which say nothing about the request itself. If recording fails, that is
    /// logged, and the refusal stands.
    async fn record_refusal(
        &self,
        kind: EventKind,
        caller: &Caller,
        record: Option<&ConnectionRecord>,
        arm_id: &str,
        refusal: &Refusal,
    ) {
        if matches!(refusal.code, Code::Overloaded | Code::TooManyRequests) {
            return;
        }
        let missing = refusal.missing.iter().map(|missing| MissingAccess {
            tenant: missing.tenant,
            kind: missing.kind,
        });
        let details = RefusalDetails {
            arm_id: Some(arm_id.to_owned()),
            code: refusal.code.as_str().to_owned(),
            missing: missing.collect(),
            pointers: pointers(&refusal.errors),
            upstream: refusal.upstream.clone(),
            left_out_before: None,
        };
        self.record_refused(kind, caller, record, details).await;
    }

    /// Records that a create was refused because its request can't be read or breaks a rule: with the problem's code and the
    /// members that are wrong, never their values.
    pub(crate) async fn record_unusable_create(&self, caller: &Caller, code: &str, errors: &[FieldError]) {
        let details = RefusalDetails {
            code: code.to_owned(),
            pointers: pointers(errors),
            ..RefusalDetails::default()
        };
        self.record_refused(EventKind::CreateRefused, caller, None, details)
            .await;
    }

    async fn record_refused(
        &self,
        kind: EventKind,
        caller: &Caller,
        record: Option<&ConnectionRecord>,
        mut details: RefusalDetails,
    ) {
        let limit = &self.limit;
        let Some(before) = limit.admit(caller.actor()) else {
            metrics::refusal_left_out();
            return;
        };
        details.left_out_before = Some(before).filter(|before| *before > 0);
        let details = details::json(&details);
        let event = Event {
            id: self.clock.new_id(),
            occurred_at: self.clock.now(),
            kind,
            connection: record.map(|record| record.id),
            operation: None,
            actor: None,
            app: Some(caller.app()),
            request_id: Some(caller.request_id().to_owned()),
            target_tenant: record.map(|record| record.target_tenant),
            source_tenant: record.map(|record| record.source_tenant),
            details,
        };
        // A refused caller waits no longer than others.
        let result = self.db.lookup(self.append_refusal(caller, event)).await;
        // An outage is already logged, once.
        if let Err(error) = result
            && !matches!(&error, Error::Database(error) if error.is_outage())
        {
            tracing::error!(error = %error, ledger.kind = kind.as_str(), "a refusal could not be recorded");
            limit.add(caller.actor(), before + 1);
        }
    }

    async fn append_refusal(&self, caller: &Caller, event: Event) -> Result<(), Error> {
        let mut db = self.db.begin("record refusal").await?;
        let actor = self.ensure_actor(&mut db, caller).await?;
        ledger_events::append(
            &mut db,
            &Event {
                actor: Some(actor),
                ..event
            },
        )
        .await?;
        Ok(db.commit().await?)
    }

    /// The actor's pseudonym.
    pub(crate) async fn ensure_actor(
        &self,
        db: &mut PgConnection,
        caller: &Caller,
    ) -> Result<ActorId, DbError> {
        let name = caller.actor_token().username();
        principals::ensure(db, caller.actor(), name, self.clock.new_id(), self.clock.now()).await
    }

    /// Records actor and participants of a request as people of a connection; returns the participants' pseudonyms.
    pub(crate) async fn record_people(
        &self,
        db: &mut PgConnection,
        connection: ConnectionId,
        (actor, part): (ActorId, ConnectionRole),
        caller: &Caller,
    ) -> Result<Vec<ActorId>, DbError> {
        let mark =
            |token: &crate::entra::UserToken| token.unique_id().and_then(|id| self.fingerprinter.mark(id));
        let marked = mark(caller.actor_token());
        connections::add_principal(db, connection, actor, part, caller.app(), marked.as_deref()).await?;
        let participants = self.participants(db, caller).await?;
        for (person, token) in participants.iter().zip(caller.auxiliary()) {
            let (part, marked) = (ConnectionRole::Participant, mark(token));
            connections::add_principal(db, connection, *person, part, token.app(), marked.as_deref()).await?;
        }
        Ok(participants)
    }

    /// The pseudonyms of a request's participants.
    pub(crate) async fn participants(
        &self,
        db: &mut PgConnection,
        caller: &Caller,
    ) -> Result<Vec<ActorId>, DbError> {
        let mut participants = Vec::new();
        for token in caller.auxiliary() {
            let (person, name, now) = (token.person(), token.username(), self.clock.now());
            participants.push(principals::ensure(db, person, name, self.clock.new_id(), now).await?);
        }
        Ok(participants)
    }
}

/// The places that an event names: of members that the API knows, so they are few and short, and cut off all the same.
fn pointers(errors: &[FieldError]) -> Vec<String> {
    let cut = |error: &FieldError| error.pointer.chars().take(MAX_POINTER).collect();
    errors.iter().take(MAX_POINTERS).map(cut).collect()
}
