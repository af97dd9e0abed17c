//! Clusters and databases, for reading.

use http::StatusCode;
use serde_json::{Value, json};

use super::{ArmError, Request, cluster_of};
use crate::exchange::Answer;
use crate::resources::{Cluster, ResourceId, Resources};

/// `GET …/clusters/{cluster}`
pub(super) fn get(request: &Request<'_>, resources: &Resources, id: &ResourceId) -> Result<Answer, ArmError> {
    request.require(resources, "Microsoft.Kusto/clusters/read", id)?;
    let cluster = resources
        .cluster(id)
        .ok_or_else(|| ArmError::tracked_not_found(id))?;
    Ok(Answer::json(StatusCode::OK, &cluster_body(cluster)))
}

/// `GET …/databases/{database}`
pub(super) fn get_database(
    request: &Request<'_>,
    resources: &Resources,
    id: &ResourceId,
) -> Result<Answer, ArmError> {
    request.require(resources, "Microsoft.Kusto/clusters/databases/read", id)?;
    cluster_of(resources, id)?;
    let found = resources.database(id);
    let (cluster, database) = found.ok_or_else(|| ArmError::nested_not_found(id.as_str()))?;
    Ok(Answer::json(
        StatusCode::OK,
        &database_body(cluster, &database.name),
    ))
}

/// `GET …/clusters/{cluster}/databases`
pub(super) fn list_databases(
    request: &Request<'_>,
    resources: &Resources,
    id: &ResourceId,
) -> Result<Answer, ArmError> {
    request.require(resources, "Microsoft.Kusto/clusters/databases/read", id)?;
    let cluster = resources
        .cluster(id)
        .ok_or_else(|| ArmError::tracked_not_found(id))?;
    let value: Vec<Value> = cluster
        .databases
        .iter()
        .map(|d| database_body(cluster, &d.name))
        .collect();
    Ok(Answer::json(StatusCode::OK, &json!({ "value": value })))
}

fn cluster_body(cluster: &Cluster) -> Value {
    let name = cluster.id.name();
    let region = cluster.location.replace(' ', "").to_lowercase();
    json!({
        "id": pascal(cluster, None),
        "name": name,
        "type": "Microsoft.Kusto/Clusters",
        "location": cluster.location,
        "tags": {},
        "sku": { "name": "Standard_E2ads_v5", "tier": "Standard", "capacity": 2 },
        "properties": {
            "state": "Running",
            "provisioningState": "Succeeded",
            "uri": format!("https://{name}.{region}.kusto.windows.net"),
            "dataIngestionUri": format!("https://ingest-{name}.{region}.kusto.windows.net"),
            "trustedExternalTenants": [],
            "enableStreamingIngest": false,
            "enableDiskEncryption": false,
            "enablePurge": false,
            "engineType": "V3",
            "publicNetworkAccess": "Enabled",
        },
    })
}

fn database_body(cluster: &Cluster, name: &str) -> Value {
    json!({
        "id": pascal(cluster, Some(name)),
        "name": format!("{}/{name}", cluster.id.name()),
        "type": "Microsoft.Kusto/Clusters/Databases",
        "location": cluster.location,
        "kind": "ReadWrite",
        "properties": {
            "provisioningState": "Succeeded",
            "softDeletePeriod": "P365D",
            "hotCachePeriod": "P31D",
            "isFollowed": false,
            "statistics": { "size": 0.0 },
        },
    })
}

/// The id with collection segments as Kusto writes them.
fn pascal(cluster: &Cluster, database: Option<&str>) -> String {
    let group = cluster.id.resource_group().unwrap_or_default();
    let (subscription, name) = (cluster.id.subscription(), cluster.id.name());
    let base = format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Kusto/Clusters/{name}"
    );
    database.map_or(base.clone(), |database| format!("{base}/Databases/{database}"))
}
