//! The tokens of operations under way: in the memory of the replica that accepted them, and nowhere else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

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
    pub(super) fn keep(
        &self,
        operation: OperationId,
        allowed: Use,
        caller: Caller,
        now: chrono::DateTime<chrono::Utc>,
    ) {
        let mut callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keeps_better = callers
            .get(&operation)
            .is_some_and(|(held, holder)| *held > allowed && holder.actor_token().expires_at() > now);
        if !keeps_better {
            callers.insert(operation, (allowed, caller));
        }
    }

    /// The caller whose tokens may be used for an operation in this way.
    pub(super) fn for_use(&self, operation: OperationId, wanted: Use) -> Option<Caller> {
        let callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        callers
            .get(&operation)
            .filter(|(allowed, _)| *allowed >= wanted)
            .map(|(_, caller)| caller.clone())
    }

    /// Forgets the tokens of an operation that has ended or gone elsewhere.
    pub(super) fn forget(&self, operation: OperationId) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&operation);
    }
}
