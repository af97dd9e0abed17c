//! Late effects: a create that got no answer may be carried out after its record was closed. Such records are looked at again, by
//! the service's own identity, or with the next caller's token; what is seen then makes the connection unsettled.

use std::time::Duration;

use serde_json::json;

use super::refusal::BrokerError;
use super::service_identity::OwnToken;
use super::{Broker, Caller};
use crate::arm::Comparison;
use crate::connection::{ConnectionRecord, DataConnectionId};
use crate::db::schedules::Schedule;
use crate::db::{DbError, begin, connections, ledger_events, operations, schedules, within};
use crate::ledger::{Event, EventKind};
use crate::outbound::Bearer;
use crate::telemetry::metrics;

/// How many records one round looks at.
const RECORDS_A_ROUND: i64 = 50;
/// How often the service looks whether records are due, in intervals of the worker.
const INTERVALS: u32 = 5;

impl Broker {
    /// Looks again, with the service's own identity, at the closed records that are due, if no other replica does. Gives how long
    /// until that is due again.
    ///
    /// # Errors
    /// When the database can't answer; what is left over waits for the next time.
    pub async fn recheck_closed_creates(&self) -> Result<Duration, DbError> {
        let (schedule, every) = (Schedule::RecheckClosedCreates, self.worker.interval * INTERVALS);
        let own = self.reads_by_itself_in();
        if own.is_empty() {
            // Nobody here moves the schedule on.
            return Ok(every);
        }
        let due = within(async {
            let mut db = self.pool.acquire().await?;
            if !schedules::claim(&mut db, schedule, every).await? {
                return Ok(Vec::new());
            }
            connections::due_for_recheck(&mut db, &own, RECORDS_A_ROUND).await
        });
        for id in due.await? {
            let found = within(async {
                let mut db = self.pool.acquire().await?;
                connections::find(&mut db, id).await
            });
            if let Some(record) = found.await? {
                self.recheck_by_itself(&record).await?;
            }
        }
        within(async {
            let mut db = self.pool.acquire().await?;
            schedules::due_in(&mut db, schedule).await
        })
        .await
    }

    async fn recheck_by_itself(&self, record: &ConnectionRecord) -> Result<(), DbError> {
        let seen = match self.own_token(record).await {
            OwnToken::Held(token) => self.recheck(record, &token, None).await,
            OwnToken::Later(_) | OwnToken::None => None,
        };
        within(async {
            let mut db = self.pool.acquire().await?;
            match seen {
                Some(true) => Ok(()),
                Some(false) => connections::rechecked(&mut db, record.id).await,
                None => connections::recheck_later(&mut db, record.id).await,
            }
        })
        .await
    }

    /// Looks, with the caller's token, whether the create of a closed record has come to something since. Gives whether the record
    /// was opened again; what can't be told now is left to the next look.
    pub(super) async fn look_for_late_effect(&self, caller: &Caller, record: &ConnectionRecord) -> bool {
        if record.recheck_at.is_none()
            || record.closed_at.is_none()
            || self.still_allowed(record, false).is_err()
        {
            return false;
        }
        match self.exchange_one(caller, record.target_tenant).await {
            Ok(token) => self.recheck(record, &token, Some(caller)).await == Some(true),
            Err(_) => false,
        }
    }

    /// The same for the former records of a name that something else is wanted to have.
    pub(super) async fn look_for_late_effect_at(
        &self,
        caller: &Caller,
        arm_id: &DataConnectionId,
    ) -> Result<bool, BrokerError> {
        let former = self.looked_up(async {
            let mut db = self.pool.acquire().await.map_err(DbError::from)?;
            let mut records = Vec::new();
            for id in connections::to_recheck_at(&mut db, arm_id).await? {
                records.extend(connections::find(&mut db, id).await?);
            }
            Ok(records)
        });
        for record in former.await? {
            if self.look_for_late_effect(caller, &record).await {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether what the record's create sent is at ARM, and the record was opened again; `None` if that can't be told.
    async fn recheck(
        &self,
        record: &ConnectionRecord,
        token: &dyn Bearer,
        caller: Option<&Caller>,
    ) -> Option<bool> {
        let found = match self.arm.data_connection(token, &record.arm_id).await {
            Ok(Some(found)) => found,
            Ok(None) => return Some(false),
            Err(error) => {
                tracing::warn!(connection.id = %record.id, error = %error, "a closed record can't be looked at again now");
                return None;
            }
        };
        let comparison = self.compared_with_record(record, &found).await.ok()?;
        match comparison {
            Comparison::Same => {}
            Comparison::Unreadable => return None,
            Comparison::Absent | Comparison::Differs(_) | Comparison::Replaced(_) => return Some(false),
        }
        match within(self.reopen(record, caller)).await {
            Ok(true) => {
                tracing::warn!(connection.id = %record.id, "a create was carried out after its record had been closed; the connection is unsettled");
                metrics::late_effect();
                self.changed(record.id);
                Some(true)
            }
            // Another record has the name: what is there is that one's.
            Ok(false) | Err(DbError::Conflict(_)) => Some(false),
            Err(error) => {
                tracing::warn!(connection.id = %record.id, error = %error, "a late effect could not be recorded");
                None
            }
        }
    }

    /// One commit: the record opened again, the ledger event.
    async fn reopen(&self, record: &ConnectionRecord, caller: Option<&Caller>) -> Result<bool, DbError> {
        let mut transaction = begin(&self.pool, "reopen record").await?;
        let db = &mut *transaction;
        // People first, as everywhere.
        let actor = match caller {
            Some(caller) => Some(self.person(db, caller).await?),
            None => None,
        };
        connections::lock(db, record.id).await?;
        if !connections::reopen(db, record.id, self.clock.now()).await? {
            return Ok(false);
        }
        let create = operations::create_of(db, record.id).await?;
        let event = self.event(EventKind::CreateAppeared, record, &create, json!({}));
        let event = match caller {
            Some(caller) => Event {
                actor,
                app: Some(caller.app()),
                request_id: Some(caller.request_id().to_owned()),
                ..event
            },
            None => self.of_the_service(event),
        };
        ledger_events::append(db, &event).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
