//! An event hub as a source (Microsoft Learn, "Create a cross-tenant data connection for Azure Data Explorer").

use serde_json::{Map, Value};

use super::projection::{CONSUMER_GROUP, Kind, MANAGED_IDENTITY, RETRIEVAL_START, Values, member};
use super::{NeededPart, NeededResource, NeededRole};
use crate::domain::{EventHubId, EventHubSource, ResourceRead};

/// The kind's name at ARM.
pub(super) const KIND: &str = "EventHub";
/// The member of a request that names the event hub.
pub(crate) const RESOURCE_POINTER: &str = "/source/eventHub/resourceId";
/// The member of a request that names the consumer group.
pub(crate) const CONSUMER_GROUP_POINTER: &str = "/source/eventHub/consumerGroup";

/// `Microsoft.EventHub`'s stable version with the longest reach across clouds.
const API_VERSION: &str = "2021-11-01";
/// What ARM checks on the namespace, as linked access, when a data connection uses the namespace's keys.
const LIST_KEYS: &str = "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action";
/// Event Hubs' own words for what is not there, beside ARM's. None was recorded, so several are taken; only checks before a create
/// rest on them, never the proof that something is gone.
const ABSENT_CODES: &[&str] = &["NotFound", "EntityNotFound", "MessagingEntityNotFound"];

/// What counts when a data connection from an event hub is compared.
pub(super) const PROJECTION: Kind = Kind {
    name: KIND,
    identity: &[
        member("eventHubResourceId", "", "", Values::Exact),
        member(CONSUMER_GROUP, "", "", Values::AnyCase),
    ],
    configuration: &[
        member("tableName", "", "", Values::Exact),
        member("mappingRuleName", "", "", Values::Exact),
        member("dataFormat", "", "", Values::AnyCase),
        member("eventSystemProperties", "", "", Values::Set),
        member("compression", "2019-11-09", "None", Values::AnyCase),
        member(MANAGED_IDENTITY, "2021-01-01", "", Values::Exact),
        member("databaseRouting", "2022-02-01", "Single", Values::AnyCase),
        member(RETRIEVAL_START, "2022-07-07", "", Values::Instant),
    ],
};

/// The hub, with its consumer group and the right to the keys of its namespace.
pub(super) fn needed(source: &EventHubSource) -> NeededResource {
    NeededResource {
        noun: "event hub",
        pointer: RESOURCE_POINTER,
        read: read(&source.hub),
        role: NeededRole {
            action: LIST_KEYS,
            name: "Azure Event Hubs Data Owner",
            noun: "namespace",
            scope: source.hub.namespace().resource().clone(),
        },
        parts: vec![NeededPart {
            noun: "consumer group",
            pointer: CONSUMER_GROUP_POINTER,
            read: ResourceRead {
                call: "GET consumer group",
                id: source.hub.consumer_group(&source.consumer_group),
                api_version: API_VERSION,
                absent_codes: ABSENT_CODES,
            },
        }],
    }
}

/// The action that reads event hubs.
pub(crate) const READ_ACTION: &str = "Microsoft.EventHub/namespaces/eventhubs/read";

/// The read that shows whether the hub exists.
pub(super) fn read(hub: &EventHubId) -> ResourceRead {
    ResourceRead {
        call: "GET event hub",
        id: hub.resource().clone(),
        api_version: API_VERSION,
        absent_codes: ABSENT_CODES,
    }
}

/// The members at ARM that name the source. No managed identity is named, so the service reads the hub's keys with the caller's
/// rights, which is the way that works across tenants.
pub(super) fn properties(source: &EventHubSource) -> Map<String, Value> {
    let members = [
        ("eventHubResourceId", source.hub.resource().as_written()),
        (CONSUMER_GROUP, source.consumer_group.as_str()),
    ];
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect()
}

/// What of the source counts in the canonical form of a request.
pub(super) fn canonical(source: &EventHubSource) -> Vec<Value> {
    vec![
        Value::from(source.hub.resource().canonical()),
        Value::from(source.consumer_group.as_str().to_ascii_lowercase()),
    ]
}
