//! Storage accounts at ARM: reading them, their keys, and whether keys are accepted.

use azure_emulator::TokenOverrides;
use azure_emulator::how_to::{STORAGE1, STORAGE2, STORAGE3, SUBSCRIPTION2};
use azure_emulator::resources::NewAccount;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Cloud, start};

const VERSION: &str = "api-version=2024-01-01";
const READER: &str = "acc2@domain2.com";

fn with_role(cloud: &Cloud, user: &str, tenant: &str, role: &str, scope: &str) -> String {
    cloud
        .emulator
        .edit(|world| world.assign_role(user, role, scope))
        .unwrap();
    cloud.mint_arm(user, tenant, TokenOverrides::default())
}

#[tokio::test]
async fn an_account_is_shown_to_those_who_may_read_it() {
    let cloud = start().await;
    let path = format!("{STORAGE2}?{VERSION}");
    let nobody = cloud.arm_token(READER, "domain2.com").await;
    let refused = cloud.get(&nobody, &path).await;
    assert_eq!(refused.code(), "AuthorizationFailed");
    assert!(
        refused
            .message()
            .contains("'Microsoft.Storage/storageAccounts/read'")
    );
    let token = with_role(&cloud, READER, "domain2.com", "Reader", STORAGE2);
    let account = cloud.get(&token, &path).await.body;
    assert_eq!(
        (&account["kind"], &account["type"], &account["location"]),
        (
            &json!("StorageV2"),
            &json!("Microsoft.Storage/storageAccounts"),
            &json!("northeurope")
        )
    );
    assert_eq!(account["properties"]["isHnsEnabled"], true);
    assert_eq!(
        account["properties"]["primaryEndpoints"]["blob"],
        "https://stdomain2.blob.core.windows.net/"
    );
    let group = STORAGE2.split("/providers/").next().unwrap();
    for scope in [group, &format!("/subscriptions/{SUBSCRIPTION2}")] {
        let list = format!("{scope}/providers/Microsoft.Storage/storageAccounts?{VERSION}");
        assert_eq!(cloud.get(&token, &list).await.body["value"], json!([account]));
    }
    let missing = STORAGE2.replace("stdomain2", "nowhere");
    let token = with_role(&cloud, READER, "domain2.com", "Reader", group);
    let missing = cloud.get(&token, &format!("{missing}?{VERSION}")).await;
    assert_eq!(
        (missing.status, missing.code()),
        (StatusCode::NOT_FOUND, "ResourceNotFound")
    );
}

#[tokio::test]
async fn what_is_at_its_default_is_not_shown_and_versions_have_their_members() {
    let cloud = start().await;
    let token = with_role(&cloud, "acc1@domain1.com", "domain1.com", "Owner", STORAGE1);
    let shown = async |version: &str| {
        let path = format!("{STORAGE1}?api-version={version}");
        cloud.get(&token, &path).await.body["properties"].clone()
    };
    for member in ["isHnsEnabled", "allowSharedKeyAccess"] {
        assert_eq!(shown("2026-09-01").await.get(member), None, "{member}");
    }
    let allow = |value: Value| json!({ "properties": { "allowSharedKeyAccess": value } });
    let path = format!("{STORAGE1}?{VERSION}");
    for (sent, shown_then) in [
        (allow(json!(false)), json!(false)),
        (json!({}), json!(false)),
        (allow(json!(true)), json!(true)),
    ] {
        let reply = cloud.send(Method::PATCH, &token, &path, Some(&sent)).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        assert_eq!(
            reply.body["properties"]["allowSharedKeyAccess"], shown_then,
            "{sent}"
        );
    }
    assert_eq!(shown("2018-07-01").await.get("allowSharedKeyAccess"), None);
    let wrong = cloud
        .send(Method::PATCH, &token, &path, Some(&allow(json!("no"))))
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let gone = cloud.delete(&token, &path).await;
    assert_eq!(gone.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn keys_are_told_to_those_who_may_list_them_and_renewed_one_at_a_time() {
    let cloud = start().await;
    let list = format!("{STORAGE3}/listKeys?{VERSION}&%24expand=kerb");
    let renew = format!("{STORAGE3}/regenerateKey?{VERSION}");
    let user = "acc3@domain1.com";
    let reader = with_role(&cloud, user, "domain3.com", "Reader", STORAGE3);
    let refused = cloud.send(Method::POST, &reader, &list, None).await;
    assert_eq!(refused.code(), "AuthorizationFailed");
    let action = "'Microsoft.Storage/storageAccounts/listKeys/action'";
    assert!(refused.message().contains(action), "{}", refused.message());
    let operator = "Storage Account Key Operator Service Role";
    let token = with_role(&cloud, user, "domain3.com", operator, STORAGE3);
    let keys = cloud.send(Method::POST, &token, &list, None).await;
    assert_eq!(keys.status, StatusCode::OK, "{}", keys.body);
    let key = |body: &Value, at: usize| body["keys"][at]["value"].as_str().unwrap().to_owned();
    assert_eq!(
        (&keys.body["keys"][0]["keyName"], key(&keys.body, 0).len()),
        (&json!("key1"), 88)
    );
    assert_ne!(key(&keys.body, 0), key(&keys.body, 1));
    let renewed = json!({ "keyName": "key2" });
    let renewed = cloud.send(Method::POST, &token, &renew, Some(&renewed)).await;
    assert_eq!(key(&renewed.body, 0), key(&keys.body, 0));
    assert_ne!(key(&renewed.body, 1), key(&keys.body, 1));
    let wrong = cloud
        .send(Method::POST, &token, &renew, Some(&json!({ "keyName": "k" })))
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn accounts_come_and_go() {
    let cloud = start().await;
    let id = STORAGE1.replace("stdomain1", "stanew");
    let account = NewAccount {
        id: id.clone(),
        location: "West Europe".to_owned(),
        kind: Some("BlobStorage".to_owned()),
        ..NewAccount::default()
    };
    cloud
        .emulator
        .edit(|world| world.add_storage_account(&account))
        .unwrap();
    let again = cloud.emulator.edit(|world| world.add_storage_account(&account));
    assert!(again.is_err(), "it is there already");
    let token = with_role(&cloud, "acc1@domain1.com", "domain1.com", "Reader", &id);
    let path = format!("{id}?{VERSION}");
    assert_eq!(cloud.get(&token, &path).await.body["kind"], "BlobStorage");
    cloud
        .emulator
        .edit(|world| world.remove_storage_account(&id))
        .unwrap();
    assert_eq!(cloud.get(&token, &path).await.code(), "ResourceNotFound");
}
