//! Cursors: where a reader is in the feed, and which events it reads.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::FeedFilter;
use crate::authz::Caller;
use crate::db::feed::FeedPosition;
use crate::domain::{ConnectionId, EventKind, Person, TenantId};
use crate::visibility::audited_tenant;

/// Where a reader is in the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedCursor {
    /// The position of the last event that was read or passed over.
    pub at: FeedPosition,
    /// Which events are read: with others, those before the position would be left out unnoticed.
    pub selection: u64,
}

impl fmt::Display for FeedCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FeedPosition { epoch, position } = self.at;
        write!(formatter, "{epoch}.{position}.{:016x}", self.selection)
    }
}

impl FromStr for FeedCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0).ok_or(());
        let (epoch, rest) = text.split_once('.').ok_or(())?;
        let (position, selection) = rest.split_once('.').ok_or(())?;
        Ok(Self {
            at: FeedPosition {
                epoch: number(epoch)?,
                position: number(position)?,
            },
            selection: u64::from_str_radix(selection, 16).map_err(|_| ())?,
        })
    }
}

/// Which events a caller reads with a filter, as a number that cursors hold.
pub(super) fn selection(caller: &Caller, filter: FeedFilter) -> u64 {
    // With a connection, whether it is visible is decided for each read.
    let audited = audited_tenant(caller).filter(|_| filter.connection.is_none());
    number(caller.actor(), audited, filter)
}

fn number(person: Person, audited: Option<TenantId>, filter: FeedFilter) -> u64 {
    let ids = [
        Some(person.tenant.uuid()),
        Some(person.object.uuid()),
        audited.map(TenantId::uuid),
        filter.connection.map(ConnectionId::uuid),
    ];
    let mut digest = Sha256::new();
    for id in ids {
        digest.update(id.unwrap_or(Uuid::nil()));
    }
    digest.update(filter.kind.map_or("", EventKind::as_str));
    let digest = digest.finalize();
    let first = digest.first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::ObjectId;

    #[test]
    fn a_cursor_is_read_back_and_anything_else_is_none() {
        let cursor = FeedCursor {
            at: FeedPosition {
                epoch: 1_700_000_000_000,
                position: 42,
            },
            selection: 7,
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in [
            "",
            "1",
            "1.2",
            "1.2.",
            ".1.0",
            "1.-2.0",
            "-1.2.0",
            "1.2.3.4",
            "1.2.10000000000000000",
            "1.99999999999999999999.0",
        ] {
            assert_eq!(text.parse::<FeedCursor>(), Err(()), "{text}");
        }
    }

    #[test]
    fn each_person_role_and_filter_is_a_selection_of_its_own() {
        let id = Uuid::from_u128;
        let person = |tenant, object| Person {
            tenant: TenantId::new(id(tenant)),
            object: ObjectId::new(id(object)),
        };
        let filter = |connection: Option<u128>, kind| FeedFilter {
            connection: connection.map(|number| ConnectionId::new(id(number))),
            kind,
        };
        let (all, tenant) = (FeedFilter::default(), Some(TenantId::new(id(1))));
        let created = Some(EventKind::CreateSucceeded);
        let numbers = [
            number(person(1, 2), None, all),
            number(person(1, 3), None, all),
            number(person(3, 2), None, all),
            number(person(1, 2), tenant, all),
            number(person(1, 2), None, filter(Some(1), None)),
            number(person(1, 2), None, filter(None, created)),
            number(person(1, 2), None, filter(Some(1), created)),
        ];
        assert_eq!(HashSet::from(numbers).len(), numbers.len());
        assert_eq!(
            number(person(1, 2), tenant, all),
            number(person(1, 2), tenant, all)
        );
    }
}
