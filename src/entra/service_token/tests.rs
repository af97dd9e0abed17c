use serde_json::{Value, json};

use super::super::testing::{API, HOME, LocalEntra, OTHER, Reply, USER, arm_token, issued};
use super::*;

/// The object id of the service principal.
const PRINCIPAL: &str = "dddddddd-0000-4000-8000-00000000000d";

/// An app-only token of a tenant, changed as told; `null` removes a claim.
fn app_token(tenant: TenantId, changes: &Value) -> Reply {
    let mut claims = json!({ "oid": PRINCIPAL, "sub": PRINCIPAL, "scp": null, "idtyp": "app" });
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    issued(&arm_token(tenant, &claims))
}

async fn kind_of(reply: Reply) -> ExchangeErrorKind {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    local.reply(reply);
    let error = entra.service_token(OTHER).await.expect_err("no token");
    error.kind.clone()
}

#[tokio::test]
async fn a_service_token_is_asked_for_at_its_tenant_in_nobodys_name() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    local.reply(app_token(OTHER, &json!({})));
    let token = entra.service_token(OTHER).await.expect("a token");
    assert_eq!(token.principal().tenant, OTHER);
    assert_eq!(token.principal().object.to_string(), PRINCIPAL);
    let [request] = local.token_requests().try_into().expect("one request");
    assert_eq!(request.path, format!("/{OTHER}/oauth2/v2.0/token"));
    let field = |name: &str| request.form.get(name).map(String::as_str);
    assert_eq!(field("grant_type"), Some("client_credentials"));
    assert_eq!(field("client_id"), Some(API.to_string().as_str()));
    assert_eq!(field("scope"), Some("https://management.azure.com/.default"));
    assert_eq!(field("assertion"), None);
}

#[tokio::test]
async fn a_token_that_is_not_the_services_own_for_that_tenant_is_never_used() {
    for changes in [
        json!({ "tid": HOME.to_string() }),
        json!({ "aud": "https://graph.microsoft.com" }),
        json!({ "appid": USER.to_string() }),
        json!({ "appid": null }),
        json!({ "idtyp": "user" }),
        json!({ "scp": "user_impersonation" }),
        json!({ "upn": "acc1@domain1.com" }),
    ] {
        let kind = kind_of(app_token(OTHER, &changes)).await;
        assert_eq!(kind, ExchangeErrorKind::BadAnswer, "{changes}");
    }
    let nobody = kind_of(app_token(OTHER, &json!({ "oid": null }))).await;
    assert_eq!(nobody, ExchangeErrorKind::ApplicationMissing);
}

#[tokio::test]
async fn what_entra_refuses_is_classified_as_for_an_exchange() {
    for (status, code, error, expected) in [
        (400, 65001, "invalid_grant", ExchangeErrorKind::Consent),
        (
            400,
            700_016,
            "unauthorized_client",
            ExchangeErrorKind::ApplicationMissing,
        ),
        (
            400,
            7_000_229,
            "invalid_request",
            ExchangeErrorKind::ApplicationMissing,
        ),
        (401, 7_000_215, "invalid_client", ExchangeErrorKind::Configuration),
        (503, 0, "", ExchangeErrorKind::Unavailable { retry_after: None }),
    ] {
        let body = json!({ "error": error, "error_codes": [code] });
        let reply = Reply::json(status, &body);
        assert_eq!(kind_of(reply).await, expected, "{code}");
    }
}

#[tokio::test]
async fn those_who_ask_together_share_one_request_and_its_token_until_shortly_before_its_end() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    local.hold();
    local.reply(app_token(OTHER, &json!({})));
    let both = async { tokio::join!(entra.service_token(OTHER), entra.service_token(OTHER)) };
    let (both, ()) = tokio::join!(both, async {
        local.token_requests_reach(1).await;
        local.release();
    });
    assert!(both.0.is_ok() && both.1.is_ok());
    assert_eq!(local.token_requests().len(), 1);
    clock.advance(Duration::from_secs(4000 - 301));
    assert!(entra.service_token(OTHER).await.is_ok());
    assert_eq!(local.token_requests().len(), 1);

    clock.advance(Duration::from_secs(1));
    local.reply(Reply::json(503, &json!({})));
    assert!(entra.service_token(OTHER).await.is_err(), "an error is not kept");
    local.reply(app_token(OTHER, &json!({ "exp": 1_800_010_000 })));
    assert!(entra.service_token(OTHER).await.is_ok());
    assert_eq!(local.token_requests().len(), 3);
}
