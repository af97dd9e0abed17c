//! Each rule of validation has a token that breaks this one rule and no other.

use secrecy::SecretString;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

use super::super::testing::{
    API, HOME, LocalEntra, OTHER, PORTAL, PUBLISHED, SECOND, START, USER, encode, start, user_claims,
    user_claims_with,
};
use super::super::{Entra, TokenError, TokenRefusal, UserToken};
use crate::domain::TenantId;

const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

async fn validate(entra: &Entra, token: String) -> Result<UserToken, TokenError> {
    entra.validate(SecretString::from(token)).await
}

/// What a token with these claims is refused for.
async fn refused(entra: &Entra, changes: &Value) -> Option<TokenRefusal> {
    refused_token(entra, PUBLISHED.sign(&user_claims_with(changes))).await
}

async fn refused_token(entra: &Entra, token: String) -> Option<TokenRefusal> {
    match validate(entra, token).await {
        Ok(_) => None,
        Err(TokenError::Refused(refusal)) => Some(refusal),
        Err(TokenError::Unavailable { .. }) => panic!("the keys are there"),
    }
}

#[tokio::test]
async fn a_v2_token_of_a_user_is_accepted_and_its_claims_are_read() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let token = validate(&entra, PUBLISHED.sign(&user_claims()))
        .await
        .expect("a valid token");
    assert_eq!(token.tenant(), HOME);
    assert_eq!(token.person().object.uuid(), USER);
    assert_eq!(token.app(), PORTAL);
    assert!(token.has_scope("Connections.Read") && !token.has_scope("Connections"));
    assert!(token.has_role("Auditor") && !token.has_role("auditor"));
    assert_eq!(token.expires_at(), start() + Duration::from_secs(3600));
    assert_eq!(token.unique_id(), Some("unique-1"));
    assert_eq!(token.username(), Some("acc1@domain1.com"));
    assert!(!token.takes_claims_challenges());
}

#[tokio::test]
async fn a_v1_token_is_judged_by_the_rules_of_v1() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let v1 = json!({
        "ver": "1.0", "iss": format!("https://sts.windows.net/{HOME}/"), "aud": format!("api://{API}"),
        "azp": null, "appid": PORTAL.to_string(), "preferred_username": null, "upn": "acc1@domain1.com",
        "xms_cc": ["CP1"],
    });
    let token = validate(&entra, PUBLISHED.sign(&user_claims_with(&v1)))
        .await
        .expect("a valid token");
    assert_eq!(token.app(), PORTAL);
    assert_eq!(token.username(), Some("acc1@domain1.com"));
    assert!(token.takes_claims_challenges());
    // A v1.0 token may not borrow the v2.0 issuer, nor the other way round.
    assert_eq!(
        refused(&entra, &json!({"ver": "1.0"})).await,
        Some(TokenRefusal::Issuer)
    );
    let borrowed = json!({"iss": format!("https://sts.windows.net/{HOME}/")});
    assert_eq!(refused(&entra, &borrowed).await, Some(TokenRefusal::Issuer));
}

#[tokio::test]
async fn each_claim_that_is_wrong_is_named() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let stranger = Uuid::from_u128(7);
    for (changes, expected) in [
        (
            json!({"iss": format!("https://login.microsoftonline.com/{OTHER}/v2.0")}),
            TokenRefusal::Issuer,
        ),
        (
            json!({"iss": "https://login.microsoftonline.com/common/v2.0"}),
            TokenRefusal::Issuer,
        ),
        (json!({"iss": null}), TokenRefusal::Issuer),
        (json!({"tid": OTHER.to_string()}), TokenRefusal::Tenant(OTHER)),
        (
            json!({"aud": "00000003-0000-0000-c000-000000000000"}),
            TokenRefusal::Audience,
        ),
        (
            json!({"aud": API.to_string().to_uppercase()}),
            TokenRefusal::Audience,
        ),
        (json!({"aud": [API.to_string()]}), TokenRefusal::Audience),
        (json!({"aud": null}), TokenRefusal::Audience),
        (json!({"exp": START - 60}), TokenRefusal::Expired),
        (json!({"nbf": START + 61}), TokenRefusal::NotYetValid),
        (
            json!({"azp": stranger.to_string()}),
            TokenRefusal::CallingApp(Some(stranger)),
        ),
        (
            json!({"azp": null, "appid": PORTAL.to_string()}),
            TokenRefusal::CallingApp(None),
        ),
        (json!({"idtyp": "app"}), TokenRefusal::NotAUser),
        (json!({"scp": null}), TokenRefusal::NotAUser),
        (
            json!({"scp": null, "roles": null}),
            TokenRefusal::NotAnAccessToken,
        ),
        (
            json!({"scp": " "  , "roles": null}),
            TokenRefusal::NotAnAccessToken,
        ),
        (
            json!({"scp": null, "roles": null, "azp": null, "nonce": "n"}),
            TokenRefusal::NotAnAccessToken,
        ),
    ] {
        assert_eq!(refused(&entra, &changes).await, Some(expected), "{changes}");
    }
}

#[tokio::test]
async fn a_claim_that_is_no_such_thing_is_malformed() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    for changes in [
        json!({"ver": "3.0"}),
        json!({"tid": "common"}),
        json!({"tid": null}),
        json!({"oid": null}),
        json!({"exp": null}),
        json!({"exp": "soon"}),
        json!({"nbf": "soon"}),
    ] {
        let refusal = refused(&entra, &changes).await;
        assert!(
            matches!(
                refusal,
                Some(TokenRefusal::Malformed(_) | TokenRefusal::NotAToken(_))
            ),
            "{changes} {refusal:?}"
        );
    }
}

#[tokio::test]
async fn a_skew_of_up_to_a_minute_is_granted_on_both_ends() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    assert_eq!(
        refused(&entra, &json!({"exp": START - 59, "nbf": START + 60})).await,
        None
    );
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        refused(&entra, &json!({"exp": START - 59})).await,
        Some(TokenRefusal::Expired)
    );
}

#[tokio::test]
async fn only_rs256_under_a_published_key_is_a_signature() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let claims = user_claims();
    for header in [
        json!({"alg": "none", "kid": "key-1"}),
        json!({"alg": "HS256", "kid": "key-1"}),
        json!({"alg": "PS256", "kid": "key-1"}),
        json!({"alg": "rs256", "kid": "key-1"}),
        json!({"alg": "RS256", "kid": "key-1", "typ": "pop"}),
        json!({"alg": "RS256", "kid": "key-1", "typ": 1}),
        json!({"kid": "key-1"}),
    ] {
        let token = PUBLISHED.sign_with(&header, &claims);
        assert_eq!(
            refused_token(&entra, token).await,
            Some(TokenRefusal::Algorithm),
            "{header}"
        );
    }
    let forged = SECOND.sign_with(&json!({"alg": "RS256", "kid": "key-1"}), &claims);
    assert_eq!(refused_token(&entra, forged).await, Some(TokenRefusal::Signature));
    let genuine = PUBLISHED.sign(&claims);
    let (signed, signature) = genuine.rsplit_once('.').expect("three parts");
    let (header, _) = signed.split_once('.').expect("two parts");
    let swapped = format!(
        "{header}.{}.{signature}",
        encode(&user_claims_with(&json!({"roles": ["Operator"]})))
    );
    assert_eq!(
        refused_token(&entra, swapped).await,
        Some(TokenRefusal::Signature)
    );
    assert_eq!(
        refused_token(&entra, format!("{signed}.")).await,
        Some(TokenRefusal::Signature)
    );
    assert_eq!(
        refused_token(&entra, format!("{signed}.#")).await,
        Some(TokenRefusal::Signature)
    );
    let unknown = SECOND.sign(&claims);
    assert_eq!(
        refused_token(&entra, unknown).await,
        Some(TokenRefusal::UnknownKey)
    );
}

#[tokio::test]
async fn a_key_of_another_issuer_signs_nothing_here() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    for issuer in [
        format!("https://login.microsoftonline.com/{CONSUMERS}/v2.0"),
        format!("https://login.microsoftonline.com/{OTHER}/v2.0"),
        "https://login.microsoftonline.us/{tenantid}/v2.0".to_owned(),
        String::new(),
    ] {
        local.publish(&[PUBLISHED.published(&issuer)]);
        clock.advance(Duration::from_secs(25 * 3600));
        let now = clock.now().timestamp();
        let refusal = refused(&entra, &json!({"nbf": now, "exp": now + 3600})).await;
        assert_eq!(refusal, Some(TokenRefusal::KeyIssuer), "{issuer}");
    }
    let mut nameless = PUBLISHED.published("");
    nameless.as_object_mut().expect("an object").remove("issuer");
    local.publish(&[nameless]);
    clock.advance(Duration::from_secs(25 * 3600));
    let now = clock.now().timestamp();
    assert_eq!(
        refused(&entra, &json!({"exp": now + 3600})).await,
        Some(TokenRefusal::KeyIssuer)
    );
    // One made for this very tenant is as good as the template.
    local.publish(&[PUBLISHED.published(&format!("https://login.microsoftonline.com/{HOME}/v2.0"))]);
    clock.advance(Duration::from_secs(25 * 3600));
    let now = clock.now().timestamp();
    assert_eq!(refused(&entra, &json!({"exp": now + 3600})).await, None);
}

#[tokio::test]
async fn a_token_that_can_be_refused_without_a_key_fetches_none() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let sent = |claims: &Value| PUBLISHED.sign(claims);
    let other: TenantId = OTHER;
    assert_eq!(
        refused_token(
            &entra,
            sent(&user_claims_with(&json!({"tid": OTHER.to_string()})))
        )
        .await,
        Some(TokenRefusal::Tenant(other))
    );
    let doubled = format!(r#"{{"tid":"{HOME}","TID":"{OTHER}"}}"#);
    let header = encode(&json!({"alg": "RS256", "kid": "key-1"}));
    let payload = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, doubled);
    for token in [
        String::new(),
        "one".to_owned(),
        "one.two".to_owned(),
        "one.two.three".to_owned(),
        format!("{}.more", sent(&user_claims())),
        format!("{header}.{payload}.c2ln"),
        sent(&user_claims_with(&json!({"filler": "x".repeat(16 * 1024)}))),
        PUBLISHED.sign_with(
            &json!({"alg": "RS256", "kid": "key-1", "crit": ["b64"]}),
            &user_claims(),
        ),
        PUBLISHED.sign_with(&json!({"alg": "RS256"}), &user_claims()),
    ] {
        let refusal = refused_token(&entra, token).await;
        let is_told = matches!(refusal, Some(TokenRefusal::NotAToken(_) | TokenRefusal::TooLong));
        assert!(is_told, "{refusal:?}");
    }
    assert_eq!(local.key_requests(), 0);
}

#[tokio::test]
async fn neither_a_refusal_nor_a_token_prints_any_of_the_token() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let text = PUBLISHED.sign(&user_claims());
    let token = validate(&entra, text.clone()).await.expect("a valid token");
    let printed = format!("{token:?}");
    assert!(text.split('.').all(|part| !printed.contains(part)), "{printed}");
    assert!(!printed.contains("acc1@domain1.com"), "{printed}");
    let refusal = refused(&entra, &json!({"aud": "secret-audience"}))
        .await
        .expect("a refusal");
    assert!(!format!("{refusal} {refusal:?}").contains("secret-audience"));
}
