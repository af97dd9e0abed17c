//! A data connection's body, and what Kusto refuses at once.

use serde_json::{Map, Value};

use super::ArmError;
use crate::exchange::Call;
use crate::resources::{Wanted, same_location};

/// A kind, the member that gives it away, and the text members it can't do without.
struct Kind {
    name: &'static str,
    sign: &'static str,
    required: &'static [&'static str],
}

/// The most telling signs first: Event Grid bodies name an event hub too.
const KINDS: &[Kind] = &[
    Kind {
        name: "EventGridWithManagedIdentity",
        sign: "storageAccountResourceIdForManagedIdentity",
        required: &[
            "storageAccountResourceIdForManagedIdentity",
            "eventHubResourceIdForManagedIdentity",
            "consumerGroup",
            "managedIdentityResourceId",
        ],
    },
    Kind {
        name: "EventGrid",
        sign: "storageAccountResourceId",
        required: &["storageAccountResourceId", "eventHubResourceId", "consumerGroup"],
    },
    Kind {
        name: "EventHubWithManagedIdentity",
        sign: "eventHubResourceIdForManagedIdentity",
        required: &[
            "eventHubResourceIdForManagedIdentity",
            "consumerGroup",
            "managedIdentityResourceId",
        ],
    },
    Kind {
        name: "EventHub",
        sign: "eventHubResourceId",
        required: &["eventHubResourceId", "consumerGroup"],
    },
    Kind {
        name: "IotHub",
        sign: "iotHubResourceId",
        required: &["iotHubResourceId", "consumerGroup", "sharedAccessPolicyName"],
    },
    Kind {
        name: "CosmosDb",
        sign: "cosmosDbAccountResourceId",
        required: &[
            "cosmosDbAccountResourceId",
            "tableName",
            "managedIdentityResourceId",
            "cosmosDbDatabase",
            "cosmosDbContainer",
        ],
    },
];

/// The call's body as a JSON object.
pub(super) fn object(call: &Call) -> Result<Map<String, Value>, ArmError> {
    match serde_json::from_slice(&call.body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(invalid_content("a JSON object was expected")),
        Err(error) => Err(invalid_content(&error.to_string())),
    }
}

fn invalid_content(why: &str) -> ArmError {
    let message = format!("The request content was invalid and could not be deserialized: '{why}'.");
    ArmError::bad_request("InvalidRequestContent", message)
}

/// Reads and checks a data connection's members. The codes of these refusals are guesses, the texts on `location` known.
pub(super) fn wanted(body: &Map<String, Value>, cluster_location: &str) -> Result<Wanted, ArmError> {
    let location = body.get("location").and_then(Value::as_str).unwrap_or_default();
    check_location(location, cluster_location)?;
    let properties = body
        .get("properties")
        .and_then(Value::as_object)
        .ok_or_else(|| ArmError::bad_request("InvalidRequestFormat", missing("properties")))?;
    let kind = kind(body, properties)?;
    for name in kind.required {
        let text = properties.get(*name).and_then(Value::as_str);
        if text.is_none_or(|text| text.trim().is_empty()) {
            return Err(ArmError::bad_request(
                "InvalidRequestFormat",
                missing(&format!("properties.{name}")),
            ));
        }
    }
    let mut properties = properties.clone();
    // Read-only: what a caller sends there is not heard.
    properties.remove("provisioningState");
    Ok(Wanted {
        kind: kind.name.to_owned(),
        location: location.to_owned(),
        properties,
    })
}

fn missing(name: &str) -> String {
    format!("The value for property '{name}' in the input object cannot be empty.")
}

fn check_location(location: &str, cluster_location: &str) -> Result<(), ArmError> {
    if location.trim().is_empty() {
        return Err(ArmError::bad_request("InvalidRequestFormat", missing("location")));
    }
    if !location
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || " ()".contains(c))
    {
        let message = "The value for the provided property 'location' contains invalid characters. The property value \
                       can only contain spaces, letters, digits or any of the following characters '()'.";
        return Err(ArmError::bad_request("InvalidRequestFormat", message));
    }
    if !same_location(location, cluster_location) {
        let message = format!(
            "The provided location '{location}' is not the location of the cluster, '{cluster_location}'."
        );
        return Err(ArmError::bad_request("InvalidLocation", message));
    }
    Ok(())
}

/// The kind as named, or as the members tell: one of Microsoft's own clients leaves it out (azure-mgmt-kusto 4.0.0).
fn kind(body: &Map<String, Value>, properties: &Map<String, Value>) -> Result<&'static Kind, ArmError> {
    let found = match body.get("kind").and_then(Value::as_str) {
        Some(named) => KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(named)),
        // Without any sign the most usual kind is meant, so that the refusal names its missing member.
        None => KINDS
            .iter()
            .find(|kind| properties.contains_key(kind.sign))
            .or_else(|| KINDS.iter().find(|kind| kind.name == "EventHub")),
    };
    found.ok_or_else(|| {
        ArmError::bad_request(
            "InvalidRequestFormat",
            "The value for property 'kind' is unknown.",
        )
    })
}
