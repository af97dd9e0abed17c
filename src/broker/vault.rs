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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::connection::{ObjectId, Person, TenantId};
    use crate::entra::UserToken;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn operation(number: u128) -> OperationId {
        OperationId::new(Uuid::from_u128(number))
    }

    /// A caller whose token lasts so many minutes; told apart by the request.
    fn caller(request: &str, minutes: i64) -> Caller {
        let person = Person {
            tenant: TenantId::new(Uuid::from_u128(1)),
            object: ObjectId::new(Uuid::from_u128(2)),
        };
        let token = UserToken::unchecked(person, now() + TimeDelta::minutes(minutes));
        Caller::new(token, Vec::new(), request.to_owned()).expect("one token fits")
    }

    fn holder(vault: &Vault, wanted: Use) -> Option<String> {
        let caller = vault.for_use(operation(1), wanted)?;
        Some(caller.request_id().to_owned())
    }

    #[test]
    fn tokens_to_read_with_are_no_good_for_writing_and_never_replace_better_ones_that_last() {
        let vault = Vault::default();
        vault.keep(operation(1), Use::Read, caller("look", 60), now());
        assert_eq!(holder(&vault, Use::Read).as_deref(), Some("look"));
        assert_eq!(holder(&vault, Use::Write), None);
        vault.keep(operation(1), Use::Write, caller("change", 60), now());
        vault.keep(operation(1), Use::Read, caller("look again", 60), now());
        assert_eq!(holder(&vault, Use::Read).as_deref(), Some("change"));

        let later = now() + TimeDelta::minutes(61);
        vault.keep(operation(1), Use::Read, caller("late look", 120), later);
        assert_eq!(holder(&vault, Use::Read).as_deref(), Some("late look"));
        assert_eq!(holder(&vault, Use::Write), None);
    }

    #[test]
    fn what_has_run_out_goes_although_nobody_forgets_it() {
        let vault = Vault::default();
        for number in 1..=100 {
            vault.keep(operation(number), Use::Write, caller("change", 60), now());
        }
        let later = now() + TimeDelta::minutes(60);
        assert_eq!(vault.operations(now()).len(), 100);
        assert_eq!(vault.operations(later).len(), 0);
        vault.keep(operation(101), Use::Write, caller("change", 120), later);
        assert_eq!(vault.shelves().held.len(), 1);
    }

    #[test]
    fn tokens_that_came_after_others_were_tried_in_vain_are_not_given_up_with_them() {
        let vault = Vault::default();
        vault.keep(operation(1), Use::Read, caller("look", 60), now());
        let tried = vault.stamp(operation(1));
        vault.keep(operation(1), Use::Write, caller("change", 60), now());
        assert!(vault.give_up(operation(1), tried), "others have come");
        assert_eq!(holder(&vault, Use::Write).as_deref(), Some("change"));
        let tried = vault.stamp(operation(1));
        assert!(!vault.give_up(operation(1), tried));
        assert_eq!(holder(&vault, Use::Read), None);
        assert!(!vault.give_up(operation(1), None), "there is nothing to give up");
    }
}
