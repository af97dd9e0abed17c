//! Clusters and databases, for reading.

use http::StatusCode;
use serde_json::{Value, json};

use super::{ArmError, Request, cluster_of, write};
use crate::exchange::{Answer, set};
use crate::resources::{Cluster, ResourceId, Resources, envelope_id};

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
    let (cluster, database) = found.ok_or_else(|| ArmError::nested_not_found(&envelope_id(id)))?;
    let body = database_body(cluster, &database.name, request.api_version);
    Ok(write::with_etag(
        Answer::json(StatusCode::OK, &body),
        request.api_version,
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
        .map(|d| database_body(cluster, &d.name, request.api_version))
        .collect();
    Ok(Answer::json(StatusCode::OK, &json!({ "value": value })))
}

pub(in crate::arm) fn cluster_body(cluster: &Cluster) -> Value {
    let name = cluster.id.name();
    let region = cluster.location.replace(' ', "").to_lowercase();
    json!({
        "id": envelope_id(&cluster.id),
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

/// Up to 2021-01-01 with the members that data connections lose then too, and the periods in days as well
/// (recorded: 2020-02-15, 2021-01-01, 2022-02-01, 2023-08-15).
fn database_body(cluster: &Cluster, name: &str, api_version: &str) -> Value {
    let mut body = json!({
        "id": envelope_id(&cluster.id.child("databases", name)),
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
    });
    if api_version <= "2021-01-01" {
        set(&mut body, "etag", json!("\"\""));
        set(&mut body, "tags", json!({}));
        if let Some(properties) = body.get_mut("properties") {
            set(properties, "softDeletePeriodInDays", json!(365));
            set(properties, "hotCachePeriodInDays", json!(31));
        }
    }
    body
}
