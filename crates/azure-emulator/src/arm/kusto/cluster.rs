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
    let answer = Answer::json(StatusCode::OK, &body(cluster, request.api_version));
    Ok(answer.with("etag", etag(request.api_version)))
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

/// Members of a cluster's properties that are the same for all clusters here, with the version that brought each, in
/// Kusto's order (recorded: 2020-06-14, 2022-12-29, 2024-04-13; the versions between from the published API, those before
/// 2020-02-15 not compared).
fn usual() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("trustedExternalTenants", "", json!([])),
        ("virtualNetworkConfiguration", "", Value::Null),
        ("optimizedAutoscale", "", Value::Null),
        ("enableDiskEncryption", "", json!(false)),
        ("enableStreamingIngest", "", json!(false)),
        ("keyVaultProperties", "", Value::Null),
        ("languageExtensions", "", json!({ "value": [] })),
        ("enablePurge", "", Value::Null),
        ("enableDoubleEncryption", "2020-06-14", json!(false)),
        ("engineType", "2020-09-18", json!("V3")),
        ("acceptedAudiences", "2021-08-27", json!([])),
        ("restrictOutboundNetworkAccess", "2021-08-27", json!("Disabled")),
        ("allowedFqdnList", "2021-08-27", json!([])),
        ("calloutPolicies", "2024-04-13", Value::Null),
        ("publicNetworkAccess", "2021-08-27", json!("Enabled")),
        ("allowedIpRangeList", "2021-08-27", json!([])),
        ("enableAutoStop", "2021-08-27", json!(true)),
        ("publicIPType", "2022-02-01", json!("IPv4")),
        ("virtualClusterGraduationProperties", "2022-02-01", Value::Null),
        ("privateEndpointConnections", "2022-02-01", json!([])),
        ("migrationCluster", "2023-05-02", Value::Null),
        ("zoneStatus", "2024-04-13", json!("NonZonal")),
    ]
}

/// When every cluster was last changed, as its ETag says it.
const CHANGED: &str = "\"2024-05-14T08:00:00.0000000Z\"";

/// A cluster's ETag: empty for as long as data connections have one, a moment since.
fn etag(api_version: &str) -> &'static str {
    if api_version < "2021-08-27" {
        "\"\""
    } else {
        CHANGED
    }
}

pub(in crate::arm) fn body(cluster: &Cluster, api_version: &str) -> Value {
    let name = cluster.id.name();
    let region = cluster.location.replace(' ', "").to_lowercase();
    // Null up to 2022-12-29, empty in 2024-04-13 (recorded).
    let reason = (api_version >= "2024").then_some("");
    let mut properties = json!({
        "state": "Running",
        "stateReason": reason,
        "uri": format!("https://{name}.{region}.kusto.windows.net"),
        "dataIngestionUri": format!("https://ingest-{name}.{region}.kusto.windows.net"),
    });
    for (member, since, value) in usual() {
        if since <= api_version {
            set(&mut properties, member, value);
        }
    }
    set(&mut properties, "provisioningState", json!("Succeeded"));
    json!({
        "id": envelope_id(&cluster.id),
        "name": name,
        "type": "Microsoft.Kusto/Clusters",
        "etag": etag(api_version),
        "location": cluster.location,
        "tags": {},
        "sku": { "name": "Standard_E2ads_v5", "tier": "Standard", "capacity": 2 },
        "properties": properties,
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
