//! Authorization rules of a namespace, and their keys.

use http::StatusCode;
use serde_json::{Value, json};

use super::{access, read};
use crate::arm::auth::Caller;
use crate::arm::error::ArmError;
use crate::arm::site::Context;
use crate::exchange::{Answer, Call};
use crate::resources::{AuthorizationRule, KeyKind, Namespace, ResourceId, Resources};
use crate::world::World;

/// A rule by id, as GET shows it. Its keys are told by `listKeys` alone.
pub(super) fn rule(context: &Context<'_>, id: &ResourceId) -> Result<Value, ArmError> {
    let parent = id.parent().ok_or_else(|| ArmError::tracked_not_found(id))?;
    let namespace = read::namespace(context, &parent)?;
    namespace
        .authorization_rule(id.name())
        .map(|rule| rule_body(namespace, rule))
        .ok_or_else(|| ArmError::nested_not_found(id.as_str()))
}

/// Every rule of a namespace.
pub(super) fn rules(namespace: &Namespace) -> Vec<Value> {
    let rules = namespace.authorization_rules.iter();
    rules.map(|rule| rule_body(namespace, rule)).collect()
}

fn rule_body(namespace: &Namespace, rule: &AuthorizationRule) -> Value {
    json!({
        "id": namespace.id.child("authorizationRules", &rule.name).as_str(),
        "name": rule.name,
        "type": "Microsoft.EventHub/Namespaces/AuthorizationRules",
        "location": namespace.location,
        "properties": { "rights": rule.rights },
    })
}

/// `POST …/authorizationRules/{rule}/listKeys`. Keys are told also while the namespace refuses them.
pub(super) fn list_keys(
    resources: &Resources,
    caller: &Caller,
    rule: &ResourceId,
) -> Result<Answer, ArmError> {
    let action = "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action";
    access::require(resources, caller, action, rule)?;
    answer(resources, rule)
}

/// `POST …/authorizationRules/{rule}/regenerateKeys`
pub(super) fn regenerate_keys(
    world: &mut World,
    caller: &Caller,
    call: &Call,
    rule: &ResourceId,
) -> Result<Answer, ArmError> {
    let action = "Microsoft.EventHub/namespaces/authorizationRules/regenerateKeys/action";
    access::require(&world.resources, caller, action, rule)?;
    let sent = call.json().unwrap_or_default();
    let which = match sent.get("keyType").and_then(Value::as_str) {
        Some("PrimaryKey") => KeyKind::Primary,
        Some("SecondaryKey") => KeyKind::Secondary,
        // Event Hubs' code for a body that it can't use; the text is a guess.
        _ => {
            return Err(ArmError::bad_request(
                "BadRequest",
                "The value of 'keyType' is invalid.",
            ));
        }
    };
    let brought = sent.get("key").and_then(Value::as_str).map(str::to_owned);
    let name = rule.name().to_owned();
    let namespace = world
        .resources
        .namespaces
        .iter_mut()
        .find(|n| Some(&n.id) == rule.parent().as_ref());
    let found = namespace.and_then(|namespace| {
        let mut rules = namespace.authorization_rules.iter_mut();
        rules.find(|known| known.name.eq_ignore_ascii_case(&name))
    });
    if let Some(found) = found {
        found.regenerate(which, brought);
    }
    answer(&world.resources, rule)
}

fn answer(resources: &Resources, id: &ResourceId) -> Result<Answer, ArmError> {
    let parent = id.parent().ok_or_else(|| ArmError::tracked_not_found(id))?;
    let namespace = resources
        .namespace(&parent)
        .ok_or_else(|| ArmError::parent_not_found(&parent))?;
    let rule = namespace
        .authorization_rule(id.name())
        .ok_or_else(|| ArmError::nested_not_found(id.as_str()))?;
    let primary = rule.key(&namespace.id, KeyKind::Primary);
    let secondary = rule.key(&namespace.id, KeyKind::Secondary);
    let body = json!({
        "primaryConnectionString": connection_string(namespace, rule, &primary),
        "secondaryConnectionString": connection_string(namespace, rule, &secondary),
        "primaryKey": primary,
        "secondaryKey": secondary,
        "keyName": rule.name,
    });
    Ok(Answer::json(StatusCode::OK, &body))
}

fn connection_string(namespace: &Namespace, rule: &AuthorizationRule, key: &str) -> String {
    format!(
        "Endpoint=sb://{}.servicebus.windows.net/;SharedAccessKeyName={};SharedAccessKey={key}",
        namespace.id.name(),
        rule.name
    )
}
