//! Reads that lag: for a while after a change GET and list show what was there before
//! (pulumi/pulumi-azure-native issue 2633: 404 for a child of a cluster that was just created).
//! Everything else sees changes at once.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{DataConnection, Operation, ResourceId, Resources};

/// What reads show of one data connection until a time.
#[derive(Clone, Debug)]
pub(crate) struct Stale {
    id: ResourceId,
    /// As it was; nothing when it was not there.
    seen: Option<DataConnection>,
    /// The operation that changes it.
    operation: String,
    /// Nothing while that operation runs.
    until: Option<DateTime<Utc>>,
}

impl Resources {
    /// Remembers what reads go on showing when a change starts. Without a lag nothing is remembered.
    pub(super) fn note_stale(&mut self, id: &ResourceId, operation: &Operation) {
        if self.read_lag.is_zero() || self.stale.iter().any(|stale| stale.id == *id) {
            return;
        }
        self.stale.push(Stale {
            id: id.clone(),
            seen: self.connection(id).cloned(),
            operation: operation.id.clone(),
            until: None,
        });
    }

    /// From the end of the operation on the lag counts.
    pub(super) fn end_stale(&mut self, operation: &Operation) {
        let until = later(operation.ends, self.read_lag);
        let of_it = self
            .stale
            .iter_mut()
            .filter(|stale| stale.operation == operation.id);
        of_it.for_each(|stale| stale.until = Some(until));
    }

    /// Forgets what is shown no longer.
    pub(super) fn forget_stale(&mut self, now: DateTime<Utc>) {
        self.stale
            .retain(|stale| stale.until.is_none_or(|until| until > now));
    }

    /// A data connection as reads show it.
    pub(crate) fn seen(&self, id: &ResourceId) -> Option<&DataConnection> {
        match self.stale.iter().find(|stale| stale.id == *id) {
            Some(stale) => stale.seen.as_ref(),
            None => self.connection(id),
        }
    }

    /// Data connections within a scope as a list shows them, by name.
    pub(crate) fn seen_within(&self, scope: &ResourceId) -> Vec<&DataConnection> {
        let is_stale = |id: &ResourceId| self.stale.iter().any(|stale| stale.id == *id);
        let current = self.data_connections.iter().filter(|c| !is_stale(&c.id));
        let old = self.stale.iter().filter_map(|stale| stale.seen.as_ref());
        let mut all: Vec<&DataConnection> = current.chain(old).filter(|c| c.id.is_within(scope)).collect();
        all.sort_unstable_by_key(|c| c.id.key());
        all
    }
}
/// A time later by so much; the end of time if there is none so late.
pub(super) fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by)
        .ok()
        .and_then(|by| at.checked_add_signed(by))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
