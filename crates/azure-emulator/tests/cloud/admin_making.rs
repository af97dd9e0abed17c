//! What seeds begin with, made and removed while the cloud runs: each change shows, and counts.

use azure_emulator::how_to::{CLUSTER, HUB1, NAMESPACE, SUBSCRIPTION1, TENANT_BRIDGE, TENANT_BRIDGE_SECRET};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::admin_changes::change;
use crate::client_assertions::{TYPE, registered, usual};
use crate::refusals::refusal;
use crate::support::{Cloud, connection, event_hub_body, start};

/// A client-credentials request of the API with this secret: 0 for a token, else the AADSTS number.
async fn secret_is(cloud: &Cloud, secret: &str) -> u64 {
    let changes = [("grant_type", "client_credentials"), ("client_secret", secret)];
    let reply = cloud.exchange_with("domain1.com", "", &changes).await;
    if reply.status == StatusCode::OK {
        0
    } else {
        refusal(&reply).2
    }
}

#[tokio::test]
async fn secrets_roll_over_and_expire() {
    let cloud = start().await;
    let app = "tenant-bridge";
    assert_eq!(secret_is(&cloud, "next").await, 7000215);
    change(&cloud, json!({ "addSecret": { "app": app, "value": "next" } })).await;
    assert_eq!(secret_is(&cloud, "next").await, 0);
    assert_eq!(
        secret_is(&cloud, TENANT_BRIDGE_SECRET).await,
        0,
        "both are good during a rollover"
    );
    change(
        &cloud,
        json!({ "removeSecret": { "app": app, "value": TENANT_BRIDGE_SECRET } }),
    )
    .await;
    assert_eq!(secret_is(&cloud, TENANT_BRIDGE_SECRET).await, 7000215);
    let past = "2001-01-01T00:00:00Z";
    change(
        &cloud,
        json!({ "addSecret": { "app": app, "value": "old", "expires": past } }),
    )
    .await;
    assert_eq!(secret_is(&cloud, "old").await, 7000222);
    let gone = json!({ "removeSecret": { "app": app, "value": "a-secret-nobody-knows" } });
    let refused = cloud.admin_post("changes", &gone).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        !refused.body.to_string().contains("nobody-knows"),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn certificates_and_federated_credentials_are_taken_away() {
    let cloud = start().await;
    let (key, sha1, _) = registered(&cloud);
    let header = json!({ "alg": "PS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(&sha1) });
    let assertion = key.sign(&header, &usual(&cloud)).unwrap();
    let ask = async || {
        let changes = [
            ("grant_type", "client_credentials"),
            ("client_secret", ""),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        cloud.exchange_with("domain1.com", "", &changes).await
    };
    let of_app = |state: &Value| {
        let apps = state["apps"].as_array().unwrap().iter();
        let mut apps = apps.filter(|app| app["clientId"] == TENANT_BRIDGE);
        apps.next().unwrap().clone()
    };
    let federated = json!({ "app": "tenant-bridge", "issuer": "https://elsewhere.example", "subject": "s" });
    change(
        &cloud,
        json!({ "trustIssuer": { "issuer": "https://elsewhere.example", "jwks": key.jwks("k") } }),
    )
    .await;
    change(&cloud, json!({ "addFederatedCredential": federated })).await;
    let before = of_app(&cloud.admin("state").await.body);
    let thumbprint = &before["certificates"][0];
    assert_eq!(ask().await.status, StatusCode::OK);
    change(
        &cloud,
        json!({ "removeCertificate": { "app": "tenant-bridge", "thumbprint": thumbprint } }),
    )
    .await;
    assert_eq!(refusal(&ask().await).2, 700027);
    change(&cloud, json!({ "removeFederatedCredential": federated })).await;
    let after = of_app(&cloud.admin("state").await.body);
    assert_eq!(after["certificates"], json!([]));
    let count = |app: &Value| app["federatedCredentials"].as_array().unwrap().len();
    assert_eq!(count(&after), count(&before) - 1);
}

#[tokio::test]
async fn a_tenant_with_people_apps_and_resources_is_made_and_works() {
    let cloud = start().await;
    let (subscription, tenant) = (
        "50000000-0000-4000-8000-0000000000aa",
        "a0000000-0000-4000-8000-0000000000bb",
    );
    let group = format!("/subscriptions/{subscription}/resourceGroups/rg");
    let cluster = format!("{group}/providers/Microsoft.Kusto/clusters/fresh");
    let namespace = format!("{group}/providers/Microsoft.EventHub/namespaces/ns-fresh");
    let made = json!([
        { "addTenant": { "domain": "fresh.example", "name": "Fresh", "id": tenant } },
        { "addUser": { "upn": "ann@fresh.example", "name": "Ann" } },
        { "addApp": { "name": "own", "tenant": "fresh.example", "secret": "s", "scopes": ["Do"],
            "identifierUris": ["api://own"] } },
        { "grantConsent": { "app": "own", "tenant": "fresh.example", "resource": "azure-resource-manager",
            "scopes": ["user_impersonation"] } },
        { "addSubscription": { "id": subscription, "tenant": "fresh.example", "name": "Fresh",
            "resourceGroups": [{ "name": "rg", "location": "North Europe" }] } },
        { "addCluster": { "id": cluster, "location": "North Europe" } },
        { "addDatabase": { "id": format!("{cluster}/databases/d") } },
        { "addNamespace": { "id": namespace, "location": "North Europe" } },
        { "addEventHub": { "id": format!("{namespace}/eventhubs/h") } },
        { "assignRole": { "principal": "ann@fresh.example", "role": "Owner", "scope": group } },
    ]);
    change(&cloud, made).await;
    let mint = json!({ "user": "ann@fresh.example", "tenant": "fresh.example", "app": "own", "api": "azure-resource-manager",
        "scopes": ["user_impersonation"] });
    let token = cloud.admin_post("token", &mint).await.body["accessToken"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("{cluster}/databases/d/dataConnections/c?api-version=2024-04-13");
    let body = json!({ "location": "northeurope", "kind": "EventHub",
        "properties": { "eventHubResourceId": format!("{namespace}/eventhubs/h"), "consumerGroup": "$Default" } });
    let put = cloud.put(&token, &[], &path, &body).await;
    assert_eq!(put.status, StatusCode::CREATED, "{:?}", put.body);
    cloud.finish_operations();
    assert_eq!(
        cloud.get(&token, &path).await.body["properties"]["provisioningState"],
        "Succeeded"
    );

    change(&cloud, json!({ "removeNamespace": { "id": namespace } })).await;
    let shown = cloud.get(&token, &path).await;
    assert_eq!(
        shown.status,
        StatusCode::OK,
        "a data connection outlives its source"
    );
    change(&cloud, json!({ "removeCluster": { "id": cluster } })).await;
    assert_eq!(cloud.get(&token, &path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_removed_role_or_group_gives_nothing_any_more() {
    let cloud = start().await;
    let token = cloud.arm_token("acc4@domain1.com", "domain1.com").await;
    let path = format!("{CLUSTER}?api-version=2024-04-13");
    let given = |principal: &str, role: &str| json!({ "assignRole": { "principal": principal, "role": role, "scope": CLUSTER } });
    let role = json!({ "name": "Peeper", "scope": CLUSTER, "actions": ["*/read"] });
    change(
        &cloud,
        json!([{ "defineRole": role }, given("acc4@domain1.com", "Peeper")]),
    )
    .await;
    assert_eq!(cloud.get(&token, &path).await.status, StatusCode::OK);
    change(
        &cloud,
        json!({ "removeRole": { "name": "Peeper", "scope": CLUSTER } }),
    )
    .await;
    assert_eq!(cloud.get(&token, &path).await.status, StatusCode::FORBIDDEN);

    let group = json!({ "tenant": "domain1.com", "name": "readers", "members": ["acc4@domain1.com"] });
    change(&cloud, json!([{ "addGroup": group }, given("readers", "Reader")])).await;
    assert_eq!(cloud.get(&token, &path).await.status, StatusCode::OK);
    change(
        &cloud,
        json!({ "removeGroup": { "tenant": "domain1.com", "group": "readers" } }),
    )
    .await;
    assert_eq!(cloud.get(&token, &path).await.status, StatusCode::FORBIDDEN);
}

/// Changes that are refused, and the path that the refusal names.
fn wrong_changes() -> Vec<(Value, &'static str)> {
    let elsewhere = CLUSTER.replace("rg-adx", "rg-nowhere");
    vec![
        (json!({ "addTenant": { "domain": "domain1.com" } }), "addTenant"),
        (json!({ "addUser": { "upn": "acc1@domain1.com" } }), "addUser"),
        (json!({ "addUser": { "upn": "new@nowhere.example" } }), "addUser"),
        (
            json!({ "addApp": { "name": "portal", "tenant": "domain1.com" } }),
            "addApp",
        ),
        (
            json!({ "addApp": { "name": "x", "tenant": "nowhere" } }),
            "addApp.tenant",
        ),
        (
            json!({ "addApp": { "name": "x", "tenant": "domain1.com", "tokenVersion": 3 } }),
            "addApp.tokenVersion",
        ),
        (
            json!({ "addSubscription": { "id": SUBSCRIPTION1, "tenant": "domain1.com" } }),
            "addSubscription",
        ),
        (
            json!({ "addCluster": { "id": CLUSTER, "location": "x" } }),
            "addCluster",
        ),
        (
            json!({ "addCluster": { "id": NAMESPACE, "location": "x" } }),
            "addCluster",
        ),
        (
            json!({ "addCluster": { "id": elsewhere, "location": "x" } }),
            "addCluster",
        ),
        (
            json!({ "addNamespace": { "id": NAMESPACE, "location": "x" } }),
            "addNamespace",
        ),
        (
            json!({ "removeNamespace": { "id": format!("{NAMESPACE}x") } }),
            "removeNamespace.id",
        ),
        (json!({ "removeCluster": { "id": HUB1 } }), "removeCluster.id"),
        (
            json!({ "removeRole": { "name": "Owner", "scope": CLUSTER } }),
            "removeRole.name",
        ),
        (
            json!({ "removeGroup": { "tenant": "domain1.com", "group": "none" } }),
            "removeGroup.group",
        ),
        (
            json!({ "addSecret": { "app": "portal", "value": "" } }),
            "addSecret.value",
        ),
        (
            json!({ "removeCertificate": { "app": "portal", "thumbprint": "AA" } }),
            "removeCertificate.thumbprint",
        ),
    ]
}

#[tokio::test]
async fn what_can_not_be_made_or_removed_is_told() {
    let cloud = start().await;
    let before = without_time(cloud.admin("state").await.body);
    for (wrong, path) in wrong_changes() {
        let reply = cloud.admin_post("changes", &wrong).await;
        assert_eq!(
            (reply.status, &reply.body["path"]),
            (StatusCode::BAD_REQUEST, &json!(path)),
            "{wrong}: {}",
            reply.body
        );
    }
    assert_eq!(without_time(cloud.admin("state").await.body), before);
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let hub = HUB1.replace("/hub1", "/none");
    assert!(
        !cloud
            .put(&token, &[], &connection("c"), &event_hub_body(&hub, "x"))
            .await
            .status
            .is_success()
    );
}

fn without_time(mut state: Value) -> Value {
    state["now"] = Value::Null;
    state
}
