//! Cells of what happens once a change is recorded: it comes to its end, whatever is met on the way.

use azure_emulator::{Effect, Entry};
use serde_json::Value;

use super::bench::{Bench, Wrong, demand};
use super::calls::Call;
use super::outcome::Outcome;
use super::troubles::Trouble;
use crate::support::{Answer, PATIENCE, Portal};

/// How many calls after a change meet the trouble. More than one: one could be passed over by chance.
const FEW: u32 = 3;

/// What an operation that was begun leaves behind.
pub(super) struct Ended {
    operation: Answer,
    connection: Answer,
    events: Vec<String>,
}

impl Bench<'_> {
    /// A create that meets the trouble after it was recorded.
    pub(super) async fn create(&self) -> Result<(), Wrong> {
        let portal = self.app.how_to_portal();
        match self.call {
            Call::PutSettling => self.inject(Call::Put, Effect::ResetAfterEffect),
            Call::SecondAbsence => self.inject(Call::Put, Effect::status(429, &[("retry-after", "0")])),
            _ => {}
        }
        // The first read of the data connection is the one before the create.
        self.begin(u32::from(!matches!(self.call, Call::Put | Call::PutPoll)));
        let created = portal.create_waiting(&self.request(), 0).await;
        demand(matches!(created.status, 201 | 202), || {
            format!("not taken: {} {}", created.status, created.body)
        })?;
        let ended = self.end(&portal, &created).await?;
        self.judge_create(&ended)
    }

    /// A create's end is the one that the outcome's name stands for.
    pub(super) fn judge_create(&self, ended: &Ended) -> Result<(), Wrong> {
        let (status, state, puts, doubt) = match self.outcome {
            Outcome::Active(puts) => ("succeeded", "active", puts, false),
            Outcome::ActiveAfterDoubt | Outcome::UnsettledThenActive => ("succeeded", "active", 1, true),
            Outcome::FailedAfterDoubt => ("failed", "failed", 1, true),
            _ => ("failed", "failed", 1, false),
        };
        let code = match (self.outcome, status) {
            (Outcome::FailedRefused, _) => Some("azureRefused"),
            (Outcome::GivenUp, _) => Some("notSent"),
            (_, "failed") => Some("azureFailed"),
            _ => None,
        };
        ended.is(status, state, code)?;
        ended.has_ledger("create", status, doubt)?;
        self.writes_are(puts, 0)?;
        self.is_at_arm(state == "active")
    }

    /// A removal that meets the trouble after it was recorded.
    pub(super) async fn removal(&self) -> Result<(), Wrong> {
        let portal = self.app.how_to_portal();
        let id = self.made(&portal).await?;
        self.app.emulator.journal().clear();
        if self.call == Call::DeleteSettling {
            self.inject(Call::Delete, Effect::ResetAfterEffect);
        }
        // The first read of the data connection is the one before the request.
        self.begin(u32::from(self.call == Call::DeleteSettling));
        let asked = portal.remove_waiting(&id, 0).await;
        demand(matches!(asked.status, 200 | 202), || {
            format!("not taken: {} {}", asked.status, asked.body)
        })?;
        let ended = self.end(&portal, &asked).await?;
        let (status, state, deletes, doubt) = match self.outcome {
            Outcome::Removed(deletes) => ("succeeded", "removed", deletes, false),
            Outcome::RemovedAfterDoubt(deletes) => ("succeeded", "removed", deletes, true),
            Outcome::UnsettledThenRemoved | Outcome::RemovedAtLast => {
                let deletes = self.app.calls("DELETE", self.name).len();
                // Sent again and again only where it is the removal itself that fails.
                demand((deletes > 1) == (self.call == Call::Delete), || {
                    format!("{deletes} DELETEs")
                })?;
                ("succeeded", "removed", deletes, true)
            }
            _ => ("failed", "active", 1, false),
        };
        ended.is(status, state, (status == "failed").then_some("azureRefused"))?;
        ended.has_ledger("remove", status, doubt)?;
        self.writes_are(0, deletes)?;
        self.is_at_arm(state == "active")?;
        if state == "active" {
            let again = self.app.how_to_portal().remove(&id).await;
            demand(again.body["state"] == "removed", || {
                format!("it can't be removed afterwards: {}", again.body)
            })?;
        }
        Ok(())
    }

    /// The trouble before a change is asked for. One that meets the read that bears the change out begins when ARM is about to be
    /// done.
    fn begin(&self, skip: u32) {
        if self.call.is_read_back() {
            self.app.hold_operations();
        }
        if !self.call.is_read_back() || self.trouble == Trouble::ReadLag {
            self.begin_trouble(skip);
        }
    }

    /// ARM is done soon after the first question how far it is.
    async fn let_arm_finish(&self) -> Result<(), Wrong> {
        let journal = self.app.emulator.journal();
        let is_poll = |entry: &Entry| entry.path_and_query.contains("/operationResults/");
        let polled = journal.wait_for(is_poll, PATIENCE).await;
        demand(polled.is_some(), || "nobody asks how far ARM is".to_owned())?;
        if self.trouble != Trouble::ReadLag {
            self.begin_trouble(0);
        }
        self.app.release_operations();
        Ok(())
    }

    pub(super) fn begin_trouble(&self, skip: u32) {
        let Some(fault) = self.fault() else {
            return self.begin_lag();
        };
        let fault = fault.after(skip);
        let once = matches!(self.call, Call::Put | Call::Delete) || self.trouble.is_time_out();
        self.app.emulator.inject(match self.trouble {
            Trouble::EndlessOutage => fault.always(),
            _ if once => fault.times(1),
            _ => fault.times(FEW),
        });
    }

    /// The operation's end, and what it leaves.
    async fn end(&self, portal: &Portal, asked: &Answer) -> Result<Ended, Wrong> {
        let (id, operation) = (asked.text("/id"), asked.text("/lastOperation/id"));
        if self.call.is_read_back() {
            self.let_arm_finish().await?;
        }
        match self.trouble {
            Trouble::EndlessOutage => self.outlast(portal, id).await?,
            // Reads lag until the call has met that.
            Trouble::ReadLag => {
                // The read before the change lags behind nothing: one after it has to find what was there before.
                let method = if asked.text("/lastOperation/kind") == "create" {
                    "PUT"
                } else {
                    "DELETE"
                };
                self.app.wait_for_calls(method, self.name, 1).await;
                let reads = self.app.calls("GET", self.name).len();
                self.app.wait_for_calls("GET", self.name, reads + 1).await;
                self.meets_trouble().await?;
                self.long_after();
            }
            // A success that did nothing is believed until the deadline.
            Trouble::Status299 if self.call == Call::Delete => {
                self.meets_trouble().await?;
                self.long_after();
            }
            _ => {}
        }
        let operation = self.ended(portal, operation).await?;
        self.was_met()?;
        Ok(Ended::of(portal, id, operation).await)
    }

    /// The outage goes on past the operation's deadline. What can't be told by then is unsettled and stays so while it lasts.
    pub(super) async fn outlast(&self, portal: &Portal, id: &str) -> Result<(), Wrong> {
        if self.outcome == Outcome::RemovedAtLast {
            // Each time that it is sent it has its time to end anew.
            self.app.wait_for_calls("DELETE", self.name, 2).await;
        } else {
            self.meets_trouble().await?;
            self.long_after();
        }
        let unsettled = matches!(
            self.outcome,
            Outcome::UnsettledThenActive | Outcome::UnsettledThenRemoved
        );
        if unsettled {
            let path = format!("/v1/connections/{id}");
            let is_unsettled = |body: &Value| body["state"] == "unsettled";
            let connection = self.until(portal, &path, is_unsettled).await?;
            demand(connection.body["lastOperation"]["status"] == "unsettled", || {
                connection.body.to_string()
            })?;
            let looks = || {
                let entries = self.app.emulator.journal().entries();
                entries
                    .iter()
                    .filter(|entry| self.call.is(entry, self.name))
                    .count()
            };
            // It goes on being looked at.
            let (before, journal) = (looks(), self.app.emulator.journal());
            let more = journal.wait_for(|_| looks() > before + 1, PATIENCE).await;
            demand(more.is_some(), || "nobody looks any more".to_owned())?;
            let still = portal.connection(id).await;
            demand(still.body["state"] == "unsettled", || still.body.to_string())?;
        }
        self.was_met()?;
        self.app.emulator.clear_faults();
        Ok(())
    }
}

impl Ended {
    pub(super) async fn of(portal: &Portal, id: &str, operation: Answer) -> Self {
        Self {
            operation,
            connection: portal.connection(id).await,
            events: portal.event_kinds(id).await,
        }
    }

    fn is(&self, status: &str, state: &str, code: Option<&str>) -> Result<(), Wrong> {
        let (operation, connection) = (&self.operation.body, &self.connection.body);
        let found = (operation["status"].as_str(), connection["state"].as_str());
        demand(found == (Some(status), Some(state)), || {
            format!("{found:?}: {operation} {connection} {:?}", self.events)
        })?;
        let told = operation["error"]["code"].as_str();
        demand(told == code, || format!("error {told:?}: {operation}"))
    }

    /// The ledger tells the intent once, the doubt if there was any, and the end last.
    fn has_ledger(&self, change: &str, status: &str, doubt: bool) -> Result<(), Wrong> {
        let events = &self.events;
        let count = |kind: &str| events.iter().filter(|event| *event == kind).count();
        let end = format!("{change}.{status}");
        let is_told = count(&format!("{change}.intended")) == 1
            && events.last() == Some(&end)
            && count(&end) == 1
            && (count("outcome.unknown") > 0) == doubt;
        demand(is_told, || format!("ledger: {events:?}"))
    }
}
