//! Subscriptions and resource groups.

use http::StatusCode;
use serde_json::{Value, json};

use super::access;
use super::auth::Caller;
use super::error::ArmError;
use super::site::Context;
use crate::exchange::Answer;
use crate::resources::{ResourceId, Resources, Subscription};

/// `GET /subscriptions`: those of the caller's tenant in which it holds any role.
pub(super) fn list(resources: &Resources, caller: &Caller) -> Answer {
    let visible = |s: &&Subscription| s.tenant_id == caller.tenant_id && holds_a_role(resources, caller, s);
    let value: Vec<Value> = resources.subscriptions.iter().filter(visible).map(body).collect();
    Answer::json(
        StatusCode::OK,
        &json!({ "value": value, "count": { "type": "Total", "value": value.len() } }),
    )
}

/// `GET /subscriptions/{id}`. A role anywhere inside is enough to see it, as it is in the portal.
pub(super) fn get(
    resources: &Resources,
    caller: &Caller,
    subscription: &Subscription,
    id: &ResourceId,
) -> Result<Answer, ArmError> {
    if !holds_a_role(resources, caller, subscription) {
        access::require(resources, caller, "Microsoft.Resources/subscriptions/read", id)?;
    }
    Ok(Answer::json(StatusCode::OK, &body(subscription)))
}

/// `GET /subscriptions/{id}/resourceGroups/{name}`
pub(super) fn group(
    resources: &Resources,
    caller: &Caller,
    subscription: &Subscription,
    id: &ResourceId,
) -> Result<Answer, ArmError> {
    access::require(
        resources,
        caller,
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        id,
    )?;
    let wanted = id.resource_group().unwrap_or_default();
    let mut groups = subscription.resource_groups.iter();
    let (name, location) = groups
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .ok_or_else(|| ArmError::group_not_found(wanted))?;
    Ok(Answer::json(
        StatusCode::OK,
        &group_body(subscription, name, location),
    ))
}

/// `HEAD /subscriptions/{id}/resourceGroups/{name}`: 204 when it is there.
pub(super) fn group_exists(
    context: &Context<'_>,
    caller: &Caller,
    id: &ResourceId,
) -> Result<Answer, ArmError> {
    if id.resource_group().is_none() || !id.names().is_empty() {
        return Err(context.no_such_method());
    }
    let action = "Microsoft.Resources/subscriptions/resourceGroups/read";
    access::require(context.resources, caller, action, id)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `GET /subscriptions/{id}/resourceGroups`: those that the caller may read.
pub(super) fn groups(resources: &Resources, caller: &Caller, id: &ResourceId) -> Result<Answer, ArmError> {
    let known = resources.subscription(id.subscription());
    let subscription = known.ok_or_else(|| ArmError::subscription_not_found(id.subscription()))?;
    let action = "Microsoft.Resources/subscriptions/resourceGroups/read";
    let may_read = |name: &str| {
        let group = ResourceId::parse(&group_id(subscription, name));
        group.is_ok_and(|group| access::allows(resources, caller, action, &group))
    };
    let seen = subscription
        .resource_groups
        .iter()
        .filter(|(name, _)| may_read(name));
    let value: Vec<Value> = seen
        .map(|(name, location)| group_body(subscription, name, location))
        .collect();
    Ok(Answer::json(StatusCode::OK, &json!({ "value": value })))
}

fn group_id(subscription: &Subscription, name: &str) -> String {
    format!("/subscriptions/{}/resourceGroups/{name}", subscription.id)
}

fn group_body(subscription: &Subscription, name: &str, location: &str) -> Value {
    json!({
        "id": group_id(subscription, name),
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location.replace(' ', "").to_lowercase(),
        "properties": { "provisioningState": "Succeeded" },
    })
}

fn holds_a_role(resources: &Resources, caller: &Caller, subscription: &Subscription) -> bool {
    let id = format!("/subscriptions/{}", subscription.id);
    ResourceId::parse(&id).is_ok_and(|id| resources.holds_a_role_within(&caller.principals, &id))
}

fn body(subscription: &Subscription) -> Value {
    json!({
        "id": format!("/subscriptions/{}", subscription.id),
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant_id,
        "displayName": subscription.name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
    })
}
