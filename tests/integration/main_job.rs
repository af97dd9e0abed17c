//! The main job: a connection between two tenants is made, found and removed.

use azure_emulator::how_to;
use serde_json::json;

use crate::support::{App, data_connection, request};

#[tokio::test]
async fn the_put_carries_both_tenants_tokens_and_the_how_tos_body() {
    let app = App::start().await;
    let answer = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.body["state"], "active");

    let writes = app.writes();
    assert_eq!(writes.len(), 1);
    let put = &writes[0];
    assert_eq!(put.method, "PUT");
    assert!(
        put.path().eq_ignore_ascii_case(&data_connection("telemetry")),
        "{}",
        put.path()
    );
    assert!(
        put.path_and_query.ends_with("?api-version=2024-04-13"),
        "{}",
        put.path_and_query
    );
    let primary = put.primary.as_ref().expect("a token");
    assert_eq!(
        (primary.tenant.as_str(), primary.upn.as_deref()),
        (how_to::DOMAIN1, Some("acc1@domain1.com"))
    );
    assert!(
        primary.audience.starts_with("https://management.azure.com"),
        "{}",
        primary.audience
    );
    assert_eq!(put.auxiliary.len(), 1);
    let auxiliary = &put.auxiliary[0];
    assert_eq!(
        (auxiliary.tenant.as_str(), auxiliary.upn.as_deref()),
        (how_to::DOMAIN2, Some("acc2@domain2.com"))
    );
    assert!(
        auxiliary.audience.starts_with("https://management.azure.com"),
        "{}",
        auxiliary.audience
    );
    let header = &put.request_headers["x-ms-authorization-auxiliary"];
    assert!(header.starts_with("Bearer ") && !header.contains(','));
    assert_eq!(
        put.request_body,
        Some(json!({
            "location": "West Europe",
            "kind": "EventHub",
            "properties": {
                "eventHubResourceId": how_to::HUB1,
                "consumerGroup": "$Default",
                "tableName": "Events",
                "mappingRuleName": "EventsMapping",
                "dataFormat": "JSON"
            }
        }))
    );
    app.finish().await;
}

#[tokio::test]
async fn one_token_of_a_guest_serves_both_tenants() {
    let app = App::start().await;
    let answer = app
        .signed_in("acc3@domain1.com")
        .create(&request("telemetry"))
        .await;
    assert_eq!(
        (answer.status, answer.text("/state")),
        (201, "active"),
        "{}",
        answer.body
    );
    let put = app.writes().remove(0);
    let oid_at = |tenant: &str| {
        let token = put
            .primary
            .iter()
            .chain(&put.auxiliary)
            .find(|token| token.tenant == tenant);
        token.expect("a token of the tenant").oid.clone()
    };
    // The same person has another object id in each tenant.
    assert_ne!(oid_at(how_to::DOMAIN1), oid_at(how_to::DOMAIN2));
    app.finish().await;
}

#[tokio::test]
async fn a_connection_is_created_followed_listed_and_removed_and_its_record_stays() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    app.hold_operations();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!((created.status, created.text("/state")), (202, "creating"));
    app.release_operations();
    let (id, operation) = (created.text("/id"), created.text("/lastOperation/id"));
    assert_eq!(
        created.header("operation-location"),
        Some(format!("/v1/operations/{operation}").as_str())
    );
    assert!(created.header("retry-after").is_some());
    assert_eq!(portal.follow(operation).await.body["status"], "succeeded");
    assert_eq!(portal.connection(id).await.body["state"], "active");
    assert!(app.at_arm("telemetry").is_some());
    let list = portal.get("/v1/connections").await;
    assert_eq!(list.body["value"][0]["id"], created.body["id"]);

    let removed = portal.without_auxiliary().remove(id).await;
    assert_eq!(
        (removed.status, removed.text("/state")),
        (200, "removed"),
        "{}",
        removed.body
    );
    assert!(app.at_arm("telemetry").is_none());
    assert_eq!(portal.connection(id).await.body["state"], "removed");
    assert_eq!(
        portal.event_kinds(id).await,
        [
            "create.intended",
            "create.accepted",
            "create.succeeded",
            "remove.intended",
            "remove.accepted",
            "remove.succeeded"
        ]
    );
    app.finish().await;
}
