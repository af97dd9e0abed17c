//! What of Microsoft.EventHub can be changed over ARM: the use of keys, and the keys.

use http::{Method, StatusCode};
use serde_json::Value;

use super::{access, keys, read};
use crate::arm::auth::Caller;
use crate::arm::error::ArmError;
use crate::arm::site::no_such_method;
use crate::exchange::{Answer, Call};
use crate::resources::ResourceId;
use crate::world::World;

/// PUT or PATCH of a namespace that is there: `disableLocalAuth` is the one member that is heard.
pub(in crate::arm) fn write(
    world: &mut World,
    caller: &Caller,
    call: &Call,
    version: &str,
    id: &ResourceId,
) -> Result<Answer, ArmError> {
    let is_namespace = id.is_type("Microsoft.EventHub", &["namespaces"]);
    if !is_namespace || !(call.method == Method::PUT || call.method == Method::PATCH) {
        return Err(no_such_method(call));
    }
    access::require(
        &world.resources,
        caller,
        "Microsoft.EventHub/namespaces/write",
        id,
    )?;
    // As Kusto refuses it; Event Hubs' own words are a guess.
    let message = "The request content was invalid and could not be deserialized.";
    let invalid = || ArmError::bad_request("InvalidRequestContent", message);
    let sent = call.json().ok_or_else(invalid)?;
    let namespace = world.resources.namespaces.iter_mut().find(|n| n.id == *id);
    let namespace = namespace.ok_or_else(|| ArmError::tracked_not_found(id))?;
    match sent.get("properties").and_then(|p| p.get("disableLocalAuth")) {
        Some(Value::Bool(disabled)) => namespace.local_auth_disabled = *disabled,
        // What is left out of a PUT has its default again.
        None if call.method == Method::PUT => namespace.local_auth_disabled = false,
        None => {}
        Some(_) => {
            // Event Hubs' code for a body that it can't use; the text is a guess.
            let message = "The value of 'disableLocalAuth' is invalid.";
            return Err(ArmError::bad_request("BadRequest", message));
        }
    }
    Ok(Answer::json(
        StatusCode::OK,
        &read::namespace_body(namespace, version),
    ))
}

/// An action on an authorization rule of a namespace.
pub(in crate::arm) fn act(
    world: &mut World,
    caller: &Caller,
    call: &Call,
    (owner, word): (&ResourceId, &str),
) -> Result<Answer, ArmError> {
    let is_rule = owner.is_type("Microsoft.EventHub", &["namespaces", "authorizationRules"]);
    match word {
        "listkeys" if is_rule => keys::list_keys(&world.resources, caller, owner),
        "regeneratekeys" if is_rule => keys::regenerate_keys(world, caller, call, owner),
        _ => Err(no_such_method(call)),
    }
}
