//! Entra: its keys, and the exchange of a user token for one of ARM's.

use std::time::Duration;

use azure_emulator::{Effect, Entry, Fault, MintUserToken, TokenOverrides, how_to};
use chrono::TimeDelta;
use serde_json::json;

use super::{CLAIMS, is_claims_challenge, is_missing_proof, is_unavailable, text};
use crate::support::{App, PATIENCE, request};

fn token_endpoint(tenant: &str) -> String {
    format!("/{tenant}/oauth2/v2.0/token")
}

#[tokio::test]
async fn keys_that_are_out_of_reach_are_an_outage_and_say_nothing_of_the_token() {
    for effect in [
        Effect::status(503, &[]),
        Effect::ResetBeforeEffect,
        text(200, &[], "<html>"),
        Effect::json(200, json!({ "keys": [] })),
    ] {
        let app = App::start().await;
        let keys = format!("/{}/discovery/v2.0/keys", how_to::DOMAIN2);
        app.emulator.inject(Fault::entra(&keys, effect).always());
        // Only the auxiliary token's tenant is concerned.
        is_unavailable(&app.how_to_portal().create(&request("telemetry")).await, "5");
        let alone = app.signed_in("acc1@domain1.com").get("/v1/connections").await;
        assert_eq!(alone.status, 200, "{}", alone.body);
        let second = app.token("acc2@domain2.com", how_to::DOMAIN2);
        let answer = app.portal().with_token(&second).get("/v1/connections").await;
        is_unavailable(&answer, "5");
        assert_eq!((app.calls_at_arm(), app.exchanges().len()), (0, 0));
        app.assert_untouched(0).await;
        app.finish().await;
    }
}

#[tokio::test]
async fn an_entra_that_can_not_exchange_now_is_an_outage_with_a_time_to_come_back() {
    let app = App::start().await;
    let loops = json!({
        "error": "invalid_grant", "error_codes": [50196],
        "error_description": "AADSTS50196: The server terminated an operation because it encountered a client request loop."
    });
    for (effect, seconds) in [
        (Effect::status(500, &[]), "5"),
        (Effect::status(503, &[("retry-after", "7")]), "7"),
        (text(429, &[("retry-after", "17")], "Too Many Requests"), "17"),
        (
            Effect::json(400, json!({ "error": "temporarily_unavailable" })),
            "5",
        ),
        (Effect::json(400, loops), "300"),
        (Effect::ResetBeforeEffect, "5"),
    ] {
        let endpoint = token_endpoint(how_to::DOMAIN2);
        app.emulator.inject(Fault::entra(&endpoint, effect).always());
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        is_unavailable(&answer, seconds);
        assert_eq!(answer.text("/upstream/service"), "entra");
        assert!(answer.text("/detail").contains(how_to::DOMAIN2));
        app.emulator.clear_faults();
    }
    app.assert_untouched(0).await;
    // Nothing of it is remembered.
    assert_eq!(
        app.how_to_portal().create(&request("telemetry")).await.status,
        201
    );
    app.finish().await;
}

#[tokio::test]
async fn what_only_the_operator_can_mend_is_told_as_no_fault_of_the_caller() {
    let app = App::start().await;
    let secret = json!({
        "error": "invalid_client", "error_codes": [7_000_215],
        "error_description": "AADSTS7000215: Invalid client secret provided. Private words.",
        "trace_id": "11111111-2222-4333-8444-555555555555"
    });
    for effect in [
        Effect::json(401, secret),
        Effect::json(400, json!({ "error": "invalid_scope", "error_codes": [70011] })),
    ] {
        app.emulator
            .inject(Fault::entra(&token_endpoint(how_to::DOMAIN1), effect));
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        answer.is_problem(502, "upstreamRefused");
        assert!(answer.header("www-authenticate").is_none());
        assert!(answer.text("/detail").contains(how_to::DOMAIN1));
        let body = answer.body.to_string();
        assert!(!body.contains("Private"), "{body}");
    }
    app.assert_untouched(2).await;
    app.finish().await;
}

#[tokio::test]
async fn an_entra_that_answers_nonsense_is_asked_once_more_and_then_an_outage() {
    let app = App::start().await;
    for effect in [
        text(200, &[], "<html>a proxy</html>"),
        text(403, &[], "<html>a proxy</html>"),
        text(404, &[], "<html>a proxy</html>"),
        Effect::status(302, &[("location", "https://localhost/elsewhere")]),
    ] {
        let fault = Fault::entra(&token_endpoint(how_to::DOMAIN1), effect);
        app.emulator.inject(fault.always());
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        is_unavailable(&answer, "5");
        assert!(answer.text("/detail").contains(how_to::DOMAIN1));
        assert!(!answer.body.to_string().contains("proxy"), "{}", answer.body);
        app.emulator.clear_faults();
    }
    app.assert_untouched(0).await;
    // Once is felt by nobody.
    for tenant in [how_to::DOMAIN1, how_to::DOMAIN2] {
        let page = text(200, &[], "<html>a proxy</html>");
        app.emulator.inject(Fault::entra(&token_endpoint(tenant), page));
    }
    let answer = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    app.finish().await;
}

#[tokio::test]
async fn what_only_the_operator_can_mend_takes_no_tokens_from_what_is_under_way() {
    let app = App::hurried_with(|config| config.entra.identical_exchanges = 1000).await;
    app.emulator.edit(|world| {
        world.set_loop_detection(false);
        // So short that each use of one is an exchange.
        world.set_token_lifetime(Duration::from_secs(200));
    });
    app.hold_operations();
    let created = app.how_to_portal().create_waiting(&request("telemetry"), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    app.wait_for_calls("PUT", "telemetry", 1).await;
    let page = text(403, &[], "<html>a proxy</html>");
    app.emulator
        .inject(Fault::entra(&token_endpoint(how_to::DOMAIN1), page).always());
    let refused = |entry: &&Entry| entry.path() == token_endpoint(how_to::DOMAIN1) && entry.status == 403;
    let again = |_: &Entry| app.emulator.journal().entries().iter().filter(refused).count() >= 3;
    let asked = app.emulator.journal().wait_for(again, PATIENCE).await;
    assert!(asked.is_some(), "it did not ask again");
    app.emulator.clear_faults();
    app.release_operations();
    // Nobody looks at it.
    app.wait_until("select not exists (select from operations where phase <> 'succeeded')")
        .await;
    app.finish().await;
}

#[tokio::test]
async fn a_claims_challenge_of_entras_reaches_the_caller_and_the_next_sign_in_answers_it() {
    let app = App::start().await;
    let challenge = json!({
        "error": "interaction_required", "suberror": "basic_action", "error_codes": [50076], "claims": CLAIMS
    });
    for tenant in [how_to::DOMAIN1, how_to::DOMAIN2] {
        let effect = Effect::json(400, challenge.clone());
        app.emulator.inject(Fault::entra(&token_endpoint(tenant), effect));
        let answer = app.challengeable_portal().create(&request("telemetry")).await;
        is_claims_challenge(&answer, &app, tenant);
        assert_eq!(answer.text("/upstream/code"), "AADSTS50076");
    }
    app.assert_untouched(2).await;
    assert_eq!(
        app.challengeable_portal()
            .create(&request("telemetry"))
            .await
            .status,
        201
    );
    app.finish().await;
}

#[tokio::test]
async fn an_app_that_takes_no_challenge_is_told_in_words_that_more_proof_is_missing() {
    let app = App::start().await;
    let challenge = json!({ "error": "interaction_required", "error_codes": [50076], "claims": CLAIMS });
    let fail = |tenant: &str| {
        let effect = Effect::json(400, challenge.clone());
        app.emulator.inject(Fault::entra(&token_endpoint(tenant), effect));
    };
    for tenant in [how_to::DOMAIN1, how_to::DOMAIN2] {
        fail(tenant);
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        is_missing_proof(&answer, tenant);
        assert_eq!(answer.text("/upstream/code"), "AADSTS50076");
    }
    // What counts is the token that was challenged, whatever the other one says. New tokens each time: no exchange of theirs is
    // remembered.
    let mixed = || {
        app.signed_in("acc1@domain1.com")
            .with_auxiliary(&app.challengeable_token("acc2@domain2.com", how_to::DOMAIN2))
    };
    fail(how_to::DOMAIN2);
    is_claims_challenge(
        &mixed().create(&request("telemetry")).await,
        &app,
        how_to::DOMAIN2,
    );
    fail(how_to::DOMAIN1);
    is_missing_proof(&mixed().create(&request("telemetry")).await, how_to::DOMAIN1);
    app.assert_untouched(4).await;
    app.finish().await;
}

/// A token of ARM's own kind, but for whom.
fn arm_token(app: &App, user: &str, tenant: &str, api: &str, overrides: TokenOverrides) -> String {
    let request = MintUserToken {
        user: user.to_owned(),
        tenant: tenant.to_owned(),
        client_app: "tenant-bridge".to_owned(),
        api: api.to_owned(),
        overrides,
        ..MintUserToken::default()
    };
    app.emulator.mint_user_token(&request).expect("a token")
}

#[tokio::test]
async fn a_token_that_is_not_the_one_asked_for_is_dropped_and_sent_to_nobody() {
    const ARM: &str = "azure-resource-manager";
    let app = App::start().await;
    let plain = TokenOverrides::default;
    let second = "acc2@domain2.com";
    let app_only = TokenOverrides {
        app_only: true,
        ..plain()
    };
    let expired = TokenOverrides {
        expiry_offset: Some(TimeDelta::seconds(-1)),
        ..plain()
    };
    let wrong = [
        (
            "Bearer",
            arm_token(&app, "acc1@domain1.com", how_to::DOMAIN1, ARM, plain()),
        ),
        (
            "Bearer",
            arm_token(&app, second, how_to::DOMAIN2, "other-api", plain()),
        ),
        (
            "Bearer",
            arm_token(&app, "acc8@domain2.com", how_to::DOMAIN2, ARM, plain()),
        ),
        ("Bearer", arm_token(&app, second, how_to::DOMAIN2, ARM, app_only)),
        ("Bearer", arm_token(&app, second, how_to::DOMAIN2, ARM, expired)),
        ("pop", arm_token(&app, second, how_to::DOMAIN2, ARM, plain())),
        ("Bearer", "opaque".to_owned()),
    ];
    for (kind, token) in &wrong {
        let body = json!({ "token_type": kind, "expires_in": 3599, "access_token": token });
        let effect = Effect::json(200, body);
        app.emulator
            .inject(Fault::entra(&token_endpoint(how_to::DOMAIN2), effect));
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        answer.is_problem(502, "upstreamRefused");
        assert!(answer.text("/detail").contains(how_to::DOMAIN2));
        assert!(!answer.body.to_string().contains(token.as_str()));
    }
    for entry in app.emulator.journal().entries() {
        let mut headers = entry.request_headers.values();
        assert!(
            headers.all(|value| wrong.iter().all(|(_, token)| !value.contains(token.as_str()))),
            "{entry:?}"
        );
    }
    app.assert_untouched(7).await;
    app.finish().await;
}

#[tokio::test]
async fn a_guests_token_of_the_home_tenant_is_none_for_the_tenant_that_was_asked() {
    let app = App::start().await;
    let (arm, user) = ("azure-resource-manager", "acc3@domain1.com");
    let token = arm_token(&app, user, how_to::DOMAIN1, arm, TokenOverrides::default());
    let body = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": token });
    let effect = Effect::json(200, body);
    app.emulator
        .inject(Fault::entra(&token_endpoint(how_to::DOMAIN2), effect));
    let answer = app.signed_in(user).create(&request("telemetry")).await;
    answer.is_problem(502, "upstreamRefused");
    assert!(answer.text("/detail").contains(how_to::DOMAIN2));
    app.assert_untouched(1).await;
    app.finish().await;
}
