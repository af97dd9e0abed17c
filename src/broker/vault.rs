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
pub(super) struct Vault(Mutex<HashMap<OperationId, (Use, Caller)>>);

impl Vault {
    /// Keeps a caller's tokens for an operation. Tokens to write with are never replaced by tokens to read with,
    /// unless the former have run out.
    pub(super) fn keep(&self, operation: OperationId, allowed: Use, caller: Caller, now: DateTime<Utc>) {
        let mut callers = self.callers();
        // An operation that another replica ended is never forgotten by name: what has run out goes whenever something comes.
        callers.retain(|_, (_, holder)| holder.actor_token().expires_at() > now);
        let keeps_better = callers.get(&operation).is_some_and(|(held, _)| *held > allowed);
        if !keeps_better {
            callers.insert(operation, (allowed, caller));
        }
    }

    /// The operations that tokens are held for.
    pub(super) fn operations(&self, now: DateTime<Utc>) -> Vec<uuid::Uuid> {
        let callers = self.callers();
        let good = callers
            .iter()
            .filter(|(_, (_, holder))| holder.actor_token().expires_at() > now);
        good.map(|(operation, _)| operation.uuid()).collect()
    }

    /// The caller whose tokens may be used for an operation in this way.
    pub(super) fn for_use(&self, operation: OperationId, wanted: Use) -> Option<Caller> {
        self.callers()
            .get(&operation)
            .filter(|(allowed, _)| *allowed >= wanted)
            .map(|(_, caller)| caller.clone())
    }

    /// Forgets the tokens of an operation that has ended, or that they don't open.
    pub(super) fn forget(&self, operation: OperationId) {
        self.callers().remove(&operation);
    }

    fn callers(&self) -> MutexGuard<'_, HashMap<OperationId, (Use, Caller)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
