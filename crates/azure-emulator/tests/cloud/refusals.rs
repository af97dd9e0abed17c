//! The on-behalf-of grant refuses: one test for each reason.

use azure_emulator::{MintUserToken, TokenOverrides, how_to};
use chrono::TimeDelta;
use reqwest::StatusCode;

use crate::support::{Cloud, Reply, start};

const ACC1: &str = "acc1@domain1.com";
const ACC3: &str = "acc3@domain1.com";

/// Status, `error`, code and suberror in one, as clients read them.
pub(crate) fn refusal(reply: &Reply) -> (u16, &str, u64, Option<&str>) {
    let (error, code) = (
        reply.body["error"].as_str().unwrap(),
        reply.body["error_codes"][0].as_u64().unwrap(),
    );
    let description = reply.body["error_description"].as_str().unwrap();
    assert!(
        description.starts_with(&format!("AADSTS{code}: ")),
        "{description}"
    );
    for part in [" Trace ID: ", " Correlation ID: ", " Timestamp: "] {
        assert!(description.contains(part), "{description}");
    }
    (
        reply.status.as_u16(),
        error,
        code,
        reply.body["suberror"].as_str(),
    )
}

async fn refused(cloud: &Cloud, overrides: TokenOverrides) -> Reply {
    cloud
        .exchange("domain1.com", &cloud.mint_wrong(ACC1, "domain1.com", overrides))
        .await
}

#[tokio::test]
async fn a_token_that_no_key_of_this_authority_signed_is_50013() {
    let cloud = start().await;
    for overrides in [
        TokenOverrides {
            unpublished_key: true,
            ..TokenOverrides::default()
        },
        TokenOverrides {
            consumer_key: true,
            ..TokenOverrides::default()
        },
        TokenOverrides {
            algorithm_none: true,
            ..TokenOverrides::default()
        },
        TokenOverrides {
            kid: Some("other".to_owned()),
            ..TokenOverrides::default()
        },
        TokenOverrides {
            issuer: Some("https://elsewhere.example/".to_owned()),
            ..TokenOverrides::default()
        },
    ] {
        assert_eq!(
            refusal(&refused(&cloud, overrides).await),
            (400, "invalid_grant", 50013, None)
        );
    }
}

#[tokio::test]
async fn a_token_for_another_audience_is_500131() {
    let cloud = start().await;
    let other = MintUserToken {
        user: ACC1.to_owned(),
        tenant: "domain1.com".to_owned(),
        client_app: "portal".to_owned(),
        api: "other-api".to_owned(),
        scopes: vec!["access_as_user".to_owned()],
        ..MintUserToken::default()
    };
    let reply = cloud
        .exchange("domain1.com", &cloud.emulator.mint_user_token(&other).unwrap())
        .await;
    assert_eq!(refusal(&reply), (400, "invalid_grant", 500131, None));
    let upper = TokenOverrides {
        audience: Some(how_to::TENANT_BRIDGE_URI.to_uppercase()),
        ..TokenOverrides::default()
    };
    assert_eq!(refusal(&refused(&cloud, upper).await).2, 500131);
    let uri = TokenOverrides {
        audience: Some(how_to::TENANT_BRIDGE_URI.to_owned()),
        ..TokenOverrides::default()
    };
    assert_eq!(refused(&cloud, uri).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_outside_its_time_is_500133() {
    let cloud = start().await;
    for overrides in [
        TokenOverrides {
            expiry_offset: Some(TimeDelta::minutes(-10)),
            ..TokenOverrides::default()
        },
        TokenOverrides {
            not_before_offset: Some(TimeDelta::minutes(10)),
            ..TokenOverrides::default()
        },
    ] {
        assert_eq!(
            refusal(&refused(&cloud, overrides).await),
            (400, "invalid_grant", 500133, None)
        );
    }
}

#[tokio::test]
async fn an_id_token_is_240002_and_an_apps_token_7000114() {
    let cloud = start().await;
    let id = TokenOverrides {
        id_token: true,
        ..TokenOverrides::default()
    };
    assert_eq!(
        refusal(&refused(&cloud, id).await),
        (400, "invalid_request", 240002, None)
    );
    let app = TokenOverrides {
        app_only: true,
        ..TokenOverrides::default()
    };
    assert_eq!(
        refusal(&refused(&cloud, app).await),
        (400, "unauthorized_client", 7000114, None)
    );
}

#[tokio::test]
async fn text_that_is_no_token_is_50027() {
    let cloud = start().await;
    assert_eq!(
        refusal(&cloud.exchange("domain1.com", "abc").await),
        (400, "invalid_request", 50027, None)
    );
}

#[tokio::test]
async fn missing_consent_is_65001_and_granting_it_mends_that() {
    let cloud = start().await;
    cloud
        .emulator
        .edit(|world| world.revoke_consent("tenant-bridge", "domain1.com"))
        .unwrap();
    let assertion = cloud.mint(ACC1, "domain1.com");
    let reply = cloud.exchange("domain1.com", &assertion).await;
    assert_eq!(
        refusal(&reply),
        (400, "invalid_grant", 65001, Some("consent_required"))
    );
    cloud
        .emulator
        .edit(|world| {
            world.grant_consent(
                "tenant-bridge",
                "domain1.com",
                "azure-resource-manager",
                &["user_impersonation"],
            )
        })
        .unwrap();
    assert_eq!(
        cloud.exchange("domain1.com", &assertion).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_stranger_in_the_tenant_is_50020_or_90072_where_multi_factor_is_required() {
    let cloud = start().await;
    let assertion = cloud.mint(ACC1, "domain1.com");
    assert_eq!(
        refusal(&cloud.exchange("domain2.com", &assertion).await),
        (400, "invalid_grant", 50020, None)
    );
    cloud
        .emulator
        .edit(|world| world.directory.tenants[1].requires_mfa = true);
    assert_eq!(refusal(&cloud.exchange("domain2.com", &assertion).await).2, 90072);
}

#[tokio::test]
async fn a_guest_who_was_removed_is_a_stranger() {
    let cloud = start().await;
    let assertion = cloud.mint(ACC3, "domain1.com");
    cloud
        .emulator
        .edit(|world| world.remove_guest(ACC3, "domain2.com"))
        .unwrap();
    assert_eq!(refusal(&cloud.exchange("domain2.com", &assertion).await).2, 50020);
    assert_eq!(
        cloud.exchange("domain1.com", &assertion).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_disabled_user_is_50057() {
    let cloud = start().await;
    let assertion = cloud.mint(ACC1, "domain1.com");
    cloud.emulator.edit(|world| world.disable_user(ACC1)).unwrap();
    assert_eq!(
        refusal(&cloud.exchange("domain1.com", &assertion).await),
        (400, "invalid_grant", 50057, None)
    );
}

#[tokio::test]
async fn an_unknown_resource_is_500011() {
    let cloud = start().await;
    let assertion = cloud.mint(ACC1, "domain1.com");
    let reply = cloud
        .exchange_with(
            "domain1.com",
            &assertion,
            &[("scope", "https://vault.azure.net/.default")],
        )
        .await;
    assert_eq!(refusal(&reply), (400, "invalid_resource", 500011, None));
}

#[tokio::test]
async fn an_app_that_is_not_in_the_tenant_is_700016() {
    let cloud = start().await;
    let assertion = cloud.mint(ACC3, "domain1.com");
    cloud
        .emulator
        .edit(|world| world.deprovision("tenant-bridge", "domain2.com"))
        .unwrap();
    assert_eq!(
        refusal(&cloud.exchange("domain2.com", &assertion).await),
        (400, "unauthorized_client", 700016, None)
    );
    let unknown = [("client_id", "a0000000-0000-4000-8000-00000000ffff")];
    assert_eq!(
        refusal(&cloud.exchange_with("domain1.com", &assertion, &unknown).await).2,
        700016
    );
}

#[tokio::test]
async fn a_wrong_secret_is_7000215_and_none_7000218_both_401() {
    let cloud = start().await;
    let assertion = cloud.mint(ACC1, "domain1.com");
    let wrong = cloud
        .exchange_with("domain1.com", &assertion, &[("client_secret", "guess")])
        .await;
    assert_eq!(refusal(&wrong), (401, "invalid_client", 7000215, None));
    let none = cloud
        .exchange_with("domain1.com", &assertion, &[("client_secret", "")])
        .await;
    assert_eq!(refusal(&none), (401, "invalid_client", 7000218, None));
    cloud.emulator.edit(|world| {
        let now = world.now();
        let app = world
            .directory
            .apps
            .iter_mut()
            .find(|app| app.name == "tenant-bridge")
            .unwrap();
        app.secrets[0].expires = Some(now);
    });
    assert_eq!(
        refusal(&cloud.exchange("domain1.com", &assertion).await),
        (401, "invalid_client", 7000222, None)
    );
}

#[tokio::test]
async fn scopes_that_make_no_sense_are_invalid_scope() {
    let cloud = start().await;
    let assertion = cloud.mint(ACC1, "domain1.com");
    for scope in [
        "nonsense",
        "https://management.azure.com/.default https://management.azure.com/user_impersonation",
    ] {
        let reply = cloud
            .exchange_with("domain1.com", &assertion, &[("scope", scope)])
            .await;
        assert_eq!(refusal(&reply), (400, "invalid_scope", 70011, None));
    }
    let two = "https://management.azure.com/.default api://x/.default";
    assert_eq!(
        refusal(
            &cloud
                .exchange_with("domain1.com", &assertion, &[("scope", two)])
                .await
        )
        .1,
        "invalid_scope"
    );
}

#[tokio::test]
async fn tenants_that_do_not_exist_are_90002_and_malformed_ones_900023() {
    let cloud = start().await;
    let assertion = cloud.mint(ACC1, "domain1.com");
    let nowhere = cloud
        .exchange("99999999-9999-4999-8999-999999999999", &assertion)
        .await;
    assert_eq!(refusal(&nowhere), (400, "invalid_request", 90002, None));
    assert_eq!(
        refusal(&cloud.exchange("nowhere", &assertion).await),
        (400, "invalid_request", 900023, None)
    );
}

#[tokio::test]
async fn missing_parameters_are_900144_and_unknown_grants_70003() {
    let cloud = start().await;
    let assertion = cloud.mint(ACC1, "domain1.com");
    for name in [
        "grant_type",
        "client_id",
        "assertion",
        "scope",
        "requested_token_use",
    ] {
        let reply = cloud
            .exchange_with("domain1.com", &assertion, &[(name, "")])
            .await;
        assert_eq!(refusal(&reply), (400, "invalid_request", 900144, None), "{name}");
        assert!(
            reply.body["error_description"]
                .as_str()
                .unwrap()
                .contains(&format!("'{name}'"))
        );
    }
    let password = cloud
        .exchange_with("domain1.com", &assertion, &[("grant_type", "password")])
        .await;
    assert_eq!(refusal(&password), (400, "unsupported_grant_type", 70003, None));
}
