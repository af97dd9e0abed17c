//! Microsoft.EventGrid: system topics of storage accounts and event subscriptions, for reading
//! (looks and lists from recorded ARM traffic).

use http::StatusCode;
use serde_json::{Value, json};

use super::access;
use super::auth::Caller;
use super::error::ArmError;
use super::paging;
use super::site::Context;
use crate::azure::Azure;
use crate::exchange::{Answer, set};
use crate::resources::{EventFilter, EventSubscription, ResourceId, Resources, SystemTopic};

const TOPIC_READ: &str = "Microsoft.EventGrid/systemTopics/read";
const SUBSCRIPTION_READ: &str = "Microsoft.EventGrid/eventSubscriptions/read";
const NESTED_READ: &str = "Microsoft.EventGrid/systemTopics/eventSubscriptions/read";
/// How many items a page holds if the caller doesn't say.
const USUAL_PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

/// `GET` of a system topic or an event subscription.
pub(super) fn get(context: &Context<'_>, caller: &Caller, id: &ResourceId) -> Result<Answer, ArmError> {
    let resources = context.resources;
    let is = |types: &[&str]| id.is_type("Microsoft.EventGrid", types);
    let body = if is(&["systemTopics"]) {
        access::require(resources, caller, TOPIC_READ, id)?;
        resources.system_topic(id).map(topic_body)
    } else if is(&["eventSubscriptions"]) {
        access::require(resources, caller, SUBSCRIPTION_READ, id)?;
        let account = id.extended().ok_or_else(|| context.no_such_method())?;
        require_account(resources, &account)?;
        resources
            .event_subscription(id)
            .map(|known| body(resources, known))
    } else if is(&["systemTopics", "eventSubscriptions"]) {
        access::require(resources, caller, NESTED_READ, id)?;
        let topic = id.parent().ok_or_else(|| context.no_such_method())?;
        if resources.system_topic(&topic).is_none() {
            return Err(ArmError::parent_not_found(&topic));
        }
        resources
            .event_subscription(id)
            .map(|known| body(resources, known))
    } else {
        return Err(context.no_such_method());
    };
    let body = body.ok_or_else(|| ArmError::tracked_not_found(id))?;
    Ok(Answer::json(StatusCode::OK, &body))
}

/// `GET …/eventSubscriptions` of a storage account, of a subscription or of a group. Those of system topics are not in
/// these lists: whether Azure shows them there is not known, so clients have to look in both places.
pub(super) fn subscriptions_at(
    azure: &Azure,
    context: &Context<'_>,
    caller: &Caller,
    scope: &ResourceId,
) -> Result<Answer, ArmError> {
    let resources = context.resources;
    if !scope.names().is_empty() {
        access::require(resources, caller, SUBSCRIPTION_READ, scope)?;
        require_account(resources, scope)?;
    }
    let is_seen = |known: &&EventSubscription| {
        let may_read = || access::allows(resources, caller, SUBSCRIPTION_READ, &known.id);
        !known.is_of_topic() && known.id.is_within(scope) && may_read()
    };
    let seen = resources.event_subscriptions.iter().filter(is_seen);
    let items: Vec<Value> = seen.map(|known| body(resources, known)).collect();
    page(azure, context, &items)
}

/// `GET …/systemTopics` of a subscription or a group. `$filter` is not heard (recorded ARM traffic).
pub(super) fn topics_at(
    azure: &Azure,
    context: &Context<'_>,
    caller: &Caller,
    scope: &ResourceId,
) -> Result<Answer, ArmError> {
    let resources = context.resources;
    let may_read = |id: &ResourceId| access::allows(resources, caller, TOPIC_READ, id);
    let seen = resources
        .system_topics
        .iter()
        .filter(|topic| topic.id.is_within(scope) && may_read(&topic.id));
    let items: Vec<Value> = seen.map(topic_body).collect();
    page(azure, context, &items)
}

/// `GET {system topic}/eventSubscriptions`, and the lists of a subscription by region and type of topic, of which there is
/// one type here.
pub(super) fn below(
    azure: &Azure,
    context: &Context<'_>,
    caller: &Caller,
    (owner, word): (&ResourceId, &str),
) -> Result<Answer, ArmError> {
    let resources = context.resources;
    let is = |types: &[&str]| owner.is_type("Microsoft.EventGrid", types);
    if word != "eventsubscriptions" {
        return Err(context.no_such_method());
    }
    if !is(&["systemTopics"]) {
        return subscriptions_at(
            azure,
            context,
            caller,
            &owner
                .group_or_subscription()
                .ok_or_else(|| context.no_such_method())?,
        );
    }
    access::require(resources, caller, NESTED_READ, owner)?;
    if resources.system_topic(owner).is_none() {
        return Err(ArmError::tracked_not_found(owner));
    }
    let nested = resources.event_subscriptions.iter();
    let nested = nested.filter(|known| known.is_of_topic() && known.id.is_within(owner));
    let items: Vec<Value> = nested.map(|known| body(resources, known)).collect();
    page(azure, context, &items)
}

/// As long as `$top` says.
fn page(azure: &Azure, context: &Context<'_>, items: &[Value]) -> Result<Answer, ArmError> {
    let asked = context.call.query("$top").and_then(|top| top.parse().ok());
    let size = asked.unwrap_or(USUAL_PAGE).clamp(1, LARGEST_PAGE);
    paging::answer(azure, context.call, Some(size), items)
}

fn require_account(resources: &Resources, account: &ResourceId) -> Result<(), ArmError> {
    match resources.storage_account(account) {
        Some(_) => Ok(()),
        None => Err(ArmError::tracked_not_found(account)),
    }
}

fn topic_body(topic: &SystemTopic) -> Value {
    json!({
        "properties": {
            "provisioningState": "Succeeded",
            "source": topic.source.as_str(),
            "topicType": "Microsoft.Storage.StorageAccounts",
            "metricResourceId": topic_metric(topic),
        },
        "systemData": null,
        "location": topic.location.replace(' ', "").to_lowercase(),
        "tags": null,
        "id": topic.id.as_str(),
        "name": topic.id.name(),
        "type": "Microsoft.EventGrid/systemTopics",
    })
}

/// A GUID that stands for the topic in metrics.
fn topic_metric(topic: &SystemTopic) -> String {
    uuid::Uuid::from_u128(topic.id.key().bytes().fold(0_u128, |all, byte| {
        all.wrapping_mul(257).wrapping_add(u128::from(byte))
    }))
    .to_string()
}

fn body(resources: &Resources, known: &EventSubscription) -> Value {
    let destination = json!({ "properties": { "resourceId": known.event_hub }, "endpointType": "EventHub" });
    let mut properties = json!({
        "topic": topic_of(resources, known),
        "provisioningState": known.provisioning_state,
    });
    match &known.identity {
        None => set(&mut properties, "destination", destination),
        Some(identity) => {
            let mut by = match &identity.user_assigned {
                Some(id) => json!({ "type": "UserAssigned", "userAssignedIdentity": id }),
                None => json!({ "type": "SystemAssigned" }),
            };
            if let Some(app) = &identity.federated_client_id {
                let info = json!({ "federatedClientId": app });
                set(&mut by, "federatedIdentityCredentialInfo", info);
            }
            set(&mut properties, "destination", Value::Null);
            let delivery = json!({ "identity": by, "destination": destination });
            set(&mut properties, "deliveryWithResourceIdentity", delivery);
        }
    }
    set(&mut properties, "filter", filter_body(&known.filter));
    set(&mut properties, "labels", Value::Null);
    set(&mut properties, "eventDeliverySchema", json!(known.schema));
    let retry = json!({ "maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440 });
    set(&mut properties, "retryPolicy", retry);
    let kind = if known.is_of_topic() {
        "Microsoft.EventGrid/systemTopics/eventSubscriptions"
    } else {
        "Microsoft.EventGrid/eventSubscriptions"
    };
    json!({
        "properties": properties,
        "systemData": null,
        "id": known.id.as_str(),
        "name": known.id.name(),
        "type": kind,
    })
}

/// On an account its id with provider and type in lower case, whatever the subscription's own id says; else the system
/// topic's id.
fn topic_of(resources: &Resources, known: &EventSubscription) -> Option<String> {
    if known.is_of_topic() {
        return known.id.parent().map(|topic| topic.to_string());
    }
    let account = resources.source_of(known)?;
    Some(format!(
        "/subscriptions/{}/resourceGroups/{}/providers/microsoft.storage/storageaccounts/{}",
        account.subscription(),
        account.resource_group().unwrap_or_default(),
        account.name()
    ))
}

/// What is at its default is left out, but for the two parts of subjects.
fn filter_body(filter: &EventFilter) -> Value {
    let mut body = json!({
        "subjectBeginsWith": filter.subject_begins_with,
        "subjectEndsWith": filter.subject_ends_with,
        "includedEventTypes": filter.included_event_types,
    });
    if filter.is_subject_case_sensitive {
        set(&mut body, "isSubjectCaseSensitive", json!(true));
    }
    if !filter.advanced_filters.is_empty() {
        set(&mut body, "advancedFilters", json!(filter.advanced_filters));
    }
    body
}
