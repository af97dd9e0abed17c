//! Lists of all resources of a type in a subscription or group.

use http::StatusCode;
use serde_json::{Value, json};

use super::auth::Caller;
use super::error::ArmError;
use super::site::Context;
use super::{access, event_grid, eventhub, kusto, storage};
use crate::azure::Azure;
use crate::exchange::Answer;
use crate::resources::ResourceId;

/// `GET {scope}/providers/{namespace}/{type}`: those that the caller may read, which may be none. That ARM leaves the
/// others out instead of refusing is a guess.
pub(super) fn list(
    azure: &Azure,
    context: &Context<'_>,
    caller: &Caller,
    scope: &ResourceId,
    kind: &str,
) -> Result<Answer, ArmError> {
    let (resources, version) = (context.resources, context.api_version);
    if scope.resource_group().is_some() && !resources.has_group(scope) {
        access::require(resources, caller, &format!("{kind}/read"), scope)?;
    }
    let may_read =
        |id: &ResourceId, action: &str| id.is_within(scope) && access::allows(resources, caller, action, id);
    let value: Vec<Value> = match kind {
        "microsoft.kusto/clusters" => {
            let all = resources.clusters.iter();
            let seen = all.filter(|cluster| may_read(&cluster.id, "Microsoft.Kusto/clusters/read"));
            seen.map(|cluster| kusto::cluster_body(cluster, version))
                .collect()
        }
        "microsoft.eventhub/namespaces" => {
            let all = resources.namespaces.iter();
            let seen = all.filter(|namespace| may_read(&namespace.id, "Microsoft.EventHub/namespaces/read"));
            seen.map(|namespace| eventhub::namespace_body(namespace, version))
                .collect()
        }
        "microsoft.storage/storageaccounts" => {
            let all = resources.storage_accounts.iter();
            let seen = all.filter(|account| may_read(&account.id, "Microsoft.Storage/storageAccounts/read"));
            seen.map(|account| storage::body(account, version)).collect()
        }
        "microsoft.eventgrid/systemtopics" => return event_grid::topics_at(azure, context, caller, scope),
        "microsoft.eventgrid/eventsubscriptions" => {
            return event_grid::subscriptions_at(azure, context, caller, scope);
        }
        _ => return Err(context.no_such_method()),
    };
    Ok(Answer::json(StatusCode::OK, &json!({ "value": value })))
}
