//! Ids are shown with the names that help people, and pseudonyms with who that is.

use azure_emulator::how_to;
use serde_json::{Value, json};

use crate::support::{App, request};

#[tokio::test]
async fn a_connection_names_its_tenants_resources_and_requester() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let shown = app.signed_in("acc1@domain1.com");
    let shown = shown.connection(created.text("/id")).await.body;
    let (one, two) = (how_to::DOMAIN1, how_to::DOMAIN2);
    let target = &shown["target"];
    assert_eq!(
        [
            &target["tenantId"],
            &target["tenantName"],
            &target["clusterName"],
            &target["databaseName"]
        ],
        [
            &json!(one),
            &json!("domain1.com"),
            &json!("adx1"),
            &json!("telemetry")
        ]
    );
    assert_eq!(
        shown["source"],
        json!({
            "tenants": [{ "tenantId": two, "tenantName": "domain2.com" }],
            "eventHub": {
                "resourceId": how_to::HUB1, "name": "hub1", "namespace": "ns-domain2", "consumerGroup": "$Default"
            }
        })
    );
    let (cluster, _) = how_to::DATABASE.split_once("/databases/").expect("a cluster");
    assert_eq!(
        shown["resources"],
        json!([
            { "role": "cluster", "resourceId": cluster, "name": "adx1", "tenantId": one },
            { "role": "database", "resourceId": how_to::DATABASE, "name": "telemetry", "tenantId": one },
            { "role": "eventHub", "resourceId": how_to::HUB1, "name": "hub1", "tenantId": two }
        ])
    );
    // What is shown is what is recorded for lists and audits.
    let recorded: Value = app
        .scalar(
            "select jsonb_agg(jsonb_build_object('role', role, 'resourceId', resource_id_written, 'tenantId', tenant_id)
                order by role) from connection_resources",
        )
        .await;
    let mut unnamed = shown["resources"].clone();
    for resource in unnamed.as_array_mut().expect("a list") {
        resource.as_object_mut().expect("a resource").remove("name");
    }
    assert_eq!(unnamed, recorded);
    let creator = &shown["createdBy"];
    let pseudonym: uuid::Uuid = app.scalar("select created_by from connections").await;
    assert_eq!(creator["id"], pseudonym.to_string());
    assert_eq!(
        [&creator["tenantId"], &creator["tenantName"], &creator["userName"]],
        [&json!(one), &json!("domain1.com"), &json!("acc1@domain1.com")]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_tenant_without_a_configured_name_is_shown_by_its_id_alone() {
    let app = App::with(|config| config.tenants.names = Default::default()).await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(
        created.body["source"]["tenants"],
        json!([{ "tenantId": how_to::DOMAIN2 }])
    );
    assert_eq!(created.body["target"].get("tenantName"), None);
    app.finish().await;
}

#[tokio::test]
async fn a_person_is_shown_as_last_signed_in_and_by_the_pseudonym_alone_once_erased() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = created.text("/id");
    app.as_owner("update people set user_name = 'before@domain1.com'")
        .await;
    let creator = portal.connection(id).await.body["createdBy"].clone();
    assert_eq!(creator["userName"], "before@domain1.com");
    let removed = portal.remove(id).await;
    assert_eq!(removed.text("/createdBy/userName"), "acc1@domain1.com");
    app.as_owner("delete from people").await;
    let role = app.token_with_roles("acc4@domain1.com", how_to::DOMAIN1, &["Connections.Read.All"]);
    let shown = app.portal().with_token(&role).connection(id).await;
    assert_eq!(shown.body["createdBy"], json!({ "id": creator["id"] }));
    app.finish().await;
}
