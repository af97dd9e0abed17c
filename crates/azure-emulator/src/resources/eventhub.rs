//! Event Hubs namespaces and what they hold.

use super::{AuthorizationRule, ROOT_RULE, ResourceId};

/// The consumer group that every event hub has.
pub(crate) const DEFAULT_GROUP: &str = "$Default";

/// An Event Hubs namespace.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// Resource id.
    pub id: ResourceId,
    /// Display name of its region.
    pub location: String,
    /// Its event hubs.
    pub event_hubs: Vec<EventHub>,
    /// Keys are refused; Entra tokens alone open it (`disableLocalAuth`).
    pub local_auth_disabled: bool,
    /// Its shared access policies. Those of single event hubs are not here.
    pub authorization_rules: Vec<AuthorizationRule>,
}

impl Namespace {
    /// A namespace with the policy that every namespace is born with.
    pub(crate) fn new(id: ResourceId, location: String, event_hubs: Vec<EventHub>) -> Namespace {
        Namespace {
            id,
            location,
            event_hubs,
            local_auth_disabled: false,
            authorization_rules: vec![AuthorizationRule::new(ROOT_RULE, &["Listen", "Manage", "Send"])],
        }
    }
}

/// An event hub.
#[derive(Clone, Debug)]
pub struct EventHub {
    /// Name as created.
    pub name: String,
    /// Consumer groups besides `$Default`.
    pub consumer_groups: Vec<String>,
    /// Number of partitions.
    pub partitions: u32,
}

impl EventHub {
    /// A consumer group's name as created; `$Default` is always there.
    pub fn consumer_group(&self, name: &str) -> Option<&str> {
        let own = self.consumer_groups.iter().map(String::as_str);
        std::iter::once(DEFAULT_GROUP)
            .chain(own)
            .find(|group| group.eq_ignore_ascii_case(name))
    }
}
