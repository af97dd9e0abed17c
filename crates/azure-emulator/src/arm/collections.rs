//! Lists of all clusters or namespaces of a subscription or group.

use http::StatusCode;
use serde_json::{Value, json};

use super::auth::Caller;
use super::error::ArmError;
use super::site::Context;
use super::{access, eventhub, kusto};
use crate::exchange::Answer;
use crate::resources::ResourceId;

/// `GET {scope}/providers/{namespace}/{type}`: those that the caller may read, which may be none. That ARM leaves the
/// others out instead of refusing is a guess.
pub(super) fn list(
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
        _ => return Err(context.no_such_method()),
    };
    Ok(Answer::json(StatusCode::OK, &json!({ "value": value })))
}
