//! The tokens of running operations: in the memory of the replica that received them, and nowhere else. They are dropped when the
//! operation ends, at the latest when they expire.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::authz::Caller;
use crate::domain::{ActorId, OperationId};

/// Who brought an operation's tokens, and so what they may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Provider {
    /// The operation's recorded actor: every call.
    Actor(ActorId),
    /// The actor of the removal that waits for the operation's end: reads, to settle it.
    Remover,
}

impl Provider {
    const fn is_actor(self) -> bool {
        matches!(self, Self::Actor(_))
    }
}

/// Distinguishes tokens from those that are stored later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenVersion(u64);

/// A caller's tokens for one operation.
#[derive(Debug, Clone)]
pub(crate) struct StoredTokens {
    pub(crate) caller: Caller,
    pub(crate) provider: Provider,
    pub(crate) version: TokenVersion,
    /// Whether Entra has answered what claims ARM requires beyond this sign-in.
    claims_requested: bool,
    /// Until when Entra defers their exchange.
    deferred_until: Option<DateTime<Utc>>,
}

impl StoredTokens {
    fn is_deferred(&self, now: DateTime<Utc>) -> bool {
        self.deferred_until.is_some_and(|until| until > now)
    }

    fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.caller.actor_token().expires_at() <= now
    }
}

/// Callers, by operation.
#[derive(Debug, Default)]
pub(crate) struct TokenStore(Mutex<StoredTokensMap>);

#[derive(Debug, Default)]
struct StoredTokensMap {
    /// At most one entry for each provider.
    by_operation: HashMap<OperationId, Vec<StoredTokens>>,
    /// How many were ever stored.
    stored: u64,
}

impl StoredTokensMap {
    fn of(&self, operation: OperationId) -> impl Iterator<Item = &StoredTokens> {
        self.by_operation.get(&operation).into_iter().flatten()
    }

    fn retain(&mut self, mut keeps: impl FnMut(OperationId, &StoredTokens) -> bool) {
        self.by_operation.retain(|operation, stored| {
            stored.retain(|tokens| keeps(*operation, tokens));
            !stored.is_empty()
        });
    }

    fn update(&mut self, version: TokenVersion, change: impl FnOnce(&mut StoredTokens)) {
        let mut all = self.by_operation.values_mut().flatten();
        if let Some(tokens) = all.find(|tokens| tokens.version == version) {
            change(tokens);
        }
    }
}

impl TokenStore {
    /// Stores a caller's tokens for an operation, instead of those that this provider brought before. A former actor who repeats a request
    /// does not replace those of the recorded one.
    pub(crate) fn keep(
        &self,
        operation: OperationId,
        provider: Provider,
        caller: Caller,
        now: DateTime<Utc>,
    ) {
        let mut map = self.locked();
        // Nothing removes the tokens of an operation that another replica ended: drop what has expired.
        map.retain(|of, tokens| {
            let is_replaced = of == operation && tokens.provider == provider;
            !is_replaced && !tokens.has_expired(now)
        });
        map.stored += 1;
        let tokens = StoredTokens {
            caller,
            provider,
            version: TokenVersion(map.stored),
            claims_requested: false,
            deferred_until: None,
        };
        map.by_operation.entry(operation).or_default().push(tokens);
    }

    /// The operations with tokens that can be used now.
    pub(crate) fn operations(&self, now: DateTime<Utc>) -> Vec<uuid::Uuid> {
        let map = self.locked();
        let usable = |tokens: &StoredTokens| !tokens.has_expired(now) && !tokens.is_deferred(now);
        let held = map.by_operation.iter();
        held.filter(|(_, stored)| stored.iter().any(usable))
            .map(|(operation, _)| operation.uuid())
            .collect()
    }

    /// The tokens with which an operation of this `actor` may read; none that Entra defers. Where only another actor's are here, those:
    /// that actor may have continued the operation meanwhile.
    pub(crate) fn for_reads(
        &self,
        operation: OperationId,
        actor: ActorId,
        now: DateTime<Utc>,
    ) -> Option<StoredTokens> {
        let map = self.locked();
        let usable = map.of(operation).filter(|tokens| !tokens.is_deferred(now));
        let is_others = |tokens: &&StoredTokens| tokens.provider != Provider::Actor(actor);
        usable
            .min_by_key(|tokens| (is_others(tokens), tokens.provider))
            .cloned()
    }

    /// The tokens with which an operation may write: its actor's.
    pub(crate) fn for_writes(
        &self,
        operation: OperationId,
        actor: ActorId,
        now: DateTime<Utc>,
    ) -> Option<StoredTokens> {
        let actors = self.for_reads(operation, actor, now);
        actors.filter(|tokens| tokens.provider.is_actor())
    }

    /// The actor whose sign-in may have the claims that ARM requires for a write, unless Entra has answered that already.
    pub(crate) fn for_claims(
        &self,
        operation: OperationId,
        actor: ActorId,
        now: DateTime<Utc>,
    ) -> Option<StoredTokens> {
        self.for_writes(operation, actor, now)
            .filter(|tokens| !tokens.claims_requested)
    }

    /// Entra has answered whether the sign-in has the claims.
    pub(crate) fn set_claims_requested(&self, version: TokenVersion) {
        self.locked()
            .update(version, |tokens| tokens.claims_requested = true);
    }

    /// Entra defers the exchange of these tokens until then: any others are better.
    pub(crate) fn defer(&self, version: TokenVersion, until: DateTime<Utc>) {
        self.locked()
            .update(version, |tokens| tokens.deferred_until = Some(until));
    }

    /// Drops all tokens of an operation that has ended.
    pub(crate) fn remove(&self, operation: OperationId) {
        self.locked().by_operation.remove(&operation);
    }

    /// Drops tokens that are of no use, unless they are only deferred. Returns whether the operation has others that are not.
    pub(crate) fn discard(
        &self,
        operation: OperationId,
        useless: Option<TokenVersion>,
        now: DateTime<Utc>,
    ) -> bool {
        let mut map = self.locked();
        map.retain(|of, tokens| {
            of != operation || Some(tokens.version) != useless || tokens.is_deferred(now)
        });
        map.of(operation).any(|tokens| !tokens.is_deferred(now))
    }

    fn locked(&self) -> MutexGuard<'_, StoredTokensMap> {
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

    fn person(number: u128) -> ActorId {
        ActorId::new(Uuid::from_u128(number))
    }

    fn actor() -> Provider {
        Provider::Actor(person(7))
    }

    /// A caller whose token lasts so many minutes; distinguished by the request's id.
    fn caller(request: &str, minutes: i64) -> Caller {
        let person = Person {
            tenant: TenantId::new(Uuid::from_u128(1)),
            object: ObjectId::new(Uuid::from_u128(2)),
        };
        let token = UserToken::unchecked(person, now() + TimeDelta::minutes(minutes));
        Caller::new(token, Vec::new(), request.to_owned()).expect("one token fits")
    }

    fn request(tokens: Option<StoredTokens>) -> Option<String> {
        tokens.map(|tokens| tokens.caller.request_id().to_owned())
    }

    fn reader(store: &TokenStore, now: DateTime<Utc>) -> Option<String> {
        request(store.for_reads(operation(1), person(7), now))
    }

    fn version(store: &TokenStore) -> Option<TokenVersion> {
        store
            .for_reads(operation(1), person(7), now())
            .map(|tokens| tokens.version)
    }

    #[test]
    fn a_removers_tokens_read_for_what_precedes_it_where_the_actors_are_missing_and_never_write() {
        let store = TokenStore::default();
        store.keep(operation(1), Provider::Remover, caller("remove", 60), now());
        assert_eq!(reader(&store, now()).as_deref(), Some("remove"));
        assert!(store.for_writes(operation(1), person(7), now()).is_none());
        store.keep(operation(1), actor(), caller("create", 60), now());
        store.keep(operation(1), Provider::Remover, caller("remove again", 60), now());
        assert_eq!(reader(&store, now()).as_deref(), Some("create"));
        assert_eq!(
            request(store.for_writes(operation(1), person(7), now())).as_deref(),
            Some("create")
        );
        assert!(store.discard(operation(1), version(&store), now()));
        assert_eq!(reader(&store, now()).as_deref(), Some("remove again"));
        assert!(store.for_writes(operation(1), person(7), now()).is_none());
        assert!(store.for_reads(operation(2), person(7), now()).is_none());
    }

    #[test]
    fn a_former_actors_repeat_leaves_the_recorded_actors_tokens_as_they_are() {
        let store = TokenStore::default();
        store.keep(operation(1), actor(), caller("continue", 60), now());
        store.keep(
            operation(1),
            Provider::Actor(person(6)),
            caller("repeat", 60),
            now(),
        );
        assert_eq!(
            request(store.for_writes(operation(1), person(7), now())).as_deref(),
            Some("continue")
        );
        // The row may say by now that they are the actor.
        assert!(store.discard(operation(1), version(&store), now()));
        assert_eq!(
            request(store.for_writes(operation(1), person(7), now())).as_deref(),
            Some("repeat")
        );
    }

    #[test]
    fn expired_tokens_are_dropped_although_nothing_removes_them() {
        let store = TokenStore::default();
        for number in 1..=100 {
            store.keep(operation(number), actor(), caller("change", 60), now());
        }
        let later = now() + TimeDelta::minutes(60);
        assert_eq!(store.operations(now()).len(), 100);
        assert_eq!(store.operations(later).len(), 0);
        store.keep(operation(101), actor(), caller("change", 120), later);
        assert_eq!(store.locked().by_operation.len(), 1);
    }

    #[test]
    fn tokens_that_came_after_others_were_tried_in_vain_are_not_discarded_with_them() {
        let store = TokenStore::default();
        store.keep(operation(1), actor(), caller("change", 60), now());
        let tried = version(&store);
        store.keep(operation(1), actor(), caller("again", 60), now());
        assert!(store.discard(operation(1), tried, now()), "others have come");
        assert_eq!(reader(&store, now()).as_deref(), Some("again"));
        assert!(!store.discard(operation(1), version(&store), now()));
        assert_eq!(reader(&store, now()), None);
        assert!(
            !store.discard(operation(1), None, now()),
            "there is nothing to discard"
        );
    }

    #[test]
    fn deferred_tokens_are_kept_until_others_come() {
        let store = TokenStore::default();
        store.keep(operation(1), actor(), caller("change", 60), now());
        let tried = version(&store);
        let until = now() + TimeDelta::minutes(10);
        store.defer(tried.expect("a version"), until);
        assert!(!store.discard(operation(1), tried, now()));
        assert_eq!(reader(&store, now()), None);
        assert_eq!(reader(&store, until).as_deref(), Some("change"));
        // Entra is not asked about them before.
        assert!(store.operations(now()).is_empty());
        assert_eq!(store.operations(until), vec![operation(1).uuid()]);
        // A remover's are better until then.
        store.keep(operation(1), Provider::Remover, caller("remove", 60), now());
        assert_eq!(reader(&store, now()).as_deref(), Some("remove"));
        assert_eq!(reader(&store, until).as_deref(), Some("change"));
        store.keep(operation(1), actor(), caller("again", 60), now());
        assert_eq!(reader(&store, now()).as_deref(), Some("again"));
        store.defer(tried.expect("a version"), until);
        assert!(
            store.discard(operation(1), version(&store), now()),
            "the remover's are left"
        );
        assert_eq!(reader(&store, now()).as_deref(), Some("remove"));
    }

    #[test]
    fn claims_are_requested_once_for_each_sign_in() {
        let store = TokenStore::default();
        store.keep(operation(1), actor(), caller("change", 60), now());
        let asked = store
            .for_claims(operation(1), person(7), now())
            .expect("a sign-in");
        store.set_claims_requested(asked.version);
        assert!(store.for_claims(operation(1), person(7), now()).is_none());
        store.keep(operation(1), actor(), caller("again", 60), now());
        assert!(store.for_claims(operation(1), person(7), now()).is_some());
    }
}
