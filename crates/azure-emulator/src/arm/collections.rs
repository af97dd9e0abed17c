//! Lists of all clusters or namespaces of a subscription or group.

use http::StatusCode;
use serde_json::{Value, json};

use super::auth::Caller;
use super::error::ArmError;
use super::site::Context;
use super::{access, api_version, eventhub, kusto};
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
    let may_read =
        |id: &ResourceId, action: &str| id.is_within(scope) && access::allows(resources, caller, action, id);
    let value: Vec<Value> = match kind {
        "microsoft.kusto/clusters" => {
            api_version::known_anywhere(version, "Microsoft.Kusto/clusters", api_version::KUSTO)?;
            let all = resources.clusters.iter();
            let seen = all.filter(|cluster| may_read(&cluster.id, "Microsoft.Kusto/clusters/read"));
            seen.map(kusto::cluster_body).collect()
        }
        "microsoft.eventhub/namespaces" => {
            api_version::known_anywhere(version, "Microsoft.EventHub/namespaces", api_version::EVENT_HUB)?;
            let all = resources.namespaces.iter();
            let seen = all.filter(|namespace| may_read(&namespace.id, "Microsoft.EventHub/namespaces/read"));
            seen.map(|namespace| eventhub::namespace_body(namespace, version))
                .collect()
        }
        _ => return Err(context.no_such_method()),
    };
    Ok(Answer::json(StatusCode::OK, &json!({ "value": value })))
}
