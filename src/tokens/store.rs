//! The tokens of running operations: in the memory of the replica that received them, and nowhere else. They are dropped when the
//! operation ends, at the latest when they expire.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::authz::Caller;
use crate::domain::{ConnectionId, OperationId};

/// What the holder of an operation's tokens may do with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    /// Read at ARM, to follow or settle: the tokens came with a permitted viewer's request.
    Read,
    /// Change at ARM: the tokens are the operation's actor's.
    Write,
}

/// Callers, by operation.
#[derive(Debug, Default)]
pub(crate) struct TokenStore(Mutex<StoredTokensMap>);

#[derive(Debug, Default)]
struct StoredTokensMap {
    held: HashMap<OperationId, StoredTokens>,
    /// How many were ever stored.
    kept: u64,
}

#[derive(Debug)]
struct StoredTokens {
    connection: ConnectionId,
    allowed: Access,
    caller: Caller,
    version: TokenVersion,
    /// Whether another operation of the same connection may read with them: not after they failed for one.
    lends: bool,
    /// Whether Entra was asked for more claims with this sign-in.
    answered: bool,
    /// Until when Entra defers their exchange.
    put_off_until: Option<DateTime<Utc>>,
}

impl StoredTokens {
    fn is_put_off(&self, now: DateTime<Utc>) -> bool {
        self.put_off_until.is_some_and(|until| until > now)
    }
}

impl StoredTokensMap {
    fn of_version(&mut self, version: TokenVersion) -> Option<&mut StoredTokens> {
        self.held.values_mut().find(|held| held.version == version)
    }
}

/// Distinguishes one caller's tokens for an operation from later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenVersion(u64);

impl TokenStore {
    /// Keeps a caller's tokens for an operation of a connection. Tokens to write with are never replaced by tokens to read
    /// with, unless the former have expired or are deferred.
    pub(crate) fn keep(
        &self,
        (operation, connection): (OperationId, ConnectionId),
        allowed: Access,
        caller: Caller,
        now: DateTime<Utc>,
    ) {
        let mut entries = self.entries();
        // Nothing removes the tokens of an operation that another replica ended: drop what has expired.
        entries
            .held
            .retain(|_, held| held.caller.actor_token().expires_at() > now);
        // Nor by another person's: what is sent in an actor's name needs that actor's tokens.
        let keeps_better = entries.held.get(&operation).is_some_and(|held| {
            let is_anothers = held.allowed == Access::Write && held.caller.actor() != caller.actor();
            !held.is_put_off(now) && (held.allowed > allowed || is_anothers)
        });
        if !keeps_better {
            entries.kept += 1;
            let version = TokenVersion(entries.kept);
            let held = StoredTokens {
                connection,
                allowed,
                caller,
                version,
                lends: true,
                answered: false,
                put_off_until: None,
            };
            entries.held.insert(operation, held);
        }
    }

    /// The operations with stored tokens, and the connections that some may read; none that Entra defers.
    pub(crate) fn held(&self, now: DateTime<Utc>) -> (Vec<uuid::Uuid>, Vec<uuid::Uuid>) {
        let entries = self.entries();
        let good =
            |held: &&StoredTokens| held.caller.actor_token().expires_at() > now && !held.is_put_off(now);
        let operations = entries.held.iter().filter(|(_, held)| good(held));
        let lending = entries.held.values().filter(good).filter(|held| held.lends);
        (
            operations.map(|(operation, _)| operation.uuid()).collect(),
            lending.map(|held| held.connection.uuid()).collect(),
        )
    }

    /// The caller whose tokens may be used for an operation in this way; none that Entra defers.
    pub(crate) fn for_use(
        &self,
        operation: OperationId,
        wanted: Access,
        now: DateTime<Utc>,
    ) -> Option<Caller> {
        self.entries()
            .held
            .get(&operation)
            .filter(|held| held.allowed >= wanted && !held.is_put_off(now))
            .map(|held| held.caller.clone())
    }

    /// The caller of another operation of the same connection, whose tokens may be read with.
    pub(crate) fn to_borrow(
        &self,
        connection: ConnectionId,
        now: DateTime<Utc>,
    ) -> Option<(Caller, TokenVersion)> {
        let entries = self.entries();
        let mut lending = entries.held.values();
        let found = lending.find(|held| held.lends && held.connection == connection && !held.is_put_off(now));
        found.map(|held| (held.caller.clone(), held.version))
    }

    /// The borrowed tokens failed: they are not lent again, unless Entra only defers them.
    pub(crate) fn give_back(&self, borrowed: TokenVersion, now: DateTime<Utc>) {
        if let Some(held) = self.entries().of_version(borrowed) {
            held.lends = held.is_put_off(now);
        }
    }

    /// The caller whose sign-in may have the claims that ARM requires for a write, unless that was tried already.
    pub(crate) fn to_answer(&self, operation: OperationId) -> Option<Caller> {
        let entries = self.entries();
        let held = entries.held.get(&operation)?;
        (held.allowed == Access::Write && !held.answered).then(|| held.caller.clone())
    }

    /// Entra has said whether the sign-in has it.
    pub(crate) fn answered(&self, operation: OperationId) {
        if let Some(held) = self.entries().held.get_mut(&operation) {
            held.answered = true;
        }
    }

    /// The version of the tokens stored for an operation.
    pub(crate) fn version(&self, operation: OperationId) -> Option<TokenVersion> {
        self.entries().held.get(&operation).map(|held| held.version)
    }

    /// Drops the tokens of an operation that has ended, or continues in another person's name.
    pub(crate) fn forget(&self, operation: OperationId) {
        self.entries().held.remove(&operation);
    }

    /// Entra defers the tokens that were tried until then: any others are better.
    pub(crate) fn put_off(&self, tried: TokenVersion, until: DateTime<Utc>) {
        if let Some(held) = self.entries().of_version(tried) {
            held.put_off_until = Some(until);
        }
    }

    /// Drops the tokens of an operation that failed, unless they are only deferred; returns whether others have arrived
    /// since.
    pub(crate) fn give_up(
        &self,
        operation: OperationId,
        tried: Option<TokenVersion>,
        now: DateTime<Utc>,
    ) -> bool {
        let mut entries = self.entries();
        let Some(held) = entries.held.get(&operation) else {
            return false;
        };
        let others_came = Some(held.version) != tried;
        if !others_came && !held.is_put_off(now) {
            entries.held.remove(&operation);
        }
        others_came
    }

    fn entries(&self) -> MutexGuard<'_, StoredTokensMap> {
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

    fn holder(store: &TokenStore, wanted: Access) -> Option<String> {
        let caller = store.for_use(operation(1), wanted, now())?;
        Some(caller.request_id().to_owned())
    }

    #[test]
    fn tokens_to_read_with_are_no_good_for_writing_and_never_replace_better_ones_that_last() {
        let store = TokenStore::default();
        store.keep(both(1), Access::Read, caller("look", 60), now());
        assert_eq!(holder(&store, Access::Read).as_deref(), Some("look"));
        assert_eq!(holder(&store, Access::Write), None);
        store.keep(both(1), Access::Write, caller("change", 60), now());
        store.keep(both(1), Access::Read, caller("look again", 60), now());
        assert_eq!(holder(&store, Access::Read).as_deref(), Some("change"));

        let later = now() + TimeDelta::minutes(61);
        store.keep(both(1), Access::Read, caller("late look", 120), later);
        assert_eq!(holder(&store, Access::Read).as_deref(), Some("late look"));
        assert_eq!(holder(&store, Access::Write), None);
    }

    #[test]
    fn what_has_run_out_goes_although_nobody_forgets_it() {
        let store = TokenStore::default();
        for number in 1..=100 {
            store.keep(both(number), Access::Write, caller("change", 60), now());
        }
        let later = now() + TimeDelta::minutes(60);
        assert_eq!(store.held(now()).0.len(), 100);
        assert_eq!(store.held(later).0.len(), 0);
        store.keep(both(101), Access::Write, caller("change", 120), later);
        assert_eq!(store.entries().held.len(), 1);
    }

    #[test]
    fn tokens_that_came_after_others_were_tried_in_vain_are_not_given_up_with_them() {
        let store = TokenStore::default();
        store.keep(both(1), Access::Read, caller("look", 60), now());
        let tried = store.version(operation(1));
        store.keep(both(1), Access::Write, caller("change", 60), now());
        assert!(store.give_up(operation(1), tried, now()), "others have come");
        assert_eq!(holder(&store, Access::Write).as_deref(), Some("change"));
        let tried = store.version(operation(1));
        assert!(!store.give_up(operation(1), tried, now()));
        assert_eq!(holder(&store, Access::Read), None);
        assert!(
            !store.give_up(operation(1), None, now()),
            "there is nothing to give up"
        );
    }

    #[test]
    fn tokens_that_entra_puts_off_are_kept_until_others_come() {
        let store = TokenStore::default();
        store.keep(both(1), Access::Write, caller("change", 60), now());
        let tried = store.version(operation(1));
        let until = now() + TimeDelta::minutes(10);
        store.put_off(tried.expect("a stamp"), until);
        assert!(!store.give_up(operation(1), tried, now()));
        // Entra is not asked about them before.
        assert_eq!(holder(&store, Access::Write), None);
        assert!(store.for_use(operation(1), Access::Write, until).is_some());
        assert_eq!(store.held(now()), (Vec::new(), Vec::new()));
        assert_eq!(store.held(until).0, [operation(1).uuid()]);
        // Past that time they are as good as any.
        store.keep(both(1), Access::Read, caller("late look", 60), until);
        let later = store.for_use(operation(1), Access::Read, until);
        assert_eq!(
            later.map(|caller| caller.request_id().to_owned()).as_deref(),
            Some("change")
        );
        store.keep(both(1), Access::Read, caller("look", 60), now());
        assert_eq!(holder(&store, Access::Read).as_deref(), Some("look"));
        store.put_off(tried.expect("a stamp"), until);
        assert!(!store.give_up(operation(1), store.version(operation(1)), now()));
        assert_eq!(store.version(operation(1)), None, "of others was said nothing");
    }

    #[test]
    fn tokens_are_lent_to_another_operation_of_the_connection_until_they_were_of_no_use() {
        let store = TokenStore::default();
        let connection = both(1).1;
        assert!(store.to_borrow(connection, now()).is_none());
        store.keep(both(1), Access::Write, caller("change", 60), now());
        let (lender, version) = store.to_borrow(connection, now()).expect("tokens to read with");
        assert_eq!(lender.request_id(), "change");
        assert!(
            store
                .to_borrow(ConnectionId::new(Uuid::from_u128(8)), now())
                .is_none()
        );
        // What Entra only puts off is lent again later.
        let until = now() + TimeDelta::minutes(10);
        store.put_off(version, until);
        store.give_back(version, now());
        assert!(store.to_borrow(connection, now()).is_none());
        assert!(store.to_borrow(connection, until).is_some());
        store.give_back(version, until);
        assert!(store.to_borrow(connection, until).is_none());
        assert_eq!(store.held(until).1.len(), 0);
        assert!(store.for_use(operation(1), Access::Write, until).is_some());
    }
}
