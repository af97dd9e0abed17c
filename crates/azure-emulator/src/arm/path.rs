//! What a path at ARM addresses. Type segments are compared without case.

use super::authorization::Address;
use crate::resources::ResourceId;

/// An address below one subscription, or none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `/subscriptions`
    Subscriptions,
    /// Permissions, role assignments or role definitions at a scope.
    Authorization(Address),
    /// A Kusto operation: its id.
    Operation { location: String, id: String },
    /// A subscription, group or resource.
    Resource(ResourceId),
    /// A collection below a resource or group, or an action on it: its owner, and the last word in lower case.
    Below(ResourceId, String),
    /// All resources of a type in a subscription or group, or all event subscriptions of a resource: the scope, and namespace and type in lower case.
    Collection(ResourceId, String),
    /// A name with a slash in it.
    BadName,
    /// Something else.
    Unknown,
}

/// Reads the decoded segments of a path.
pub(super) fn parse(segments: &[&str]) -> Target {
    let lower: Vec<String> = segments.iter().map(|s| s.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    if lower == ["subscriptions"] {
        return Target::Subscriptions;
    }
    if let [
        "subscriptions",
        _,
        "providers",
        "microsoft.kusto",
        "locations",
        _,
        "operationresults",
        _,
    ] = lower.as_slice()
        && let [.., location, _, id] = segments
    {
        return Target::Operation {
            location: (*location).to_owned(),
            id: (*id).to_owned(),
        };
    }
    if segments.iter().any(|segment| segment.contains('/')) {
        return Target::BadName;
    }
    if let [scope @ .., "providers", namespace, kind] = lower.as_slice()
        && let Some(scope) = segments.get(..scope.len()).and_then(ResourceId::from_segments)
        && (scope.names().is_empty() || *namespace == "microsoft.eventgrid")
        && *namespace != "microsoft.authorization"
    {
        return Target::Collection(scope, format!("{namespace}/{kind}"));
    }
    if let Some(address) = Address::parse(segments) {
        return Target::Authorization(address);
    }
    if let Some(id) = ResourceId::from_segments(segments) {
        return Target::Resource(id);
    }
    match (segments.split_last(), lower.last()) {
        (Some((_, owner)), Some(word)) => ResourceId::from_segments(owner)
            .map_or(Target::Unknown, |owner| Target::Below(owner, (*word).to_owned())),
        _ => Target::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Target {
        parse(&path.split('/').filter(|s| !s.is_empty()).collect::<Vec<_>>())
    }

    #[test]
    fn addresses_are_told_apart() {
        let database = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kusto/clusters/c/databases/d";
        let id = |text: &str| ResourceId::parse(text).unwrap();
        assert_eq!(at("/subscriptions"), Target::Subscriptions);
        assert_eq!(at(database), Target::Resource(id(database)));
        assert_eq!(
            at(&format!("{database}/dataConnections")),
            Target::Below(id(database), "dataconnections".to_owned())
        );
        assert!(matches!(
            at("/subscriptions/s/resourcegroups/g/providers/microsoft.authorization/permissions"),
            Target::Authorization(_)
        ));
        assert_eq!(
            at("/subscriptions/s/providers/Microsoft.Kusto/locations/West Europe/operationResults/x"),
            Target::Operation {
                location: "West Europe".to_owned(),
                id: "x".to_owned()
            },
        );
        assert_eq!(
            at("/subscriptions/s/resourceGroups/g/providers/Microsoft.Kusto/Clusters"),
            Target::Collection(
                id("/subscriptions/s/resourceGroups/g"),
                "microsoft.kusto/clusters".to_owned()
            )
        );
        let account = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a";
        assert_eq!(
            at(&format!(
                "{account}/providers/Microsoft.EventGrid/eventSubscriptions"
            )),
            Target::Collection(id(account), "microsoft.eventgrid/eventsubscriptions".to_owned())
        );
        assert!(matches!(
            at(&format!(
                "{account}/providers/Microsoft.EventGrid/eventSubscriptions/e"
            )),
            Target::Resource(_)
        ));
        assert_eq!(
            parse(&["subscriptions", "s", "resourceGroups", "a/b"]),
            Target::BadName
        );
        assert_eq!(at("/providers/x"), Target::Unknown);
    }
}
