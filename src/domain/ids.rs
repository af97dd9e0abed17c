//! Identifiers that are GUIDs at Microsoft or UUIDs of our own, each a type of its own so that none stands in for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a GUID of the form 00000000-0000-0000-0000-000000000000")]
pub struct IdentifierError(String);

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to be one of these.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // Only the hyphenated form: `Uuid` would also take braces, `urn:uuid:` and 32 bare digits.
                match Uuid::try_parse(text) {
                    Ok(id) if text.len() == 36 => Ok(Self(id)),
                    _ => Err(IdentifierError(text.chars().take(64).collect())),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentifierError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

identifier!(
    /// A Microsoft Entra tenant (directory), by its GUID; never a domain name, `common` or `organizations`.
    TenantId
);
identifier!(
    /// An Azure subscription.
    SubscriptionId
);
identifier!(
    /// The `oid` of a user or service principal: immutable, and another one in each tenant the same person is a guest of.
    ObjectId
);
identifier!(
    /// A connection as this service records it (UUIDv7).
    ConnectionId
);
identifier!(
    /// An operation: one long-running change of one connection (UUIDv7).
    OperationId
);
identifier!(
    /// The pseudonym under which the ledger names a person; who that is stands in a table that can be erased.
    ActorId
);

/// A user as a token names them: the pair that Microsoft documents as the key for data about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Person {
    /// The tenant that issued the token (`tid`).
    pub tenant: TenantId,
    /// The user in that tenant (`oid`).
    pub object: ObjectId,
}

impl fmt::Display for Person {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.object, self.tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_read_without_regard_to_case_and_written_in_lower_case() {
        let id: TenantId = "AAAAAAAA-0000-4000-8000-00000000000A".parse().expect("a GUID");
        assert_eq!(id.to_string(), "aaaaaaaa-0000-4000-8000-00000000000a");
    }

    #[test]
    fn meta_tenants_domains_and_other_spellings_of_a_guid_are_refused() {
        for text in [
            "common",
            "organizations",
            "domain1.com",
            "",
            "{aaaaaaaa-0000-4000-8000-00000000000a}",
            "aaaaaaaa00004000800000000000000a",
            "urn:uuid:aaaaaaaa-0000-4000-8000-00000000000a",
        ] {
            assert!(text.parse::<TenantId>().is_err(), "{text}");
        }
    }
}
