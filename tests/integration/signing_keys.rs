//! Signing keys that are new, and tokens that are too long for any.

use azure_emulator::how_to;
use serde_json::json;

use crate::support::App;

const AUXILIARY: &str = "x-ms-authorization-auxiliary";

#[tokio::test]
async fn keys_that_rotate_twice_in_a_moment_refuse_no_good_token() {
    let app = App::start().await;
    let looks = async |expected| {
        let answer = app.signed_in("acc1@domain1.com").get("/v1/connections").await;
        assert_eq!(answer.status, expected, "{}", answer.body);
    };
    looks(200).await;
    for _ in 0..2 {
        app.emulator.rotate_keys().expect("a new key");
        app.emulator.rotate_keys().expect("a new key");
        looks(200).await;
    }
    // A caller with invented keys costs the others nothing.
    for _ in 0..15 {
        let forged = app.odd_token("acc1@domain1.com", how_to::DOMAIN1, |token| {
            token.overrides.kid = Some("no-such-key".to_owned());
        });
        let answer = app.portal().with_token(&forged).get("/v1/connections").await;
        assert!(matches!(answer.status, 401 | 503), "{}", answer.body);
    }
    let fetched = app.emulator.journal().entries();
    let fetched = fetched
        .iter()
        .filter(|entry| entry.path().ends_with("/discovery/v2.0/keys"));
    assert!(fetched.count() <= 12);
    looks(200).await;
    app.finish().await;
}

#[tokio::test]
async fn a_token_that_is_too_long_is_told_as_that_in_either_header_and_nobody_is_sent_to_sign_in_again() {
    let app = App::start().await;
    let long = |user: &str, tenant: &str| {
        app.odd_token(user, tenant, |token| {
            let groups = json!(vec![how_to::DOMAIN1; 500]);
            token.overrides.extra_claims.insert("groups".to_owned(), groups);
        })
    };
    let (ours, theirs) = (
        long("acc1@domain1.com", how_to::DOMAIN1),
        long("acc2@domain2.com", how_to::DOMAIN2),
    );
    for (portal, header) in [
        (app.portal().with_token(&ours), "Authorization"),
        (
            app.signed_in("acc1@domain1.com").with_auxiliary(&theirs),
            AUXILIARY,
        ),
    ] {
        let answer = portal.get("/v1/connections").await;
        answer.is_problem(431, "headersTooLarge");
        assert_eq!(answer.header("www-authenticate"), None);
        assert_eq!(answer.body["retryable"], false);
        assert_eq!(answer.text("/errors/0/pointer"), header);
        for word in [header, "16 KiB", "groups"] {
            assert!(answer.text("/detail").contains(word), "{}", answer.body);
        }
    }
    app.finish().await;
}
