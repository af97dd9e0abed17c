//! Late effects: a create without a response may take effect after its record was closed. Such records are rechecked with the
//! service's own identity, or with the next caller's token; a late effect makes the connection unsettled.

use crate::arm::Arm;
use crate::authz::tenants::Tenants;
use crate::db::Db;
use crate::ledger::details::{self, CreateAppearedDetails};
use crate::ledger::recorder::Recorder;
use crate::operations::signals::Signals;
use crate::tokens::exchange::TokenExchange;
use crate::tokens::service_identity::ServiceIdentity;

use crate::arm::DataConnection;
use crate::authz::Caller;
use crate::db::operations::FIRST_REVISION;
use crate::db::{DbError, connections, ledger_events, operations, revisions, with_timeout};
use crate::domain::{ConnectionRecord, DataConnectionId, Error, Event, EventKind};
use crate::sources::{Comparison, Recorded, compare};
use crate::telemetry::metrics;
use crate::tokens::TokenOutcome;
use crate::upstream::BearerToken;

/// How many records one run rechecks.
const MAX_RECORDS_PER_RUN: i64 = 50;

/// Rechecks closed creates whose outcome was unknown. Cheap to clone.
#[derive(Clone)]
pub struct LateEffects {
    pub(super) db: Db,
    pub(super) arm: Arm,
    pub(super) tenants: Tenants,
    pub(super) exchange: TokenExchange,
    pub(super) own: ServiceIdentity,
    pub(super) recorder: Recorder,
    pub(super) signals: Signals,
}

impl LateEffects {
    /// Whether the service may read by itself somewhere, so that [`recheck_closed_creates`](Self::recheck_closed_creates) can find
    /// something.
    pub(crate) fn has_own_reads(&self) -> bool {
        !self.own.tenants().is_empty()
    }

    /// Rechecks due records with the service's own identity: a periodic job.
    ///
    /// # Errors
    /// When the database can't answer; the rest waits for the next run.
    pub(crate) async fn recheck_closed_creates(&self) -> Result<(), DbError> {
        let own = self.own.tenants();
        let due = self
            .db
            .background(async |db| connections::due_for_recheck(db, &own, MAX_RECORDS_PER_RUN).await);
        for id in due.await? {
            let found = self.db.background(async |db| connections::find(db, id).await);
            match found.await {
                Ok(Some(record)) => self.recheck_by_itself(&record).await?,
                Ok(None) => {}
                Err(error) if error.is_outage() => return Err(error),
                // It must not keep the others from being rechecked.
                Err(error) => {
                    tracing::error!(connection.id = %id, %error, "a closed record cannot be read");
                    let later = self
                        .db
                        .background(async |db| connections::recheck_later(db, id).await);
                    later.await?;
                }
            }
        }
        Ok(())
    }

    async fn recheck_by_itself(&self, record: &ConnectionRecord) -> Result<(), DbError> {
        let seen = match self.own.token(record).await {
            TokenOutcome::Token(token) => self.recheck(record, &token, None).await,
            TokenOutcome::Later(_) | TokenOutcome::Missing(_) => None,
        };
        let recorded = self.db.background(async |db| match seen {
            Some(true) => Ok(()),
            Some(false) => connections::rechecked(db, record.id).await,
            None => connections::recheck_later(db, record.id).await,
        });
        recorded.await
    }

    /// Checks, with the caller's token, whether the create of a closed record has taken effect since. Returns whether the record was
    /// reopened; without a usable read the next recheck decides.
    pub(crate) async fn recheck_late_effect(&self, caller: &Caller, record: &ConnectionRecord) -> bool {
        if record.recheck_at.is_none()
            || record.closed_at.is_none()
            || self.tenants.still_allowed(record, false).is_err()
        {
            return false;
        }
        match self.exchange.one(caller, record.target_tenant).await {
            Ok(token) => self.recheck(record, &token, Some(caller)).await == Some(true),
            Err(_) => false,
        }
    }

    /// The same for all closed records of a name that a new connection is to have.
    pub(crate) async fn recheck_late_effect_at(
        &self,
        caller: &Caller,
        arm_id: &DataConnectionId,
    ) -> Result<bool, Error> {
        let former = self.db.read(async |db| {
            let mut records = Vec::new();
            for id in connections::to_recheck_at(db, arm_id).await? {
                records.extend(connections::find(db, id).await?);
            }
            Ok(records)
        });
        for record in former.await? {
            if self.recheck_late_effect(caller, &record).await {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Compares what a read found with the current revision.
    pub(crate) async fn compared_with_record(
        &self,
        record: &ConnectionRecord,
        found: &DataConnection,
    ) -> Result<Comparison, Error> {
        let revision = self
            .db
            .read(async |db| Ok(revisions::find(db, record.id, FIRST_REVISION).await?));
        let revision = revision.await?;
        let recorded = Recorded {
            sent: revision.sent,
            snapshot: revision.snapshot,
            api_version: revision.api_version,
        };
        Ok(compare(&recorded, &found.raw))
    }

    /// Whether ARM holds what the record's create sent, and the record was reopened; `None` without a usable read.
    async fn recheck(
        &self,
        record: &ConnectionRecord,
        token: &BearerToken,
        caller: Option<&Caller>,
    ) -> Option<bool> {
        let found = match self.arm.data_connection(token, &record.arm_id).await {
            Ok(Some(found)) => found,
            Ok(None) => return Some(false),
            Err(error) => {
                tracing::warn!(connection.id = %record.id, error = %error, "a closed record could not be rechecked");
                return None;
            }
        };
        let comparison = self.compared_with_record(record, &found).await.ok()?;
        match comparison {
            Comparison::Same => {}
            Comparison::Unreadable => return None,
            Comparison::Absent | Comparison::Differs(_) | Comparison::Replaced(_) => return Some(false),
        }
        match with_timeout(self.reopen(record, caller)).await {
            Ok(true) => {
                tracing::warn!(connection.id = %record.id, "a create was carried out after its record had been closed; the connection is unsettled");
                metrics::late_effect();
                self.signals.changed(record.id);
                Some(true)
            }
            // Another record has the name, and owns what is there.
            Ok(false) | Err(DbError::Conflict(_)) => Some(false),
            Err(error) => {
                tracing::warn!(connection.id = %record.id, error = %error, "a late effect could not be recorded");
                None
            }
        }
    }

    /// One commit: the record reopened, the ledger event.
    async fn reopen(&self, record: &ConnectionRecord, caller: Option<&Caller>) -> Result<bool, DbError> {
        let mut transaction = self.db.begin("reopen record").await?;
        let db = &mut *transaction;
        // People are locked first, as everywhere.
        let actor = match caller {
            Some(caller) => Some(self.recorder.ensure_actor(db, caller).await?),
            None => None,
        };
        connections::lock(db, record.id).await?;
        if !connections::reopen(db, record.id, self.recorder.now()).await? {
            return Ok(false);
        }
        let create = operations::create_of(db, record.id).await?;
        let event = self.recorder.event(
            EventKind::CreateAppeared,
            record,
            &create,
            details::json(&CreateAppearedDetails {}),
        );
        let event = match caller {
            Some(caller) => Event {
                actor,
                app: Some(caller.app()),
                request_id: Some(caller.request_id().to_owned()),
                ..event
            },
            None => self.recorder.of_the_service(event),
        };
        ledger_events::append(db, &event).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
