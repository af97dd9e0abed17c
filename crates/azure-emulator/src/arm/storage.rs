//! Microsoft.Storage: storage accounts for reading, their keys, and whether keys are accepted, for changing.
//! Accounts are not made or removed here, and no blobs are.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::access;
use super::auth::Caller;
use super::error::ArmError;
use super::site::{Context, no_such_method};
use crate::exchange::{Answer, Call, set};
use crate::resources::{KeyKind, ResourceId, Resources, StorageAccount};
use crate::world::World;

/// When everything here was made; ARM shows some date.
const CREATED: &str = "2024-05-14T08:00:00.0000000Z";

/// `GET` of an account.
pub(super) fn get(context: &Context<'_>, caller: &Caller, id: &ResourceId) -> Result<Answer, ArmError> {
    access::require(
        context.resources,
        caller,
        "Microsoft.Storage/storageAccounts/read",
        id,
    )?;
    let account = context.resources.storage_account(id);
    let account = account.ok_or_else(|| ArmError::tracked_not_found(id))?;
    Ok(Answer::json(StatusCode::OK, &body(account, context.api_version)))
}

/// `PATCH` of an account: `allowSharedKeyAccess` is the one member that is heard.
pub(super) fn change(
    world: &mut World,
    caller: &Caller,
    call: &Call,
    version: &str,
    id: &ResourceId,
) -> Result<Answer, ArmError> {
    if call.method != Method::PATCH {
        return Err(no_such_method(call));
    }
    access::require(
        &world.resources,
        caller,
        "Microsoft.Storage/storageAccounts/write",
        id,
    )?;
    let sent = call
        .json()
        .ok_or_else(|| invalid("The request body is no JSON object."))?;
    let mut accounts = world.resources.storage_accounts.iter_mut();
    let account = accounts.find(|account| account.id == *id);
    let account = account.ok_or_else(|| ArmError::tracked_not_found(id))?;
    match sent
        .get("properties")
        .and_then(|properties| properties.get("allowSharedKeyAccess"))
    {
        Some(Value::Bool(allowed)) => account.allow_shared_key_access = Some(*allowed),
        None | Some(Value::Null) => {}
        Some(_) => return Err(invalid("The value of 'allowSharedKeyAccess' is invalid.")),
    }
    Ok(Answer::json(StatusCode::OK, &body(account, version)))
}

/// `POST …/listKeys` and `POST …/regenerateKey`. Keys are told also while the account refuses them. What a client asks for
/// beside them (`$expand=kerb`) is nothing here.
pub(super) fn act(
    world: &mut World,
    caller: &Caller,
    call: &Call,
    (id, word): (&ResourceId, &str),
) -> Result<Answer, ArmError> {
    let action = match word {
        "listkeys" => "Microsoft.Storage/storageAccounts/listKeys/action",
        "regeneratekey" => "Microsoft.Storage/storageAccounts/regeneratekey/action",
        _ => return Err(no_such_method(call)),
    };
    access::require(&world.resources, caller, action, id)?;
    if word == "regeneratekey" {
        let sent = call.json().unwrap_or_default();
        let which = match sent.get("keyName").and_then(Value::as_str) {
            Some("key1") => KeyKind::Primary,
            Some("key2") => KeyKind::Secondary,
            _ => return Err(invalid("The value of 'keyName' is invalid.")),
        };
        let found = world.resources.storage_account_mut(id.as_str());
        found
            .map_err(|_| ArmError::tracked_not_found(id))?
            .regenerate(which);
    }
    keys(&world.resources, id)
}

fn keys(resources: &Resources, id: &ResourceId) -> Result<Answer, ArmError> {
    let account = resources.storage_account(id);
    let account = account.ok_or_else(|| ArmError::tracked_not_found(id))?;
    let key = |name: &str, which| json!({ "creationTime": CREATED, "keyName": name, "permissions": "FULL", "value": account.key(which) });
    let keys = [key("key1", KeyKind::Primary), key("key2", KeyKind::Secondary)];
    Ok(Answer::json(StatusCode::OK, &json!({ "keys": keys })))
}

/// Code and text are guesses: Storage's own for a body that it can't use are not known.
fn invalid(message: &str) -> ArmError {
    ArmError::bad_request("InvalidRequestContent", message)
}

/// An account as the version shows it. What is at its default is not shown, as at Azure (recorded ARM traffic).
pub(super) fn body(account: &StorageAccount, api_version: &str) -> Value {
    let name = account.id.name();
    let region = account.location.replace(' ', "").to_lowercase();
    let endpoint = |service: &str| format!("https://{name}.{service}.core.windows.net/");
    let mut properties = json!({
        "networkAcls": {
            "bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow",
        },
        "supportsHttpsTrafficOnly": true,
        "encryption": {
            "services": { "blob": { "enabled": true, "keyType": "Account", "lastEnabledTime": CREATED } },
            "keySource": "Microsoft.Storage",
        },
        "accessTier": "Hot",
        "provisioningState": "Succeeded",
        "creationTime": CREATED,
        "primaryEndpoints": { "dfs": endpoint("dfs"), "blob": endpoint("blob") },
        "primaryLocation": region,
        "statusOfPrimary": "available",
    });
    if account.is_hns_enabled {
        set(&mut properties, "isHnsEnabled", json!(true));
    }
    if let Some(allowed) = account
        .allow_shared_key_access
        .filter(|_| api_version >= "2019-06-01")
    {
        set(&mut properties, "allowSharedKeyAccess", json!(allowed));
    }
    if let Some(allowed) = account
        .allow_shared_key_access_for_blobs
        .filter(|_| api_version >= "2026-09-01")
    {
        let services = json!({ "blob": { "enabled": allowed } });
        set(&mut properties, "allowSharedKeyAccessForServices", services);
    }
    json!({
        "sku": { "name": "Standard_LRS", "tier": "Standard" },
        "kind": account.kind,
        "id": account.id.as_str(),
        "name": name,
        "type": "Microsoft.Storage/storageAccounts",
        "location": region,
        "tags": {},
        "properties": properties,
    })
}
