//! Resource ids: parsed once, compared without case, printed as they were written.

use std::fmt;
use std::hash::{Hash, Hasher};

/// The text is no ARM resource id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no resource id: expected /subscriptions/{{guid}}[/resourceGroups/{{name}}][/providers/{{namespace}}/{{type}}/{{name}}…]"
)]
pub struct InvalidResourceId(pub String);

/// An ARM id of a subscription, resource group or resource. Equality ignores case
/// (Microsoft Learn: "Naming rules and restrictions for Azure resources").
#[derive(Clone, Debug)]
pub struct ResourceId {
    text: String,
    key: String,
    segments: Vec<String>,
}

impl ResourceId {
    /// Parses an id; a trailing slash is forgiven, an empty segment is not.
    pub fn parse(text: &str) -> Result<ResourceId, InvalidResourceId> {
        let invalid = || InvalidResourceId(text.to_owned());
        let inner = text.trim_end_matches('/').strip_prefix('/').ok_or_else(invalid)?;
        let segments: Vec<&str> = inner.split('/').collect();
        ResourceId::from_segments(&segments).ok_or_else(invalid)
    }

    /// From decoded path segments.
    pub fn from_segments(segments: &[&str]) -> Option<ResourceId> {
        let words: Vec<String> = segments.iter().map(|s| s.to_ascii_lowercase()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let rest = match words.as_slice() {
            [] => return None,
            _ if words.iter().any(|word| word.is_empty()) => return None,
            ["subscriptions", _, "resourcegroups", _, rest @ ..] | ["subscriptions", _, rest @ ..] => rest,
            _ => return None,
        };
        if !is_provider_chain(rest) {
            return None;
        }
        let text = format!("/{}", segments.join("/"));
        let key = text.to_ascii_lowercase();
        Some(ResourceId {
            text,
            key,
            segments: segments.iter().map(|&s| s.to_owned()).collect(),
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Lower case, for keys.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The subscription's GUID as written.
    pub fn subscription(&self) -> &str {
        self.segment(1)
    }

    /// The resource group's name, if the id reaches that far.
    pub fn resource_group(&self) -> Option<&str> {
        self.segments
            .get(2)
            .filter(|s| s.eq_ignore_ascii_case("resourceGroups"))?;
        self.segments.get(3).map(String::as_str)
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.segments.last().map_or("", String::as_str)
    }

    /// Names along the provider part: cluster, database, data connection …
    pub fn names(&self) -> Vec<&str> {
        self.provider_part()
            .iter()
            .skip(2)
            .step_by(2)
            .map(String::as_str)
            .collect()
    }

    /// Provider namespace and types as written, joined with slashes; the group's or subscription's type otherwise.
    pub fn resource_type(&self) -> String {
        let part = self.provider_part();
        match part.first() {
            Some(namespace) => part
                .iter()
                .skip(1)
                .step_by(2)
                .fold(namespace.clone(), |t, s| format!("{t}/{s}")),
            None if self.resource_group().is_some() => {
                "Microsoft.Resources/subscriptions/resourceGroups".to_owned()
            }
            None => "Microsoft.Resources/subscriptions".to_owned(),
        }
    }

    /// Whether the id is of exactly this type; case ignored.
    pub fn is_type(&self, namespace: &str, types: &[&str]) -> bool {
        let wanted = types.iter().fold(namespace.to_owned(), |t, s| format!("{t}/{s}"));
        self.resource_type().eq_ignore_ascii_case(&wanted)
    }

    /// The resource one type up; nothing for a top-level resource, a group or a subscription.
    pub fn parent(&self) -> Option<ResourceId> {
        (self.provider_part().len() > 3).then(|| self.up(2))?
    }

    /// A child of this resource.
    pub fn child(&self, kind: &str, name: &str) -> ResourceId {
        let text = format!("{}/{kind}/{name}", self.text);
        let mut segments = self.segments.clone();
        segments.extend([kind.to_owned(), name.to_owned()]);
        ResourceId {
            key: text.to_ascii_lowercase(),
            text,
            segments,
        }
    }

    /// The resource group that the id lies in, or else the subscription.
    pub fn group_or_subscription(&self) -> Option<ResourceId> {
        let kept = if self.resource_group().is_some() { 4 } else { 2 };
        self.up(self.segments.len().checked_sub(kept)?)
    }

    /// The resource that an extension resource stands on; nothing for any other id.
    pub fn extended(&self) -> Option<ResourceId> {
        let at = self
            .segments
            .iter()
            .rposition(|segment| segment.eq_ignore_ascii_case("providers"))?;
        let owner = self.up(self.segments.len() - at)?;
        (!owner.names().is_empty()).then_some(owner)
    }

    /// Whether this is `scope` or lies below it, as role assignments are inherited.
    pub fn is_within(&self, scope: &ResourceId) -> bool {
        self.key
            .strip_prefix(&scope.key)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn up(&self, by: usize) -> Option<ResourceId> {
        let kept = self.segments.get(..self.segments.len().checked_sub(by)?)?;
        ResourceId::from_segments(&kept.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// From the last `providers` on, without that word.
    fn provider_part(&self) -> &[String] {
        let start = self
            .segments
            .iter()
            .rposition(|s| s.eq_ignore_ascii_case("providers"));
        start
            .and_then(|start| self.segments.get(start + 1..))
            .unwrap_or(&[])
    }

    fn segment(&self, index: usize) -> &str {
        self.segments.get(index).map_or("", String::as_str)
    }
}

/// Nothing, or one or more of `providers/{namespace}/{type}/{name}[/{type}/{name}…]` (extension resources repeat it).
/// A loop, since a body may hold an id of any length.
fn is_provider_chain(words: &[&str]) -> bool {
    let mut parts = words.split(|word| *word == "providers");
    let starts_with_the_word = parts.next().is_some_and(<[&str]>::is_empty);
    starts_with_the_word && parts.all(|part| part.len() >= 3 && part.len() % 2 == 1)
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &ResourceId) -> bool {
        self.key == other.key
    }
}

impl Eq for ResourceId {}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Regions are compared without case and spaces: `westeurope` is `West Europe`.
pub(crate) fn same_location(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<String>().to_ascii_lowercase();
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUB: &str =
        "/subscriptions/S/resourceGroups/rg/providers/Microsoft.EventHub/namespaces/ns/eventhubs/h";

    #[test]
    fn ids_are_equal_whatever_their_case() {
        assert_eq!(ResourceId::parse(HUB), ResourceId::parse(&HUB.to_uppercase()));
    }

    #[test]
    fn the_parent_of_a_hub_is_its_namespace_and_that_has_none() {
        let hub = ResourceId::parse(HUB).unwrap();
        assert_eq!(hub.names(), ["ns", "h"]);
        assert!(hub.is_type("microsoft.eventhub", &["Namespaces", "EventHubs"]));
        let namespace = hub.parent().unwrap();
        assert_eq!(namespace.name(), "ns");
        assert_eq!(namespace.parent(), None);
        assert_eq!(namespace.child("eventhubs", "h"), hub);
    }

    #[test]
    fn scopes_hold_what_lies_below_them_but_not_their_namesakes() {
        let hub = ResourceId::parse(HUB).unwrap();
        let group = ResourceId::parse("/subscriptions/s/resourcegroups/RG").unwrap();
        let other = ResourceId::parse("/subscriptions/s/resourceGroups/r").unwrap();
        assert!(hub.is_within(&group));
        assert!(!hub.is_within(&other));
        assert!(!group.is_within(&hub));
    }

    #[test]
    fn extension_resources_repeat_the_chain_to_any_length() {
        let chain = "/providers/Microsoft.X/a/b".repeat(100_000);
        assert!(ResourceId::parse(&format!("/subscriptions/s{chain}")).is_ok());
        assert!(ResourceId::parse(&format!("/subscriptions/s{chain}/providers/x")).is_err());
    }

    #[test]
    fn what_is_no_resource_id_is_refused() {
        for text in [
            "",
            "/",
            "hub1",
            "/subscriptions",
            "/subscriptions/s/providers/Microsoft.X/a",
            "//subscriptions/s",
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.X/a/b/c",
            "/subscriptions//resourceGroups/x",
        ] {
            assert!(ResourceId::parse(text).is_err(), "{text}");
        }
    }
}
