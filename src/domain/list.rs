//! What lists of connections are narrowed down to, and their order.

use std::fmt;
use std::str::FromStr;

use crate::domain::ids::{ConnectionId, SubscriptionId, TenantId};
use crate::domain::resource_id::{
    ClusterId, DatabaseId, EventHubId, NamespaceId, ResourceIdError, StorageAccountId,
};
use crate::domain::state::State;

/// The filter of a list: all conditions hold for each of its connections.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// In this state.
    pub state: Option<State>,
    /// From a source of this kind.
    pub kind: Option<&'static str>,
    /// Involving this tenant, on either side.
    pub tenant: Option<TenantId>,
    /// Into a database of this cluster.
    pub cluster: Option<ClusterId>,
    /// Into this database.
    pub database: Option<DatabaseId>,
    /// From this resource, or from one inside.
    pub source: Option<SourceScope>,
    /// With a name that begins like this.
    pub name: Option<NamePrefix>,
    /// Requested by the caller, as its actor.
    pub is_mine: bool,
    /// Also those that are removed or failed; a filter by one of these states finds them in any case.
    pub with_finished: bool,
    /// The order.
    pub order: ListOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListOrder {
    /// By creation, newest first.
    #[default]
    Creation,
    /// By name, in ASCII lower case; equal names in the order of creation.
    Name,
}

/// Where a page of a list ends: the next one begins behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPosition {
    /// The connection.
    pub id: ConnectionId,
    /// Its name in ASCII lower case.
    pub name: String,
}

impl fmt::Display for ListPosition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.id, self.name)
    }
}

impl FromStr for ListPosition {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, name) = text.split_once('/').ok_or(())?;
        Ok(Self {
            id: id.parse().map_err(drop)?,
            name: name.to_owned(),
        })
    }
}

/// The beginning of a connection's name, in ASCII lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePrefix(String);

/// Why a text is not the beginning of a connection's name.
#[derive(Debug, thiserror::Error)]
#[error("the beginning of a name has 1 to 40 letters, digits, hyphens, spaces and periods")]
pub struct NamePrefixError;

impl NamePrefix {
    /// In ASCII lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NamePrefix {
    type Err = NamePrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_possible = |byte: u8| byte.is_ascii_alphanumeric() || b"- .".contains(&byte);
        if (1..=40).contains(&text.len()) && text.bytes().all(is_possible) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NamePrefixError)
        }
    }
}

/// What names the source of connections: a resource that events come from, or one that contains such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceScope {
    /// An event hub.
    EventHub(EventHubId),
    /// All event hubs of a namespace.
    Namespace(NamespaceId),
    /// A storage account.
    StorageAccount(StorageAccountId),
    /// All sources in a subscription.
    Subscription(SubscriptionId),
}

impl SourceScope {
    /// The id in ASCII lower case.
    #[must_use]
    pub fn canonical(&self) -> String {
        match self {
            Self::EventHub(id) => id.resource().canonical().to_owned(),
            Self::Namespace(id) => id.resource().canonical().to_owned(),
            Self::StorageAccount(id) => id.resource().canonical().to_owned(),
            Self::Subscription(id) => format!("/subscriptions/{id}"),
        }
    }

    /// The subscription it is or lives in.
    #[must_use]
    pub fn subscription(&self) -> SubscriptionId {
        match self {
            Self::EventHub(id) => id.subscription(),
            Self::Namespace(id) => id.subscription(),
            Self::StorageAccount(id) => id.subscription(),
            Self::Subscription(id) => *id,
        }
    }
}

impl FromStr for SourceScope {
    type Err = ResourceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let segments: Vec<&str> = text.strip_suffix('/').unwrap_or(text).split('/').collect();
        if let ["", subscriptions, id] = segments.as_slice()
            && subscriptions.eq_ignore_ascii_case("subscriptions")
        {
            return id
                .parse()
                .map(Self::Subscription)
                .map_err(|_| ResourceIdError::Subscription);
        }
        let hub = text.parse().map(Self::EventHub);
        let namespace = || text.parse().map(Self::Namespace);
        let account = || text.parse().map(Self::StorageAccount);
        let found = hub.or_else(|_| namespace()).or_else(|_| account());
        found.map_err(|error| match error {
            ResourceIdError::Type { found, .. } => ResourceIdError::Type {
                expected: "Microsoft.EventHub/namespaces/eventhubs, Microsoft.EventHub/namespaces or \
                           Microsoft.Storage/storageAccounts, or a subscription (/subscriptions/{guid})",
                found,
            },
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMESPACE: &str = "/subscriptions/22222222-0000-4000-8000-00000000000A/resourceGroups/rg/providers/Microsoft.EventHub/namespaces/ns1";

    #[test]
    fn a_source_is_a_hub_a_namespace_a_storage_account_or_a_subscription() {
        let hub = format!("{NAMESPACE}/eventhubs/Hub1");
        let account = "/subscriptions/22222222-0000-4000-8000-00000000000a/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acc1";
        for (text, canonical) in [
            (hub.as_str(), hub.to_ascii_lowercase()),
            (NAMESPACE, NAMESPACE.to_ascii_lowercase()),
            (account, account.to_ascii_lowercase()),
            (
                "/Subscriptions/22222222-0000-4000-8000-00000000000A/",
                "/subscriptions/22222222-0000-4000-8000-00000000000a".to_owned(),
            ),
        ] {
            let scope: SourceScope = text.parse().expect(text);
            assert_eq!(scope.canonical(), canonical);
            assert_eq!(
                scope.subscription().to_string(),
                "22222222-0000-4000-8000-00000000000a"
            );
        }
        let database = "/subscriptions/22222222-0000-4000-8000-00000000000a/resourceGroups/rg/providers/Microsoft.Kusto/clusters/c/databases/d";
        for (wrong, said) in [
            (database, "storageAccounts, or a subscription"),
            ("/subscriptions/x", "GUID"),
            ("hub1", "fully qualified"),
            ("", "fully qualified"),
        ] {
            let error = wrong.parse::<SourceScope>().expect_err(wrong).to_string();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_position_is_read_back_and_a_prefix_is_part_of_a_possible_name() {
        let position = ListPosition {
            id: "0196b000-0000-7000-8000-000000000001".parse().expect("an id"),
            name: "a name.1-b".to_owned(),
        };
        assert_eq!(position.to_string().parse(), Ok(position));
        for wrong in ["", "x", "x/y"] {
            assert_eq!(wrong.parse::<ListPosition>(), Err(()), "{wrong}");
        }
        assert_eq!("Tele ".parse::<NamePrefix>().expect("a prefix").as_str(), "tele ");
        for wrong in ["", "a%", "a_b", "ä", &"a".repeat(41)] {
            assert!(wrong.parse::<NamePrefix>().is_err(), "{wrong}");
        }
    }
}
