//! Kusto operations: started by a write, ended by the clock.
//! Nothing runs in the background: whoever looks first after an operation's time settles it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::lag::later;
use super::{Provisioning, ResourceId, Resources, validation};

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OperationKind {
    /// A PUT of a new data connection.
    Create,
    /// A PUT or PATCH of an existing one.
    Update,
    /// A DELETE.
    Delete,
    /// A POST of `dataConnectionValidation`; changes nothing.
    Validate,
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// ARM's error code.
    pub code: String,
    /// ARM's message.
    pub message: String,
}

/// Where an operation stands.
#[derive(Clone, Debug, PartialEq)]
pub enum OperationStatus {
    /// Its time has not come.
    Running,
    /// Done; a validation carries its findings.
    Succeeded(Option<Value>),
    /// Refused; the resource is as it was before.
    Failed(Failure),
    /// Another operation took over the resource meanwhile. Inferred: no recording shows this.
    Canceled,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// GUID in its URL.
    pub id: String,
    /// What it does.
    pub kind: OperationKind,
    /// The data connection it is about; the database's id with the connection's name for a validation.
    pub connection: ResourceId,
    /// The location segment of its URL, unescaped.
    pub location: String,
    /// The api-version of the call that started it.
    pub api_version: String,
    /// When it started.
    pub started: DateTime<Utc>,
    /// When it is over.
    pub ends: DateTime<Utc>,
    /// Where it stands.
    pub status: OperationStatus,
    /// `x-ms-operation-root-activity-id` of its polls.
    pub root_activity_id: String,
    /// The kind of data connection: results name what was done by it.
    pub(crate) connection_kind: String,
    /// What a validation looks at.
    pub(crate) candidate: Option<super::Wanted>,
    /// How it will fail whatever it does, decided at its start.
    pub(crate) doomed: Option<Failure>,
}

impl Operation {
    /// A running operation that takes `duration`.
    pub(crate) fn start(
        kind: OperationKind,
        connection: &ResourceId,
        location: &str,
        api_version: &str,
        now: DateTime<Utc>,
        duration: Duration,
    ) -> Operation {
        Operation {
            id: Uuid::new_v4().to_string(),
            kind,
            connection: connection.clone(),
            location: location.to_owned(),
            api_version: api_version.to_owned(),
            started: now,
            ends: later(now, duration),
            status: OperationStatus::Running,
            root_activity_id: Uuid::new_v4().to_string(),
            connection_kind: String::new(),
            candidate: None,
            doomed: None,
        }
    }
}

/// How many operations are kept that are over; the oldest go first. Whoever polls one that is gone gets a 404.
const KEPT: usize = 10_000;
/// How many more there may be before they go, so that it is done seldom.
const SPARE: usize = 1_000;

impl Resources {
    /// Ends every operation whose time has come, in the order of their ends.
    pub fn settle(&mut self, now: DateTime<Utc>) {
        let is_over = |o: &&Operation| o.status != OperationStatus::Running;
        self.settled += self
            .operations
            .iter()
            .skip(self.settled)
            .take_while(is_over)
            .count();
        let mut due: Vec<(DateTime<Utc>, usize)> = (self.operations.iter().enumerate().skip(self.settled))
            .filter(|(_, o)| o.status == OperationStatus::Running && o.ends <= now)
            .map(|(index, o)| (o.ends, index))
            .collect();
        due.sort_unstable();
        for (_, index) in due {
            if let Some(operation) = self.operations.get(index).cloned() {
                let status = self.conclude(&operation);
                self.end_stale(&operation);
                if let Some(operation) = self.operations.get_mut(index) {
                    operation.status = status;
                }
            }
        }
        self.forget_stale(now);
        self.forget_late_rights(now);
        self.forget_old_operations();
    }

    /// Running ones stay: each decides about something.
    fn forget_old_operations(&mut self) {
        if self.operations.len() < KEPT + SPARE {
            return;
        }
        let mut surplus = self.operations.len() - KEPT;
        self.operations.retain(|operation| {
            let goes = surplus > 0 && operation.status != OperationStatus::Running;
            surplus -= usize::from(goes);
            !goes
        });
        // Counted anew by whoever settles next.
        self.settled = 0;
    }

    /// Running operations.
    pub(crate) fn running(&self) -> impl Iterator<Item = &Operation> {
        let young = self.operations.iter().skip(self.settled);
        young.filter(|o| o.status == OperationStatus::Running)
    }

    /// Lets the running operations end now that `which` picks, whatever time they had left; with a failure, if one is
    /// given.
    pub fn finish_operations(
        &mut self,
        now: DateTime<Utc>,
        failure: Option<&Failure>,
        which: impl Fn(&Operation) -> bool,
    ) {
        let young = self.operations.iter_mut().skip(self.settled);
        for operation in young.filter(|o| o.status == OperationStatus::Running && which(o)) {
            operation.ends = now;
            operation.doomed = failure.cloned().or_else(|| operation.doomed.take());
        }
        self.settle(now);
    }

    fn conclude(&mut self, operation: &Operation) -> OperationStatus {
        if let (OperationKind::Validate, Some(candidate)) = (operation.kind, &operation.candidate) {
            let mut findings = self.findings(&operation.connection, candidate);
            if candidate.storage_account().is_some() && candidate.text("blobStorageEventType").is_none() {
                // Which versions beside the recorded one say it is a guess: those that have the member.
                let says = operation.api_version.as_str() >= "2020-09-18";
                findings.extend(says.then(|| validation::NO_EVENT_TYPE.to_owned()));
            }
            let value = findings
                .iter()
                .map(|text| serde_json::json!({ "errorMessage": text }))
                .collect();
            return OperationStatus::Succeeded(Some(Value::Array(value)));
        }
        let in_charge = |c: &super::DataConnection| c.operation.as_deref() == Some(operation.id.as_str());
        let Some(index) = self.data_connections.iter().position(in_charge) else {
            return OperationStatus::Canceled;
        };
        if let Some(failure) = &operation.doomed {
            self.end_write(index, false);
            return OperationStatus::Failed(failure.clone());
        }
        if operation.kind == OperationKind::Delete {
            self.data_connections.remove(index);
            return OperationStatus::Succeeded(None);
        }
        let Some(connection) = self.data_connections.get_mut(index) else {
            return OperationStatus::Canceled;
        };
        if connection.provisioning == Provisioning::Creating {
            connection.retrieval_start = operation.ends;
        }
        let Some(connection) = self.data_connections.get(index) else {
            return OperationStatus::Canceled;
        };
        let findings = self.findings(&connection.id, &connection.wanted);
        self.end_write(index, findings.is_empty());
        if findings.is_empty() {
            return OperationStatus::Succeeded(None);
        }
        // The code's spelling is Kusto's own (hashicorp/terraform-provider-azurerm issue 12776).
        OperationStatus::Failed(Failure {
            code: "EventHubValidationErorFound".to_owned(),
            message: format!("[BadRequest] Validation Errors found: {}", findings.join(", ")),
        })
    }

    /// Keeps what a write made, goes back to what was there before, or removes what never stood.
    fn end_write(&mut self, index: usize, succeeded: bool) {
        let Some(connection) = self.data_connections.get_mut(index) else {
            return;
        };
        let before = connection.before.take();
        let was_deleting = connection.provisioning == Provisioning::Deleting;
        connection.operation = None;
        connection.provisioning = Provisioning::Succeeded;
        match (succeeded, before) {
            (true, _) => {}
            (false, Some(before)) => *connection = *before,
            // A removal that failed leaves what was there.
            (false, None) if was_deleting => {}
            (false, None) => {
                self.data_connections.remove(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kusto/clusters/c/databases/d";

    #[test]
    fn operations_that_are_over_are_forgotten_in_time_and_running_ones_never() {
        let mut resources = Resources::default();
        let now = DateTime::UNIX_EPOCH;
        let id = ResourceId::parse(&format!("{DATABASE}/dataConnections/n")).unwrap();
        let start = |seconds| {
            let takes = Duration::from_secs(seconds);
            Operation::start(
                OperationKind::Create,
                &id,
                "West Europe",
                "2024-04-13",
                now,
                takes,
            )
        };
        let running = start(3600);
        resources.operations.push(running.clone());
        let mut last = String::new();
        for _ in 0..3 * KEPT / SPARE {
            for _ in 0..SPARE {
                let over = start(0);
                last.clone_from(&over.id);
                resources.operations.push(over);
            }
            resources.settle(now);
        }
        assert!((KEPT..=KEPT + SPARE).contains(&resources.operations.len()));
        assert_eq!(resources.running().count(), 1);
        assert!(resources.operation(&running.id).is_some() && resources.operation(&last).is_some());
    }
}
