//! Event Hubs namespaces and what they hold.

use super::ResourceId;

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
