//! Azure resource ids: parsed, compared without regard to case as Azure does, and kept as they were written.
//! Form: `/subscriptions/{guid}/resourceGroups/{name}/providers/{namespace}/{type}/{name}[/{type}/{name}]…`
//! (Microsoft Learn, "Naming rules and restrictions for Azure resources").

use std::fmt;
use std::str::FromStr;

use crate::domain::ids::SubscriptionId;
use crate::domain::names::{ConsumerGroup, DataConnectionName};

/// The longest id that is accepted, in bytes: several times what the longest legal names add up to.
const LONGEST: usize = 2048;
/// The longest single name, in bytes (a Kusto database name is the longest: 260 characters).
const LONGEST_SEGMENT: usize = 300;

/// How much of a wrong id is shown in what is said of it, in characters.
const LONGEST_SHOWN: usize = 80;

/// Why a text is not the resource id that was asked for. The message names what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceIdError {
    /// Not of the general form.
    #[error(
        "expected a fully qualified resource id: /subscriptions/{{guid}}/resourceGroups/{{name}}/providers/{{namespace}}/{{type}}/{{name}}"
    )]
    Form,
    /// The subscription is not a GUID.
    #[error("the subscription id must be a GUID")]
    Subscription,
    /// A name holds a character that no Azure name may have, or is too long.
    #[error("'{0}' is not a possible name in a resource id")]
    Name(String),
    /// The id is one of another resource type.
    #[error("expected an id of type {expected}, but this one is of type {found}")]
    Type {
        /// The type that the place asks for.
        expected: &'static str,
        /// The type the id has.
        found: String,
    },
}

/// Any resource id of a resource group's resource.
///
/// Two ids are equal when their canonical forms are; [`fmt::Display`] writes the id as the caller wrote it.
#[derive(Debug, Clone)]
pub struct ResourceId {
    written: String,
    canonical: String,
    subscription: SubscriptionId,
    namespace: String,
    /// Alternating type and name, from the outermost to the innermost.
    path: Vec<(String, String)>,
}

impl ResourceId {
    /// The id in ASCII lower case: the form to compare and to index by.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The id as the caller wrote it.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// The subscription it lives in.
    #[must_use]
    pub fn subscription(&self) -> SubscriptionId {
        self.subscription
    }

    /// The name of its resource group.
    #[must_use]
    pub fn resource_group(&self) -> &str {
        self.segments().nth(3).unwrap_or_default()
    }

    /// The innermost name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.last().map_or("", |(_, name)| name)
    }

    /// The segments of the id's path, decoded, in order, without the leading slash.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.written.split('/').skip(1)
    }

    /// The resource type, such as `Microsoft.Kusto/clusters/databases`.
    #[must_use]
    pub fn resource_type(&self) -> String {
        let mut kind = self.namespace.clone();
        for (segment, _) in &self.path {
            kind.push('/');
            kind.push_str(segment);
        }
        kind
    }

    fn is_type(&self, expected: &'static str) -> Result<(), ResourceIdError> {
        let found = self.resource_type();
        if found.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        // The caller's words: shown, but not at length.
        let found = found.chars().take(LONGEST_SHOWN).collect();
        Err(ResourceIdError::Type { expected, found })
    }

    /// The id of the resource that contains this one, or itself when it is outermost.
    fn parent(&self) -> Self {
        let mut parent = self.clone();
        if parent.path.len() > 1 {
            parent.path.pop();
            parent.written = self.written.rsplitn(3, '/').nth(2).unwrap_or_default().to_owned();
            parent.canonical = parent.written.to_ascii_lowercase();
        }
        parent
    }

    /// Id and name of the resource that contains this one, or of itself when it is outermost.
    pub(crate) fn parent_as_written(&self) -> (&str, &str) {
        match self.path.as_slice() {
            [.., (_, parent), _] => (self.written.rsplitn(3, '/').nth(2).unwrap_or_default(), parent),
            _ => (&self.written, self.name()),
        }
    }

    fn child(&self, kind: &str, name: &str) -> Self {
        let mut child = self.clone();
        child.written = format!("{}/{kind}/{name}", self.written);
        child.canonical = child.written.to_ascii_lowercase();
        child.path.push((kind.to_owned(), name.to_owned()));
        child
    }
}

impl FromStr for ResourceId {
    type Err = ResourceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST {
            return Err(ResourceIdError::Form);
        }
        let written = text.strip_suffix('/').unwrap_or(text);
        let segments: Vec<&str> = written.split('/').collect();
        let [
            "",
            subscriptions,
            subscription,
            groups,
            group,
            providers,
            namespace,
            path @ ..,
        ] = segments.as_slice()
        else {
            return Err(ResourceIdError::Form);
        };
        if !subscriptions.eq_ignore_ascii_case("subscriptions")
            || !groups.eq_ignore_ascii_case("resourceGroups")
            || !providers.eq_ignore_ascii_case("providers")
            || path.is_empty()
            || path.len() % 2 != 0
        {
            return Err(ResourceIdError::Form);
        }
        let subscription = subscription.parse().map_err(|_| ResourceIdError::Subscription)?;
        for segment in [*group, *namespace].iter().chain(path) {
            check_segment(segment)?;
        }
        let path = path
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [kind, name] => Some(((*kind).to_owned(), (*name).to_owned())),
                _ => None,
            })
            .collect();
        Ok(Self {
            written: written.to_owned(),
            canonical: written.to_ascii_lowercase(),
            subscription,
            namespace: (*namespace).to_owned(),
            path,
        })
    }
}

/// Refuses what would change the path once it stands in a URL: separators, percent signs, dot segments, control characters.
fn check_segment(segment: &str) -> Result<(), ResourceIdError> {
    let forbidden = |character: char| {
        character.is_control() || "/\\?#%<>&:*\"|".contains(character) || character == '\u{feff}'
    };
    let dots = !segment.is_empty() && segment.chars().all(|character| character == '.');
    if segment.trim().is_empty()
        || segment.trim() != segment
        || segment.len() > LONGEST_SEGMENT
        || dots
        || segment.contains(forbidden)
    {
        return Err(ResourceIdError::Name(
            segment.chars().take(LONGEST_SHOWN).collect(),
        ));
    }
    Ok(())
}

impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for ResourceId {}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(ResourceId);

        impl $name {
            /// The resource type, as Microsoft writes it.
            pub const TYPE: &'static str = $kind;

            /// The id without its type.
            #[must_use]
            pub fn resource(&self) -> &ResourceId {
                &self.0
            }

            /// The innermost name.
            #[must_use]
            pub fn name(&self) -> &str {
                self.0.name()
            }

            /// The subscription it lives in.
            #[must_use]
            pub fn subscription(&self) -> SubscriptionId {
                self.0.subscription()
            }
        }

        impl FromStr for $name {
            type Err = ResourceIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let id: ResourceId = text.parse()?;
                id.is_type(Self::TYPE)?;
                Ok(Self(id))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

typed_id!(
    /// An Azure Data Explorer cluster.
    ClusterId,
    "Microsoft.Kusto/clusters"
);
typed_id!(
    /// A database of a cluster: the target of a connection.
    DatabaseId,
    "Microsoft.Kusto/clusters/databases"
);
typed_id!(
    /// A data connection: what a connection is at ARM.
    DataConnectionId,
    "Microsoft.Kusto/clusters/databases/dataConnections"
);
typed_id!(
    /// An Event Hubs namespace: where the roles that a connection needs are given.
    NamespaceId,
    "Microsoft.EventHub/namespaces"
);
typed_id!(
    /// A storage account: the source of connections through Event Grid.
    StorageAccountId,
    "Microsoft.Storage/storageAccounts"
);
typed_id!(
    /// An event hub: the source of a connection.
    EventHubId,
    "Microsoft.EventHub/namespaces/eventhubs"
);

impl DatabaseId {
    /// The cluster it is part of.
    #[must_use]
    pub fn cluster(&self) -> ClusterId {
        ClusterId(self.0.parent())
    }

    /// The id that a data connection of this name has here.
    #[must_use]
    pub fn data_connection(&self, name: &DataConnectionName) -> DataConnectionId {
        DataConnectionId(self.0.child("dataConnections", name.as_str()))
    }
}

impl DataConnectionId {
    /// The database it feeds.
    #[must_use]
    pub fn database(&self) -> DatabaseId {
        DatabaseId(self.0.parent())
    }
}

impl EventHubId {
    /// The namespace it is part of.
    #[must_use]
    pub fn namespace(&self) -> NamespaceId {
        NamespaceId(self.0.parent())
    }

    /// The id of one of its consumer groups.
    #[must_use]
    pub fn consumer_group(&self, group: &ConsumerGroup) -> ResourceId {
        self.0.child("consumergroups", group.as_str())
    }
}

#[cfg(test)]
mod tests;
