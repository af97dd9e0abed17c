//! Which tokens ARM takes: one table for each respect in which a token can be wrong.

use std::time::Duration;

use azure_emulator::how_to::{self, DOMAIN1, DOMAIN2, DOMAIN3, SUBSCRIPTION1, SUBSCRIPTION2};
use azure_emulator::{TokenOverrides, World};
use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Map, json};

use crate::support::{Cloud, Reply, start};

/// Contributor on the cluster, and so sees the first subscription.
const USER: &str = "acc1@domain1.com";

fn subscription(id: &str) -> String {
    format!("/subscriptions/{id}?api-version=2022-12-01")
}

async fn with_header(cloud: &Cloud, header: &str) -> Reply {
    let headers = [("authorization", header)];
    cloud
        .arm(Method::GET, &subscription(SUBSCRIPTION1), &headers, None)
        .await
}

async fn with_auxiliary(cloud: &Cloud, token: &str, auxiliary: &str) -> Reply {
    let primary = format!("Bearer {token}");
    let headers = [
        ("authorization", primary.as_str()),
        ("x-ms-authorization-auxiliary", auxiliary),
    ];
    cloud
        .arm(Method::GET, &subscription(SUBSCRIPTION1), &headers, None)
        .await
}

/// The answer to a token for the first subscription that is wrong in this way.
async fn answer_to(cloud: &Cloud, wrong: TokenOverrides) -> Reply {
    let token = cloud.mint_arm(USER, "domain1.com", wrong);
    cloud.get(&token, &subscription(SUBSCRIPTION1)).await
}

fn wrong(change: impl FnOnce(&mut TokenOverrides)) -> TokenOverrides {
    let mut wrong = TokenOverrides::default();
    change(&mut wrong);
    wrong
}

fn claim(name: &str, value: serde_json::Value) -> Map<String, serde_json::Value> {
    Map::from_iter([(name.to_owned(), value)])
}

/// A refusal by ARM itself, with the challenge that names the tenant.
fn assert_refused(reply: &Reply, code: &str, case: &str) {
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::UNAUTHORIZED, code),
        "{case}"
    );
    let challenge = reply.header("www-authenticate");
    let start =
        format!("Bearer authorization_uri=\"https://login.windows.net/{DOMAIN1}\", error=\"invalid_token\"");
    assert!(challenge.starts_with(&start), "{case}: {challenge}");
    assert_eq!(reply.header("x-ms-failure-cause"), "gateway", "{case}");
}

#[tokio::test]
async fn an_authorization_header_is_a_bearer_token() {
    let cloud = start().await;
    let token = cloud.mint_arm(USER, "domain1.com", TokenOverrides::default());
    for (header, code) in [
        ("", "AuthenticationFailedInvalidHeader"),
        ("Basic abc", "AuthenticationFailedInvalidHeader"),
        (token.as_str(), "AuthenticationFailedInvalidHeader"),
        ("Bearer", "AuthenticationFailedMissingToken"),
        ("Bearer  ", "AuthenticationFailedMissingToken"),
        ("Bearer rubbish", "InvalidAuthenticationToken"),
    ] {
        assert_refused(&with_header(&cloud, header).await, code, header);
    }
    let lower = with_header(&cloud, &format!("bearer {token}")).await;
    assert_eq!(lower.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_token_the_challenge_tells_the_subscriptions_tenant() {
    let cloud = start().await;
    for (id, tenant) in [(SUBSCRIPTION1, DOMAIN1), (SUBSCRIPTION2, DOMAIN2)] {
        let reply = cloud.arm(Method::GET, &subscription(id), &[], None).await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::UNAUTHORIZED, "AuthenticationFailed")
        );
        let challenge = reply.header("www-authenticate");
        assert!(challenge.contains(&format!("https://login.windows.net/{tenant}\"")));
    }
    let unknown = subscription("50000000-0000-4000-8000-00000000ffff");
    let reply = cloud.arm(Method::GET, &unknown, &[], None).await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::NOT_FOUND, "SubscriptionNotFound")
    );
    assert!(!reply.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn the_audience_is_arms_to_the_letter() {
    let cloud = start().await;
    let own = cloud.emulator.arm_url().as_str();
    for (audience, taken) in [
        ("https://management.azure.com/", true),
        ("https://management.azure.com", true),
        ("https://management.core.windows.net/", true),
        ("https://management.core.windows.net", true),
        (own, true),
        (own.trim_end_matches('/'), true),
        ("https://management.azure.com//", false),
        ("https://MANAGEMENT.azure.com/", false),
        ("https://management.usgovcloudapi.net/", false),
        ("https://graph.microsoft.com", false),
        ("797f4846-ba00-4fd7-ba43-dac1f8f63013", false),
        (how_to::TENANT_BRIDGE, false),
        ("", false),
    ] {
        let reply = answer_to(&cloud, wrong(|w| w.audience = Some(audience.to_owned()))).await;
        if taken {
            assert_eq!(reply.status, StatusCode::OK, "{audience}");
        } else {
            assert_refused(&reply, "InvalidAuthenticationTokenAudience", audience);
            assert!(reply.message().contains(&format!("resource '{audience}'.")));
        }
    }
}

#[tokio::test]
async fn every_audience_spelling_that_entra_gives_is_taken() {
    let cloud = start().await;
    let own = format!("{}.default", cloud.emulator.arm_url());
    for scope in [
        "https://management.azure.com/.default",
        "https://management.azure.com//.default",
        "https://management.core.windows.net/.default",
        "https://management.core.windows.net//.default",
        own.as_str(),
    ] {
        let assertion = cloud.mint(USER, "domain1.com");
        let reply = cloud
            .exchange_with("domain1.com", &assertion, &[("scope", scope)])
            .await;
        let token = reply.body["access_token"].as_str().unwrap();
        assert_eq!(
            cloud.get(token, &subscription(SUBSCRIPTION1)).await.status,
            StatusCode::OK,
            "{scope}"
        );
    }
}

#[tokio::test]
async fn the_tenant_is_the_subscriptions_and_the_issuer_is_the_tenants() {
    let cloud = start().await;
    let v1 = |tenant: &str| Some(format!("https://sts.windows.net/{tenant}/"));
    let nowhere = "99999999-9999-4999-8999-999999999999";
    let of = |tenant: &str| {
        wrong(|w| {
            w.issuer = v1(tenant);
            w.extra_claims = claim("tid", json!(tenant));
        })
    };
    const TENANT: &str = "InvalidAuthenticationTokenTenant";
    const INVALID: &str = "InvalidAuthenticationToken";
    let v2 = Some(format!("{}{DOMAIN1}/v2.0", cloud.emulator.entra_url()));
    for (case, change, code) in [
        ("another tenant of this cloud", of(DOMAIN2), TENANT),
        ("a tenant that nobody knows", of(nowhere), INVALID),
        (
            "another tenant's issuer",
            wrong(|w| w.issuer = v1(DOMAIN2)),
            INVALID,
        ),
        (
            "another tenant's tid",
            wrong(|w| w.extra_claims = claim("tid", json!(DOMAIN2))),
            INVALID,
        ),
        ("the v2 issuer", wrong(|w| w.issuer = v2), INVALID),
        (
            "no issuer",
            wrong(|w| w.removed_claims = vec!["iss".to_owned()]),
            INVALID,
        ),
    ] {
        assert_refused(&answer_to(&cloud, change).await, code, case);
    }
    let nobody = answer_to(&cloud, wrong(|w| w.removed_claims = vec!["oid".to_owned()])).await;
    assert_refused(&nobody, INVALID, "no oid");
    assert!(nobody.message().contains("'puid' or 'altsecid' or 'oid'"));
    let other = answer_to(&cloud, of(DOMAIN2)).await;
    let start = format!(
        "The access token is from the wrong issuer 'https://sts.windows.net/{DOMAIN2}/'. It must match the tenant \
         'https://sts.windows.net/{DOMAIN1}/' associated with this subscription. Please use the authority (URL) \
         'https://login.windows.net/{DOMAIN1}' to get the token."
    );
    assert!(other.message().starts_with(&start), "{}", other.message());
}

#[tokio::test]
async fn a_token_counts_from_nbf_until_exp() {
    let cloud = start().await;
    let at = |nbf: i64, exp: i64| {
        wrong(|w| {
            w.not_before_offset = Some(TimeDelta::seconds(nbf));
            w.expiry_offset = Some(TimeDelta::seconds(exp));
        })
    };
    for (nbf, exp, code) in [
        (-60, 60, None),
        (250, 600, None),
        (400, 600, Some("InvalidAuthenticationToken")),
        (-60, 0, Some("ExpiredAuthenticationToken")),
        (-60, -10, Some("ExpiredAuthenticationToken")),
    ] {
        let (reply, case) = (answer_to(&cloud, at(nbf, exp)).await, format!("{nbf} {exp}"));
        match code {
            None => assert_eq!(reply.status, StatusCode::OK, "{case}"),
            Some(code) => assert_refused(&reply, code, &case),
        }
    }
    let token = cloud.arm_token(USER, "domain1.com").await;
    cloud.emulator.clock().advance(Duration::from_secs(2 * 3600));
    let reply = cloud.get(&token, &subscription(SUBSCRIPTION1)).await;
    assert_refused(&reply, "ExpiredAuthenticationToken", "two hours later");
    let shape = |part: &str| reply.message().contains(part);
    assert!(shape("expiry UTC time '") && shape("M' is earlier than current UTC time '"));
    let without = answer_to(&cloud, wrong(|w| w.removed_claims = vec!["exp".to_owned()])).await;
    assert_refused(&without, "InvalidAuthenticationToken", "no exp");
}

#[tokio::test]
async fn the_signature_is_one_of_the_enterprise_keys() {
    let cloud = start().await;
    for (case, change) in [
        ("none", wrong(|w| w.algorithm_none = true)),
        ("an unpublished key", wrong(|w| w.unpublished_key = true)),
        ("the consumer authority's key", wrong(|w| w.consumer_key = true)),
        ("a key id of nobody", wrong(|w| w.kid = Some("nobody".to_owned()))),
    ] {
        assert_refused(
            &answer_to(&cloud, change).await,
            "InvalidAuthenticationToken",
            case,
        );
    }
    let token = cloud.arm_token(USER, "domain1.com").await;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let other = cloud.arm_token("acc3@domain1.com", "domain1.com").await;
    let claims = other.split('.').nth(1).unwrap();
    for changed in [
        format!("{signed}.{}AAAA", signature.get(..signature.len() - 4).unwrap()),
        format!("{header}.{claims}.{signature}"),
        format!("{signed}."),
        signed.to_owned(),
    ] {
        let reply = cloud.get(&changed, &subscription(SUBSCRIPTION1)).await;
        assert_refused(&reply, "InvalidAuthenticationToken", "changed");
    }
}

#[tokio::test]
async fn a_key_signs_until_it_is_retired() {
    let cloud = start().await;
    let path = subscription(SUBSCRIPTION1);
    let old = cloud.mint_arm(USER, "domain1.com", TokenOverrides::default());
    cloud.emulator.rotate_keys().unwrap();
    let new = cloud.mint_arm(USER, "domain1.com", TokenOverrides::default());
    for token in [&old, &new] {
        assert_eq!(cloud.get(token, &path).await.status, StatusCode::OK);
    }
    cloud.emulator.retire_keys();
    assert_refused(
        &cloud.get(&old, &path).await,
        "InvalidAuthenticationToken",
        "retired",
    );
    assert_eq!(cloud.get(&new, &path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn auxiliary_tokens_may_be_joined_in_many_ways_and_be_three() {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    let other = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    for auxiliary in [
        String::new(),
        " ".to_owned(),
        format!("Bearer {other}"),
        format!("Bearer {other}; bearer {other}"),
        format!(", Bearer {other},"),
        vec![format!("Bearer {other}"); 3].join(","),
    ] {
        let reply = with_auxiliary(&cloud, &token, &auxiliary).await;
        assert_eq!(reply.status, StatusCode::OK, "{auxiliary}");
    }
    let four = vec![format!("Bearer {token}"); 4].join(", ");
    assert_eq!(
        with_auxiliary(&cloud, &token, &four).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn one_bad_auxiliary_token_refuses_the_request_and_is_named() {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    let good = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    let bad = |change| cloud.mint_arm("acc2@domain2.com", "domain2.com", change);
    let past = Some(TimeDelta::seconds(-10));
    let named = [how_to::TENANT_BRIDGE, DOMAIN2];
    for (case, entry, parts) in [
        ("no token at all", "rubbish".to_owned(), ["unknown"; 2]),
        (
            "an encrypted one",
            format!("EncryptedBearer {good}"),
            ["unknown"; 2],
        ),
        (
            "expired",
            format!("Bearer {}", bad(wrong(|w| w.expiry_offset = past))),
            named,
        ),
        (
            "for another API",
            format!("Bearer {}", cloud.mint("acc2@domain2.com", "domain2.com")),
            // A v2 token: it calls its client by another name.
            [how_to::PORTAL, DOMAIN2],
        ),
        (
            "of a foreign key",
            format!("Bearer {}", bad(wrong(|w| w.unpublished_key = true))),
            named,
        ),
        (
            "of another issuer",
            format!("Bearer {}", bad(wrong(|w| w.issuer = Some(DOMAIN3.to_owned())))),
            named,
        ),
    ] {
        for joined in [
            entry.clone(),
            format!("Bearer {good}, {entry}"),
            format!("{entry}; Bearer {good}"),
        ] {
            let reply = with_auxiliary(&cloud, &token, &joined).await;
            assert_eq!(
                (reply.status, reply.code()),
                (StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken"),
                "{case}"
            );
            for part in parts {
                assert!(reply.message().contains(part), "{case}: {}", reply.message());
            }
        }
    }
}

#[tokio::test]
async fn headers_larger_than_four_tokens_get_through() {
    let cloud = start().await;
    let token = format!("Bearer {}", cloud.arm_token(USER, "domain1.com").await);
    let padding = "x".repeat(60_000);
    let headers = [("authorization", token.as_str()), ("x-padding", &padding)];
    let path = subscription(SUBSCRIPTION1);
    assert_eq!(
        cloud.arm(Method::GET, &path, &headers, None).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_app_may_read_where_it_was_given_a_role() {
    let cloud = start().await;
    let token = cloud.app_token("domain1.com").await;
    let path = format!("{}?api-version=2024-04-13", how_to::CLUSTER);
    let refused = cloud.get(&token, &path).await;
    assert_eq!(refused.code(), "AuthorizationFailed");
    assert!(refused.message().contains(how_to::TENANT_BRIDGE));
    let give = |world: &mut World| world.assign_role("tenant-bridge", "Reader", how_to::CLUSTER);
    cloud.emulator.edit(give).unwrap();
    assert_eq!(cloud.get(&token, &path).await.status, StatusCode::OK);
}
