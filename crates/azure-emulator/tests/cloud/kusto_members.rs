//! Members of clusters and databases in each of Kusto's api-versions.

use azure_emulator::how_to::{CLUSTER, DATABASE};
use serde_json::Value;

use crate::support::start;

/// What a version brought to a cluster's properties.
const BROUGHT: &[(&str, &[&str])] = &[
    (
        "2020-02-15",
        &[
            "state",
            "stateReason",
            "uri",
            "dataIngestionUri",
            "trustedExternalTenants",
            "virtualNetworkConfiguration",
            "optimizedAutoscale",
            "enableDiskEncryption",
            "enableStreamingIngest",
            "keyVaultProperties",
            "languageExtensions",
            "enablePurge",
            "provisioningState",
        ],
    ),
    ("2020-06-14", &["enableDoubleEncryption"]),
    ("2020-09-18", &["engineType"]),
    ("2021-01-01", &[]),
    (
        "2021-08-27",
        &[
            "acceptedAudiences",
            "restrictOutboundNetworkAccess",
            "allowedFqdnList",
            "publicNetworkAccess",
            "allowedIpRangeList",
            "enableAutoStop",
        ],
    ),
    (
        "2022-02-01",
        &[
            "publicIPType",
            "virtualClusterGraduationProperties",
            "privateEndpointConnections",
        ],
    ),
    ("2022-12-29", &[]),
    ("2023-05-02", &["migrationCluster"]),
    ("2024-04-13", &["calloutPolicies", "zoneStatus"]),
    ("2025-02-14", &[]),
];

fn names(shown: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_cluster_has_the_members_of_the_version() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let mut expected: Vec<&str> = Vec::new();
    for (version, brought) in BROUGHT {
        expected.extend(*brought);
        expected.sort_unstable();
        let cluster = cloud
            .get(&token, &format!("{CLUSTER}?api-version={version}"))
            .await;
        assert_eq!(names(&cluster.body["properties"]), expected, "{version}");
        assert_eq!(
            names(&cluster.body),
            [
                "etag",
                "id",
                "location",
                "name",
                "properties",
                "sku",
                "tags",
                "type"
            ]
        );
        let is_empty = *version < "2021-08-27";
        assert_eq!(cluster.body["etag"] == "\"\"", is_empty, "{version}");
        assert_eq!(cluster.header("etag"), cluster.body["etag"], "{version}");
        assert_eq!(
            cluster.body["properties"]["stateReason"].is_null(),
            *version < "2024",
            "{version}"
        );
    }
}

#[tokio::test]
async fn a_database_has_the_members_of_the_version() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    for (version, _) in BROUGHT {
        let is_old = *version <= "2021-01-01";
        let database = cloud
            .get(&token, &format!("{DATABASE}?api-version={version}"))
            .await;
        let mut envelope = vec!["id", "kind", "location", "name", "properties", "type"];
        let mut members = vec![
            "hotCachePeriod",
            "isFollowed",
            "provisioningState",
            "softDeletePeriod",
            "statistics",
        ];
        if is_old {
            envelope.extend(["etag", "tags"]);
            members.extend(["hotCachePeriodInDays", "softDeletePeriodInDays"]);
        }
        envelope.sort_unstable();
        members.sort_unstable();
        assert_eq!(names(&database.body), envelope, "{version}");
        assert_eq!(names(&database.body["properties"]), members, "{version}");
        assert_eq!(database.headers.contains_key("etag"), is_old, "{version}");
    }
}
