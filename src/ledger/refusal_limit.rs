//! Limits how many of one person's refusals the ledger records, so that repeated refusals do not fill it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::authz::limits::PerPerson;
use crate::domain::Person;

/// The limit, and how many were left out of each person's since the last one that was written.
pub(crate) struct RefusalLimit {
    limit: PerPerson,
    /// Holds only people who were refused more often than is written.
    counts: Mutex<HashMap<Person, u64>>,
}

impl RefusalLimit {
    /// So many refusals of one person are written in a minute.
    pub(crate) fn new(most: u32) -> Self {
        Self {
            limit: PerPerson::new(most),
            counts: Mutex::default(),
        }
    }

    /// Whether one more refusal of this person is to be written; then with the number of those that were left out before it.
    pub(crate) fn admit(&self, person: Person) -> Option<u64> {
        let written = self.limit.count(person).is_ok();
        let mut counts = self.counts();
        if written {
            return Some(counts.remove(&person).unwrap_or_default());
        }
        let count = counts.entry(person).or_default();
        *count += 1;
        if *count == 1 {
            tracing::warn!(
                entra.tenant = %person.tenant,
                "a person is refused more often than limits.refusals_logged; the ledger omits these refusals, and the next recorded one has their number"
            );
        }
        None
    }

    /// Adds refusals to the number of omitted ones, since the event with their number could not be recorded.
    pub(crate) fn add(&self, person: Person, count: u64) {
        *self.counts().entry(person).or_default() += count;
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Person, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{ObjectId, TenantId};

    fn person(number: u128) -> Person {
        Person {
            tenant: TenantId::new(Uuid::from_u128(1)),
            object: ObjectId::new(Uuid::from_u128(number)),
        }
    }

    #[test]
    fn what_is_over_the_limit_is_counted_for_its_person_and_nobody_else() {
        let limit = RefusalLimit::new(2);
        for _ in 0..2 {
            assert_eq!(limit.admit(person(1)), Some(0));
        }
        for _ in 0..3 {
            assert_eq!(limit.admit(person(1)), None);
        }
        assert_eq!(limit.admit(person(2)), Some(0));
        assert_eq!(limit.counts().get(&person(1)), Some(&3));
    }
}
