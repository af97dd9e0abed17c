//! The tokens of operations under way: in the memory of the replica that was given them, and nowhere else. They go with the
//! operation's end, at the latest with their own.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::Caller;
use crate::connection::OperationId;

/// What the holder of an operation's tokens may do with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Read at ARM, to follow or settle: the tokens came with a permitted viewer's request.
    Read,
    /// Change at ARM: the tokens are of the person who asked for the change.
    Write,
}

/// Callers, by operation.
#[derive(Debug, Default)]
pub(super) struct Vault(Mutex<Shelves>);

#[derive(Debug, Default)]
struct Shelves {
    held: HashMap<OperationId, Held>,
    /// How many were ever kept.
    kept: u64,
}

#[derive(Debug)]
struct Held {
    allowed: Use,
    caller: Caller,
    stamp: Stamp,
}

/// Tells one caller's tokens for an operation from later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(u64);

impl Vault {
    /// Keeps a caller's tokens for an operation. Tokens to write with are never replaced by tokens to read with,
    /// unless the former have run out.
    pub(super) fn keep(&self, operation: OperationId, allowed: Use, caller: Caller, now: DateTime<Utc>) {
        let mut shelves = self.shelves();
        // An operation that another replica ended is never forgotten by name: what has run out goes whenever something comes.
        shelves
            .held
            .retain(|_, held| held.caller.actor_token().expires_at() > now);
        let keeps_better = shelves
            .held
            .get(&operation)
            .is_some_and(|held| held.allowed > allowed);
        if !keeps_better {
            shelves.kept += 1;
            let stamp = Stamp(shelves.kept);
            let held = Held {
                allowed,
                caller,
                stamp,
            };
            shelves.held.insert(operation, held);
        }
    }

    /// The operations that tokens are held for.
    pub(super) fn operations(&self, now: DateTime<Utc>) -> Vec<uuid::Uuid> {
        let shelves = self.shelves();
        let good = shelves
            .held
            .iter()
            .filter(|(_, held)| held.caller.actor_token().expires_at() > now);
        good.map(|(operation, _)| operation.uuid()).collect()
    }

    /// The caller whose tokens may be used for an operation in this way.
    pub(super) fn for_use(&self, operation: OperationId, wanted: Use) -> Option<Caller> {
        self.shelves()
            .held
            .get(&operation)
            .filter(|held| held.allowed >= wanted)
            .map(|held| held.caller.clone())
    }

    /// Which tokens are held for an operation.
    pub(super) fn stamp(&self, operation: OperationId) -> Option<Stamp> {
        self.shelves().held.get(&operation).map(|held| held.stamp)
    }

    /// Forgets the tokens of an operation that has ended.
    pub(super) fn forget(&self, operation: OperationId) {
        self.shelves().held.remove(&operation);
    }

    /// Forgets the tokens of an operation that were tried in vain; gives whether others have come since.
    pub(super) fn give_up(&self, operation: OperationId, tried: Option<Stamp>) -> bool {
        let mut shelves = self.shelves();
        let held = shelves.held.get(&operation).map(|held| held.stamp);
        if held == tried {
            shelves.held.remove(&operation);
        }
        held.is_some() && held != tried
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
