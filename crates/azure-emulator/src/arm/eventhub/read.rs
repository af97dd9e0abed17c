//! Reading namespaces, event hubs, consumer groups and authorization rules.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{access, keys};
use crate::arm::auth::Caller;
use crate::arm::error::ArmError;
use crate::arm::site::Context;
use crate::exchange::{Answer, set};
use crate::resources::{EventHub, Namespace, ResourceId};

/// When everything here was made; ARM shows some date.
const CREATED: &str = "2024-05-14T08:00:00.0000000Z";

/// A namespace, event hub, consumer group or authorization rule.
pub(in crate::arm) fn resource(
    context: &Context<'_>,
    caller: &Caller,
    id: &ResourceId,
) -> Result<Answer, ArmError> {
    if context.call.method != Method::GET {
        return Err(context.no_such_method());
    }
    access::require(
        context.resources,
        caller,
        &format!("{}/read", id.resource_type()),
        id,
    )?;
    let is_rule = id.is_type("Microsoft.EventHub", &["namespaces", "authorizationRules"]);
    let body = match id.names().as_slice() {
        [_] => namespace_body(namespace(context, id)?, context.api_version),
        [_, _] if is_rule => keys::rule(context, id)?,
        [_, _] => {
            let (namespace, hub) = hub(context, id)?;
            hub_body(namespace, hub)
        }
        [_, _, group] => {
            let (namespace, hub) = hub(
                context,
                &id.parent().ok_or_else(|| ArmError::tracked_not_found(id))?,
            )?;
            let group = hub
                .consumer_group(group)
                .ok_or_else(|| ArmError::nested_not_found(id.as_str()))?;
            group_body(namespace, hub, group)
        }
        _ => return Err(context.no_such_method()),
    };
    Ok(Answer::json(StatusCode::OK, &body))
}

/// Lists: event hubs and authorization rules of a namespace, consumer groups of an event hub.
pub(in crate::arm) fn list(
    context: &Context<'_>,
    caller: &Caller,
    owner: &ResourceId,
    word: &str,
) -> Result<Answer, ArmError> {
    let is = |types: &[&str]| owner.is_type("Microsoft.EventHub", types);
    let value: Vec<Value> = match (&context.call.method, word) {
        (&Method::GET, "eventhubs") if is(&["namespaces"]) => {
            access::require(
                context.resources,
                caller,
                "Microsoft.EventHub/namespaces/eventhubs/read",
                owner,
            )?;
            let namespace = namespace(context, owner)?;
            namespace
                .event_hubs
                .iter()
                .map(|hub| hub_body(namespace, hub))
                .collect()
        }
        (&Method::GET, "authorizationrules") if is(&["namespaces"]) => {
            let action = "Microsoft.EventHub/namespaces/authorizationRules/read";
            access::require(context.resources, caller, action, owner)?;
            keys::rules(namespace(context, owner)?)
        }
        (&Method::GET, "consumergroups") if is(&["namespaces", "eventhubs"]) => {
            let action = "Microsoft.EventHub/namespaces/eventhubs/consumergroups/read";
            access::require(context.resources, caller, action, owner)?;
            let (namespace, hub) = hub(context, owner)?;
            let own = hub.consumer_groups.iter().map(String::as_str);
            let groups = hub.consumer_group("$Default").into_iter().chain(own);
            groups.map(|group| group_body(namespace, hub, group)).collect()
        }
        _ => return Err(context.no_such_method()),
    };
    Ok(Answer::json(StatusCode::OK, &json!({ "value": value })))
}

pub(super) fn namespace<'a>(context: &Context<'a>, id: &ResourceId) -> Result<&'a Namespace, ArmError> {
    context
        .resources
        .namespace(id)
        .ok_or_else(|| ArmError::tracked_not_found(id))
}

fn hub<'a>(context: &Context<'a>, id: &ResourceId) -> Result<(&'a Namespace, &'a EventHub), ArmError> {
    let parent = id.parent().ok_or_else(|| ArmError::tracked_not_found(id))?;
    if context.resources.namespace(&parent).is_none() {
        return Err(ArmError::parent_not_found(&parent));
    }
    context
        .resources
        .event_hub(id)
        .ok_or_else(|| ArmError::nested_not_found(id.as_str()))
}

/// With the members that the version has (the published API: 2021-06-01-preview brought two, 2022-01-01-preview one).
pub(in crate::arm) fn namespace_body(namespace: &Namespace, api_version: &str) -> Value {
    let name = namespace.id.name();
    let mut properties = json!({
        "zoneRedundant": true,
        "isAutoInflateEnabled": false,
        "maximumThroughputUnits": 0,
        "kafkaEnabled": true,
        "provisioningState": "Succeeded",
        "status": "Active",
        "createdAt": CREATED,
        "updatedAt": CREATED,
        "serviceBusEndpoint": format!("https://{name}.servicebus.windows.net:443/"),
        "metricId": format!("{}:{name}", namespace.id.subscription()),
    });
    if api_version >= "2021-06-01" {
        set(
            &mut properties,
            "disableLocalAuth",
            json!(namespace.local_auth_disabled),
        );
    }
    if api_version >= "2022-01-01" {
        set(&mut properties, "minimumTlsVersion", json!("1.2"));
        set(&mut properties, "publicNetworkAccess", json!("Enabled"));
    }
    json!({
        "sku": { "name": "Standard", "tier": "Standard", "capacity": 1 },
        "id": namespace.id.as_str(),
        "name": name,
        "type": "Microsoft.EventHub/Namespaces",
        "location": namespace.location,
        "tags": {},
        "properties": properties,
    })
}

fn hub_body(namespace: &Namespace, hub: &EventHub) -> Value {
    json!({
        "id": namespace.id.child("eventhubs", &hub.name).as_str(),
        "name": hub.name,
        "type": "Microsoft.EventHub/namespaces/eventhubs",
        "location": namespace.location,
        "properties": {
            "messageTimestampDescription": { "timestampType": "LogAppend" },
            "retentionDescription": { "cleanupPolicy": "Delete", "retentionTimeInHours": 24 },
            "messageRetentionInDays": 1,
            "partitionCount": hub.partitions,
            "partitionIds": (0..hub.partitions).map(|id| id.to_string()).collect::<Vec<_>>(),
            "status": "Active",
            "createdAt": CREATED,
            "updatedAt": CREATED,
        },
    })
}

fn group_body(namespace: &Namespace, hub: &EventHub, group: &str) -> Value {
    json!({
        "id": namespace.id.child("eventhubs", &hub.name).child("consumergroups", group).as_str(),
        "name": group,
        "type": "Microsoft.EventHub/namespaces/eventhubs/consumergroups",
        "location": namespace.location,
        "properties": { "createdAt": CREATED, "updatedAt": CREATED },
    })
}
