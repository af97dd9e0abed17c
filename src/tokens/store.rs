//! The tokens of operations under way: in the memory of the replica that was given them, and nowhere else. They go with the
//! operation's end, at the latest with their own.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::authz::Caller;
use crate::domain::ConnectionId;
use crate::domain::OperationId;

/// What the holder of an operation's tokens may do with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Use {
    /// Read at ARM, to follow or settle: the tokens came with a permitted viewer's request.
    Read,
    /// Change at ARM: the tokens are of the person who asked for the change.
    Write,
}

/// Callers, by operation.
#[derive(Debug, Default)]
pub(crate) struct Vault(Mutex<Shelves>);

#[derive(Debug, Default)]
struct Shelves {
    held: HashMap<OperationId, Held>,
    /// How many were ever kept.
    kept: u64,
}

#[derive(Debug)]
struct Held {
    connection: ConnectionId,
    allowed: Use,
    caller: Caller,
    stamp: Stamp,
    /// Whether another operation of the same connection may read with them: not after they were of no use to one.
    lends: bool,
    /// Whether Entra was asked for more with this sign-in.
    answered: bool,
    /// Until when Entra gives nothing for them.
    put_off_until: Option<DateTime<Utc>>,
}

impl Held {
    fn is_put_off(&self, now: DateTime<Utc>) -> bool {
        self.put_off_until.is_some_and(|until| until > now)
    }
}

impl Shelves {
    fn stamped(&mut self, stamp: Stamp) -> Option<&mut Held> {
        self.held.values_mut().find(|held| held.stamp == stamp)
    }
}

/// Tells one caller's tokens for an operation from later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Vault {
    /// Keeps a caller's tokens for an operation of a connection. Tokens to write with are never replaced by tokens to read
    /// with, unless the former have run out or are put off.
    pub(crate) fn keep(
        &self,
        (operation, connection): (OperationId, ConnectionId),
        allowed: Use,
        caller: Caller,
        now: DateTime<Utc>,
    ) {
        let mut shelves = self.shelves();
        // An operation that another replica ended is never forgotten by name: what has run out goes whenever something comes.
        shelves
            .held
            .retain(|_, held| held.caller.actor_token().expires_at() > now);
        // Nor by another person's: what is about to be sent in somebody's name goes with their tokens.
        let keeps_better = shelves.held.get(&operation).is_some_and(|held| {
            let is_anothers = held.allowed == Use::Write && held.caller.actor() != caller.actor();
            !held.is_put_off(now) && (held.allowed > allowed || is_anothers)
        });
        if !keeps_better {
            shelves.kept += 1;
            let stamp = Stamp(shelves.kept);
            let held = Held {
                connection,
                allowed,
                caller,
                stamp,
                lends: true,
                answered: false,
                put_off_until: None,
            };
            shelves.held.insert(operation, held);
        }
    }

    /// The operations that tokens are held for, and the connections that some may be read with; none that Entra puts off.
    pub(crate) fn held(&self, now: DateTime<Utc>) -> (Vec<uuid::Uuid>, Vec<uuid::Uuid>) {
        let shelves = self.shelves();
        let good = |held: &&Held| held.caller.actor_token().expires_at() > now && !held.is_put_off(now);
        let operations = shelves.held.iter().filter(|(_, held)| good(held));
        let lending = shelves.held.values().filter(good).filter(|held| held.lends);
        (
            operations.map(|(operation, _)| operation.uuid()).collect(),
            lending.map(|held| held.connection.uuid()).collect(),
        )
    }

    /// The caller whose tokens may be used for an operation in this way.
    pub(crate) fn for_use(&self, operation: OperationId, wanted: Use) -> Option<Caller> {
        self.shelves()
            .held
            .get(&operation)
            .filter(|held| held.allowed >= wanted)
            .map(|held| held.caller.clone())
    }

    /// The caller of another operation of the same connection, whose tokens may be read with.
    pub(crate) fn to_borrow(&self, connection: ConnectionId, now: DateTime<Utc>) -> Option<(Caller, Stamp)> {
        let shelves = self.shelves();
        let mut lending = shelves.held.values();
        let found = lending.find(|held| held.lends && held.connection == connection && !held.is_put_off(now));
        found.map(|held| (held.caller.clone(), held.stamp))
    }

    /// What was borrowed was of no use: it is not lent again, unless it is only put off.
    pub(crate) fn give_back(&self, borrowed: Stamp, now: DateTime<Utc>) {
        if let Some(held) = self.shelves().stamped(borrowed) {
            held.lends = held.is_put_off(now);
        }
    }

    /// The caller whose sign-in may have what ARM demands of a write, unless that was asked already.
    pub(crate) fn to_answer(&self, operation: OperationId) -> Option<Caller> {
        let shelves = self.shelves();
        let held = shelves.held.get(&operation)?;
        (held.allowed == Use::Write && !held.answered).then(|| held.caller.clone())
    }

    /// Entra has said whether the sign-in has it.
    pub(crate) fn answered(&self, operation: OperationId) {
        if let Some(held) = self.shelves().held.get_mut(&operation) {
            held.answered = true;
        }
    }

    /// Which tokens are held for an operation.
    pub(crate) fn stamp(&self, operation: OperationId) -> Option<Stamp> {
        self.shelves().held.get(&operation).map(|held| held.stamp)
    }

    /// Forgets the tokens of an operation that has ended, or goes on with another's.
    pub(crate) fn forget(&self, operation: OperationId) {
        self.shelves().held.remove(&operation);
    }

    /// Entra gives nothing until then for the tokens that were tried: any others are better.
    pub(crate) fn put_off(&self, tried: Stamp, until: DateTime<Utc>) {
        if let Some(held) = self.shelves().stamped(tried) {
            held.put_off_until = Some(until);
        }
    }

    /// Forgets the tokens of an operation that were tried in vain, unless they are only put off; gives whether others have come
    /// since.
    pub(crate) fn give_up(&self, operation: OperationId, tried: Option<Stamp>, now: DateTime<Utc>) -> bool {
        let mut shelves = self.shelves();
        let Some(held) = shelves.held.get(&operation) else {
            return false;
        };
        let others_came = Some(held.stamp) != tried;
        if !others_came && !held.is_put_off(now) {
            shelves.held.remove(&operation);
        }
        others_came
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
    use crate::domain::{ObjectId, Person, TenantId};
    use crate::entra::UserToken;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn operation(number: u128) -> OperationId {
        OperationId::new(Uuid::from_u128(number))
    }

    fn both(number: u128) -> (OperationId, ConnectionId) {
        (operation(number), ConnectionId::new(Uuid::from_u128(7)))
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
        vault.keep(both(1), Use::Read, caller("look", 60), now());
        assert_eq!(holder(&vault, Use::Read).as_deref(), Some("look"));
        assert_eq!(holder(&vault, Use::Write), None);
        vault.keep(both(1), Use::Write, caller("change", 60), now());
        vault.keep(both(1), Use::Read, caller("look again", 60), now());
        assert_eq!(holder(&vault, Use::Read).as_deref(), Some("change"));

        let later = now() + TimeDelta::minutes(61);
        vault.keep(both(1), Use::Read, caller("late look", 120), later);
        assert_eq!(holder(&vault, Use::Read).as_deref(), Some("late look"));
        assert_eq!(holder(&vault, Use::Write), None);
    }

    #[test]
    fn what_has_run_out_goes_although_nobody_forgets_it() {
        let vault = Vault::default();
        for number in 1..=100 {
            vault.keep(both(number), Use::Write, caller("change", 60), now());
        }
        let later = now() + TimeDelta::minutes(60);
        assert_eq!(vault.held(now()).0.len(), 100);
        assert_eq!(vault.held(later).0.len(), 0);
        vault.keep(both(101), Use::Write, caller("change", 120), later);
        assert_eq!(vault.shelves().held.len(), 1);
    }

    #[test]
    fn tokens_that_came_after_others_were_tried_in_vain_are_not_given_up_with_them() {
        let vault = Vault::default();
        vault.keep(both(1), Use::Read, caller("look", 60), now());
        let tried = vault.stamp(operation(1));
        vault.keep(both(1), Use::Write, caller("change", 60), now());
        assert!(vault.give_up(operation(1), tried, now()), "others have come");
        assert_eq!(holder(&vault, Use::Write).as_deref(), Some("change"));
        let tried = vault.stamp(operation(1));
        assert!(!vault.give_up(operation(1), tried, now()));
        assert_eq!(holder(&vault, Use::Read), None);
        assert!(
            !vault.give_up(operation(1), None, now()),
            "there is nothing to give up"
        );
    }

    #[test]
    fn tokens_that_entra_puts_off_are_kept_until_others_come() {
        let vault = Vault::default();
        vault.keep(both(1), Use::Write, caller("change", 60), now());
        let tried = vault.stamp(operation(1));
        let until = now() + TimeDelta::minutes(10);
        vault.put_off(tried.expect("a stamp"), until);
        assert!(!vault.give_up(operation(1), tried, now()));
        assert_eq!(holder(&vault, Use::Write).as_deref(), Some("change"));
        // Entra is not asked about them before.
        assert_eq!(vault.held(now()), (Vec::new(), Vec::new()));
        assert_eq!(vault.held(until).0, [operation(1).uuid()]);
        // Past that time they are as good as any.
        vault.keep(both(1), Use::Read, caller("late look", 60), until);
        assert_eq!(holder(&vault, Use::Read).as_deref(), Some("change"));
        vault.keep(both(1), Use::Read, caller("look", 60), now());
        assert_eq!(holder(&vault, Use::Read).as_deref(), Some("look"));
        vault.put_off(tried.expect("a stamp"), until);
        assert!(!vault.give_up(operation(1), vault.stamp(operation(1)), now()));
        assert_eq!(vault.stamp(operation(1)), None, "of others was said nothing");
    }

    #[test]
    fn tokens_are_lent_to_another_operation_of_the_connection_until_they_were_of_no_use() {
        let vault = Vault::default();
        let connection = both(1).1;
        assert!(vault.to_borrow(connection, now()).is_none());
        vault.keep(both(1), Use::Write, caller("change", 60), now());
        let (lender, stamp) = vault.to_borrow(connection, now()).expect("tokens to read with");
        assert_eq!(lender.request_id(), "change");
        assert!(
            vault
                .to_borrow(ConnectionId::new(Uuid::from_u128(8)), now())
                .is_none()
        );
        // What Entra only puts off is lent again later.
        let until = now() + TimeDelta::minutes(10);
        vault.put_off(stamp, until);
        vault.give_back(stamp, now());
        assert!(vault.to_borrow(connection, now()).is_none());
        assert!(vault.to_borrow(connection, until).is_some());
        vault.give_back(stamp, until);
        assert!(vault.to_borrow(connection, until).is_none());
        assert_eq!(vault.held(until).1.len(), 0);
        assert_eq!(holder(&vault, Use::Write).as_deref(), Some("change"));
    }
}
