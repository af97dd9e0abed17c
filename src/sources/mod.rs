//! Describes each kind of source: the resources that a connection touches and what a create needs there, the body at ARM, the
//! canonical form of a request, and what counts when two configurations are compared. Nothing here performs a call: `preflight` checks
//! what is described here, and `arm` sends it.

mod compare;
pub(crate) mod event_hub;
mod projection;

use serde_json::{Value, json};

pub(crate) use compare::{Comparison, Recorded, compare, fingerprint};

use crate::domain::{DataFormat, EntityName, NewConnection, ResourceId, ResourceRead, Source, SourceScope};

/// A role that a create needs, as Microsoft's how-to names it, and the action of it that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeededRole {
    /// The action that ARM checks.
    pub(crate) action: &'static str,
    /// The role that grants it.
    pub(crate) name: &'static str,
    /// What the scope is, in a word.
    pub(crate) noun: &'static str,
    /// The resource that the role is given on.
    pub(crate) scope: ResourceId,
}

/// A resource that a source consists of, and what a create needs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeededResource {
    /// What it is, in a word.
    pub(crate) noun: &'static str,
    /// The member of the request that names it: a JSON pointer (RFC 6901).
    pub(crate) pointer: &'static str,
    /// The read that shows whether it exists.
    pub(crate) read: ResourceRead,
    /// The role that the create needs, on the resource itself or on one that contains it.
    pub(crate) role: NeededRole,
    /// What must exist inside.
    pub(crate) parts: Vec<NeededPart>,
}

/// Something that must exist inside a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeededPart {
    /// What it is, in words.
    pub(crate) noun: &'static str,
    /// The member of the request that names it.
    pub(crate) pointer: &'static str,
    /// The read that shows whether it exists.
    pub(crate) read: ResourceRead,
}

/// The resources that a source consists of; the one that the data comes from is first.
pub(crate) fn needed_resources(source: &Source) -> Vec<NeededResource> {
    match source {
        Source::EventHub(source) => vec![event_hub::needed(source)],
    }
}

/// The member of the request that names the resource that the data comes from.
pub(crate) const fn pointer(source: &Source) -> &'static str {
    match source {
        Source::EventHub(_) => event_hub::RESOURCE_POINTER,
    }
}

/// What of ARM's decides who may see the connections of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceCheck {
    /// The caller can read the resource.
    Read(ResourceRead),
    /// The caller has the permission for all of these actions, there and so for all inside.
    Actions(&'static [&'static str]),
}

/// What decides who may see the connections of this source. In a subscription there are sources of any kind.
pub(crate) fn check_of(scope: &SourceScope) -> SourceCheck {
    match scope {
        SourceScope::EventHub(hub) => SourceCheck::Read(event_hub::read(hub)),
        SourceScope::Namespace(_) => SourceCheck::Actions(&[event_hub::READ_ACTION]),
        SourceScope::StorageAccount(_) => SourceCheck::Actions(&[STORAGE_READ_ACTION]),
        SourceScope::Subscription(_) => SourceCheck::Actions(&[event_hub::READ_ACTION, STORAGE_READ_ACTION]),
    }
}

/// The action that reads storage accounts.
const STORAGE_READ_ACTION: &str = "Microsoft.Storage/storageAccounts/read";

/// The body that creates this connection in the cluster's region. What was not asked for is absent: only members that were sent can be
/// compared later.
#[must_use]
pub(crate) fn arm_body(request: &NewConnection, location: &str) -> Value {
    let (kind, mut properties) = match &request.source {
        Source::EventHub(source) => (event_hub::KIND, event_hub::properties(source)),
    };
    let settings = &request.target.settings;
    let members = [
        ("tableName", settings.table.as_ref().map(EntityName::as_str)),
        (
            "mappingRuleName",
            settings.mapping.as_ref().map(EntityName::as_str),
        ),
        ("dataFormat", settings.data_format.map(DataFormat::as_str)),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            properties.insert(name.to_owned(), Value::from(value));
        }
    }
    json!({"location": location, "kind": kind, "properties": properties})
}

/// The request in one spelling: requests with equal canonical forms ask for the same connection, of the same kind. A list, since the
/// order of an object's members depends on how the JSON library was built, and the hashes of it are stored.
pub(crate) fn canonical(request: &NewConnection) -> Value {
    let settings = &request.target.settings;
    let mut members = vec![
        Value::from(request.id().resource().canonical()),
        json!(settings.table.as_ref().map(EntityName::as_str)),
        json!(settings.mapping.as_ref().map(EntityName::as_str)),
        json!(settings.data_format.map(DataFormat::as_str)),
    ];
    // What a kind adds begins with the kind's name. Event hubs were there before that rule, and their stored hashes must stay: they
    // begin with the hub's id, which is no kind's name.
    members.extend(match &request.source {
        Source::EventHub(source) => event_hub::canonical(source),
    });
    Value::Array(members)
}

/// What of a data connection of this kind, as ARM names it, counts in a comparison; none for a kind without a table.
fn projection_of(kind: &str) -> Option<&'static projection::Kind> {
    [&event_hub::PROJECTION]
        .into_iter()
        .find(|table| table.name.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests;
