//! Metadata and keys.

use azure_emulator::how_to::DOMAIN1;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::start;

#[tokio::test]
async fn a_tenants_document_names_its_guid_also_when_asked_for_by_domain() {
    let cloud = start().await;
    let by_guid = cloud
        .entra(&format!("{DOMAIN1}/v2.0/.well-known/openid-configuration"))
        .await;
    let by_domain = cloud
        .entra("domain1.com/v2.0/.well-known/openid-configuration")
        .await;
    assert_eq!(by_guid.status, StatusCode::OK);
    assert_eq!(by_guid.body, by_domain.body);
    let base = cloud.emulator.entra_url().as_str();
    assert_eq!(by_guid.body["issuer"], format!("{base}{DOMAIN1}/v2.0"));
    assert_eq!(
        by_guid.body["token_endpoint"],
        format!("{base}{DOMAIN1}/oauth2/v2.0/token")
    );
    assert_eq!(
        by_guid.body["jwks_uri"],
        format!("{base}{DOMAIN1}/discovery/v2.0/keys")
    );
}

#[tokio::test]
async fn the_common_document_leaves_the_tenant_open() {
    let cloud = start().await;
    let v2 = cloud.entra("common/v2.0/.well-known/openid-configuration").await;
    assert_eq!(
        v2.body["issuer"],
        format!("{}{{tenantid}}/v2.0", cloud.emulator.entra_url())
    );
    let v1 = cloud
        .entra(&format!("{DOMAIN1}/.well-known/openid-configuration"))
        .await;
    assert_eq!(v1.body["issuer"], format!("https://sts.windows.net/{DOMAIN1}/"));
}

#[tokio::test]
async fn every_v2_key_names_its_issuer_and_one_is_the_consumers() {
    let cloud = start().await;
    let v2 = cloud.entra(&format!("{DOMAIN1}/discovery/v2.0/keys")).await;
    let issuers: Vec<&str> = v2.body["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|k| k["issuer"].as_str().unwrap())
        .collect();
    let base = cloud.emulator.entra_url().as_str();
    let open = format!("{base}{{tenantid}}/v2.0");
    let consumers = format!("{base}9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
    assert_eq!(issuers, [&open, &open, &consumers]);
    let v1 = cloud.entra("common/discovery/keys").await;
    assert!(
        v1.body["keys"]
            .as_array()
            .unwrap()
            .iter()
            .all(|key| key.get("issuer").is_none())
    );
}

#[tokio::test]
async fn unknown_and_malformed_tenants_are_told_apart() {
    let cloud = start().await;
    let unknown = cloud
        .entra("nowhere.com/v2.0/.well-known/openid-configuration")
        .await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert_eq!(unknown.body["error"], "invalid_tenant");
    assert_eq!(unknown.body["error_codes"][0], 90002);
    let malformed = cloud
        .entra("no-tenant/v2.0/.well-known/openid-configuration")
        .await;
    assert_eq!(malformed.body["error_codes"][0], 900023);
    let personal = cloud.exchange("consumers", "").await;
    assert_eq!(
        (&personal.body["error"], &personal.body["error_codes"][0]),
        (&json!("invalid_request"), &json!(9001023))
    );
}

#[tokio::test]
async fn instance_discovery_knows_this_authority_and_no_other() {
    let cloud = start().await;
    let own = format!("{}common/oauth2/v2.0/authorize", cloud.emulator.entra_url());
    let path = "common/discovery/instance?api-version=1.1&authorization_endpoint=";
    let known = cloud.entra(&format!("{path}{own}")).await;
    assert_eq!(known.status, StatusCode::OK);
    assert!(
        known.body["tenant_discovery_endpoint"]
            .as_str()
            .unwrap()
            .starts_with(cloud.emulator.entra_url().as_str())
    );
    let by_number = own.replace("//localhost", "//127.0.0.1");
    assert_eq!(
        cloud.entra(&format!("{path}{by_number}")).await.status,
        StatusCode::OK
    );
    let foreign = cloud
        .entra(&format!(
            "{path}https://login.example/common/oauth2/v2.0/authorize"
        ))
        .await;
    assert_eq!(foreign.body["error"], "invalid_instance");
}
