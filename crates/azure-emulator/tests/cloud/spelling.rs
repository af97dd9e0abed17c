//! How Kusto spells again what a caller wrote: regions, moments, and who wrote it.

use azure_emulator::how_to::{LOCAL_HUB, SUBSCRIPTION1, TENANT_BRIDGE};
use reqwest::StatusCode;
use serde_json::json;

use crate::admin_changes::change;
use crate::support::{connection, connection_at, event_hub_body, start};

const VERSIONS: [&str; 13] = [
    "2020-02-15",
    "2020-06-14",
    "2020-09-18",
    "2021-01-01",
    "2021-08-27",
    "2022-02-01",
    "2022-07-07",
    "2022-11-11",
    "2022-12-29",
    "2023-05-02",
    "2023-08-15",
    "2024-04-13",
    "2025-02-14",
];

#[tokio::test]
async fn the_first_put_echoes_the_region_as_sent_and_later_ones_in_kustos_spelling() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let mut body = event_hub_body(LOCAL_HUB, "$Default");
    body["location"] = json!("westeurope");
    for version in VERSIONS {
        let path = connection_at("c1", version);
        let first = cloud.put(&token, &[], &path, &body).await;
        cloud.finish_operations();
        let second = cloud.put(&token, &[], &path, &body).await;
        cloud.finish_operations();
        assert_eq!(
            (first.status, &first.body["location"]),
            (StatusCode::CREATED, &json!("westeurope")),
            "{version}"
        );
        assert_eq!(
            (second.status, &second.body["location"]),
            (StatusCode::OK, &json!("West Europe")),
            "{version}"
        );
        cloud.delete(&token, &path).await;
        cloud.finish_operations();
    }
}

#[tokio::test]
async fn a_moment_is_echoed_as_sent_and_shown_in_utc_without_zeros_at_the_end() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    for (sent, shown) in [
        ("0001-01-01T00:00:00.0000000Z", "0001-01-01T00:00:00Z"),
        ("2024-05-06T07:08:09.1200000Z", "2024-05-06T07:08:09.12Z"),
        ("2024-05-06T07:08:09+02:00", "2024-05-06T05:08:09Z"),
    ] {
        let mut body = event_hub_body(LOCAL_HUB, "$Default");
        body["properties"]["retrievalStartDate"] = json!(sent);
        let echoed = cloud.put(&token, &[], &connection("c1"), &body).await;
        assert_eq!(echoed.body["properties"]["retrievalStartDate"], sent);
        cloud.finish_operations();
        let read = cloud.get(&token, &connection("c1")).await;
        assert_eq!(read.body["properties"]["retrievalStartDate"], shown, "{sent}");
    }
}

#[tokio::test]
async fn system_data_tells_people_from_apps() {
    let cloud = start().await;
    let person = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let app = cloud.app_token("domain1.com").await;
    let given = json!({ "principal": "tenant-bridge", "role": "Contributor", "scope": format!("/subscriptions/{SUBSCRIPTION1}") });
    change(&cloud, json!({ "assignRole": given })).await;
    let path = connection_at("c1", "2025-02-14");
    let body = event_hub_body(LOCAL_HUB, "$Default");
    for (token, kind, name) in [
        (&app, "Application", TENANT_BRIDGE),
        (&person, "User", "acc1@domain1.com"),
    ] {
        let put = cloud.put(token, &[], &path, &body).await;
        assert!(put.status.is_success(), "{:?}", put.body);
        cloud.finish_operations();
        let data = &cloud.get(&person, &path).await.body["systemData"];
        assert_eq!(
            (&data["lastModifiedBy"], &data["lastModifiedByType"]),
            (&json!(name), &json!(kind))
        );
        assert_eq!(
            (&data["createdBy"], &data["createdByType"]),
            (&json!(TENANT_BRIDGE), &json!("Application"))
        );
    }
}
