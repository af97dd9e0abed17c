//! ARM's linked access check: whoever writes a data connection must be allowed to fetch its source's keys.
//! For a source in another tenant that is decided by the auxiliary token of that tenant.

use http::StatusCode;
use serde_json::{Map, Value};

use super::{ArmError, CONNECTION_TYPE, Request};
use crate::arm::access;
use crate::arm::auth::Caller;
use crate::resources::{ResourceId, Resources};

/// A property that names a resource, its type, and what is asked of the caller there.
/// The `…ForManagedIdentity` properties are not in the list: inferred from their names, the identity is checked instead.
struct Link {
    property: &'static str,
    namespace: &'static str,
    types: &'static [&'static str],
    action: &'static str,
}

const LINKS: &[Link] = &[
    Link {
        property: "eventHubResourceId",
        namespace: "Microsoft.EventHub",
        types: &["namespaces", "eventhubs"],
        action: "Microsoft.EventHub/namespaces/authorizationrules/listkeys/action",
    },
    Link {
        property: "storageAccountResourceId",
        namespace: "Microsoft.Storage",
        types: &["storageAccounts"],
        action: "Microsoft.Storage/storageAccounts/listKeys/action",
    },
    Link {
        property: "iotHubResourceId",
        namespace: "Microsoft.Devices",
        types: &["IotHubs"],
        action: "Microsoft.Devices/iotHubs/listkeys/action",
    },
];

/// Checks every linked property of a data connection's body, whatever its kind: the check goes by paths, and knows no kinds.
/// Kinds and properties that ARM has no link for are not checked; which these are beside the ones above is not known.
pub(super) fn check(
    request: &Request<'_>,
    resources: &Resources,
    scope: &ResourceId,
    (at, body): (&str, &Map<String, Value>),
) -> Result<(), ArmError> {
    let properties = body.get("properties").and_then(Value::as_object);
    for link in LINKS {
        let Some(text) = properties
            .and_then(|p| p.get(link.property))
            .and_then(Value::as_str)
        else {
            continue;
        };
        if text.trim().is_empty() {
            continue;
        }
        let id = ResourceId::parse(text)
            .ok()
            .filter(|id| id.is_type(link.namespace, link.types));
        let id = id.ok_or_else(|| invalid_id(&format!("{at}.{}", link.property), text))?;
        check_one(request, resources, scope, link, &id)?;
    }
    Ok(())
}

fn check_one(
    request: &Request<'_>,
    resources: &Resources,
    scope: &ResourceId,
    link: &Link,
    id: &ResourceId,
) -> Result<(), ArmError> {
    // Keys belong to the namespace: a role on one event hub is not enough (Microsoft Learn: "Ingest data from an event
    // hub in another tenant").
    let keys_of = id.parent().unwrap_or_else(|| id.clone());
    let Some(subscription) = resources.subscription_of(id) else {
        return Err(no_permission(request.caller, scope, link.action, &keys_of));
    };
    let principal = if subscription.tenant_id == request.caller.tenant_id {
        request.caller
    } else {
        let other = request
            .auxiliary
            .iter()
            .find(|caller| caller.tenant_id == subscription.tenant_id);
        other.ok_or_else(|| no_token(request.caller, scope, link.action, &subscription.id))?
    };
    if access::allows(resources, principal, link.action, &keys_of) {
        Ok(())
    } else {
        Err(no_permission(principal, scope, link.action, &keys_of))
    }
}

/// ARM names the linked action here, beside the scope that is written
/// (Azure/azure-cli issue 30431, Azure/OpenShift issue 41).
fn no_token(caller: &Caller, scope: &ResourceId, action: &str, subscription: &str) -> ArmError {
    let message = format!(
        "The client has permission to perform action '{action}' on scope '{scope}', however the current tenant '{}' is \
         not authorized to access linked subscription '{subscription}'.",
        caller.tenant_id
    );
    ArmError::gateway(StatusCode::FORBIDDEN, "LinkedAuthorizationFailed", message)
}

fn no_permission(principal: &Caller, scope: &ResourceId, action: &str, linked: &ResourceId) -> ArmError {
    let message = format!(
        "The client '{}' with object id '{}' has permission to perform action '{CONNECTION_TYPE}/write' on scope \
         '{scope}'; however, it does not have permission to perform action '{action}' on the linked scope(s) \
         '{linked}' or the linked scope(s) are invalid.",
        principal.name, principal.oid,
    );
    ArmError::gateway(StatusCode::FORBIDDEN, "LinkedAuthorizationFailed", message)
}

fn invalid_id(path: &str, value: &str) -> ArmError {
    let message = format!(
        "Property id '{value}' at path '{path}' is invalid. Expect fully qualified resource Id that \
         start with '/subscriptions/{{subscriptionId}}' or '/providers/{{resourceProviderNamespace}}/'."
    );
    ArmError::gateway(StatusCode::BAD_REQUEST, "LinkedInvalidPropertyId", message)
}
