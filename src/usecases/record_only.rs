//! Closes a record without a request to ARM: for a data connection that is surely gone, or was replaced by another person's.

use crate::ledger::details::{self, RemoveSucceededDetails};

use crate::arm::{DataConnection, from_arm};
use crate::authz::Caller;
use crate::db::{connections, ledger_events};
use crate::domain::{
    Code, ConnectionId, ConnectionRecord, Desired, Error, EventKind, Observed, OperationKind,
    OperationRecord, Phase, Refusal, removal_hash,
};
use crate::sources::Comparison;
use crate::upstream::ArmToken;
use crate::usecases::idempotency::Outcome;
use crate::usecases::removal_request::RemoveCommand;
use crate::usecases::remove::Remove;

impl Remove {
    /// Closes the record as removed, if a read finds its data connection gone or replaced.
    ///
    /// # Errors
    /// [`Code::StillPresent`] when it is still there, [`Code::ParentMissing`] when its database cannot be read, and those of a read.
    pub(crate) async fn remove_record_only(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
        wanted: &RemoveCommand,
        target: &ArmToken,
    ) -> Result<Outcome, Error> {
        let comparison = match self.read_for_record(record, target).await? {
            Some(found) => self.late_effects.compared_with_record(record, &found).await?,
            None => Comparison::Absent,
        };
        if !matches!(comparison, Comparison::Absent | Comparison::Replaced(_)) {
            let detail = "Azure still has the data connection, so the record is not closed; remove the connection instead";
            return Err(Refusal::new(Code::StillPresent, detail).into());
        }
        let (service, by, id, wanted) = (self.clone(), caller.clone(), record.id, wanted.clone());
        let work = async move { service.close_record(&by, id, &wanted, &comparison).await };
        let operation = self.driver.replica.spawn_uncancellable(work).await?;
        Ok(Outcome::began(operation))
    }

    /// What ARM holds under a connection's name; `None` only if its database can be read.
    async fn read_for_record(
        &self,
        record: &ConnectionRecord,
        target: &ArmToken,
    ) -> Result<Option<DataConnection>, Error> {
        let missing = || {
            let detail = "neither the data connection nor its database can be read, which does not prove a removal; try again when the database exists";
            Error::from(Refusal::new(Code::ParentMissing, detail))
        };
        match self.driver.arm.data_connection(target, &record.arm_id).await {
            Ok(Some(found)) => Ok(Some(found)),
            Ok(None) => match self
                .driver
                .arm
                .database_exists(target, &record.arm_id.database())
                .await
            {
                Ok(true) => Ok(None),
                Ok(false) => Err(missing()),
                Err(error) if error.status() == Some(404) => Err(missing()),
                Err(error) => Err(from_arm(&error, Some(target))),
            },
            Err(error) if error.status() == Some(404) => Err(missing()),
            Err(error) => Err(from_arm(&error, Some(target))),
        }
    }

    /// One commit: the desired state, an ended operation, the end of the record, the request's key, the ledger event.
    async fn close_record(
        &self,
        caller: &Caller,
        id: ConnectionId,
        wanted: &RemoveCommand,
        comparison: &Comparison,
    ) -> Result<OperationRecord, Error> {
        let mut transaction = self.db.begin("close record").await?;
        let db = &mut *transaction;
        let actor = self.recorder.ensure_actor(db, caller).await?;
        connections::lock(db, id).await?;
        let gone = || Error::Internal("a connection vanished".to_owned());
        let record = connections::find(db, id).await?.ok_or_else(gone)?;
        wanted.accepted(&record)?;
        let is_changing = record
            .last_operation
            .as_ref()
            .is_some_and(|operation| !operation.phase.is_terminal());
        if is_changing || record.closed_at.is_some() {
            let detail = "another change of the connection is running; try again when it has ended";
            return Err(Refusal::new(Code::ChangeInProgress, detail).into());
        }
        let mut operation =
            self.queue
                .new_operation(id, OperationKind::Remove, removal_hash(id), actor, caller);
        operation.phase = Phase::Succeeded;
        operation.dispatched_at = None;
        operation.finished_at = Some(operation.created_at);
        connections::set_desired(db, id, Desired::Absent).await?;
        connections::set_observed(db, id, Observed::Absent, self.driver.clock.now(), true, false).await?;
        let new = self.queue.to_record(operation);
        let cluster = record.target.database.cluster();
        self.queue.insert(db, &new, &cluster).await?;
        self.keys
            .keep_key(db, caller, wanted.keyed.as_ref(), &new.record)
            .await?;
        let details = details::json(&RemoveSucceededDetails {
            record_only: Some(true),
            state_before: Some(record.state()),
            comparison: Some(comparison.word()),
            differences: Some(comparison.differences().to_vec()),
            ..RemoveSucceededDetails::default()
        });
        let mut event = self
            .recorder
            .event(EventKind::RemoveSucceeded, &record, &new.record, details);
        event.request_id = Some(caller.request_id().to_owned());
        ledger_events::append(db, &event).await?;
        transaction.commit().await?;
        self.driver.signals.changed(id);
        Ok(new.record)
    }
}
