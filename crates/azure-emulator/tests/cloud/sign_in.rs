//! The authorization endpoint and its pages.

use azure_emulator::how_to::{DOMAIN1, DOMAIN2, OTHER_API, PORTAL, TENANT_BRIDGE};
use reqwest::StatusCode;
use serde_json::json;

use crate::browser::{API_SCOPE, REDIRECT, authorize_path, claims, owned};
use crate::support::{ARM_SCOPE, start};

const ACC1: &str = "acc1@domain1.com";
const ACC3: &str = "acc3@domain1.com";

#[tokio::test]
async fn a_person_walks_the_pages_and_the_app_gets_a_code() {
    let cloud = start().await;
    let changes = [("scope", ARM_SCOPE), ("client_info", "1")];
    let first = cloud
        .visit(&authorize_path("domain1.com", &changes), None, None)
        .await;
    assert_eq!(first.status, StatusCode::OK);
    for account in ["acc1@domain1.com", "acc3@domain1.com"] {
        assert!(first.html.contains(&format!("value=\"{account}\"")), "{account}");
    }
    assert!(
        !first.html.contains("acc2@domain2.com"),
        "who is not in the tenant is not offered"
    );

    let (action, mut fields) = first.form();
    fields.extend(owned(&[("account", ACC1), ("method", "pwd")]));
    let second = cloud.visit(&action, Some(&fields), None).await;
    assert!(second.html.contains("user_impersonation"), "{}", second.html);

    let (action, mut fields) = second.form();
    fields.extend(owned(&[("decision", "accept")]));
    let done = cloud.visit(&action, Some(&fields), None).await;
    assert_eq!(done.status, StatusCode::FOUND);
    assert!(done.location.as_ref().unwrap().as_str().starts_with(REDIRECT));
    assert_eq!(done.parameter("state"), "a&b");
    assert!(!done.parameter("client_info").is_empty() && !done.parameter("session_state").is_empty());

    let tokens = cloud
        .redeem("domain1.com", &done.parameter("code"), &[("scope", ARM_SCOPE)])
        .await;
    assert_eq!(
        claims(&tokens.body["access_token"])["scp"],
        "user_impersonation",
        "{:?}",
        tokens.body
    );
    let others = [("account", "acc4@domain1.com"), ("method", "pwd")];
    let shown = cloud.authorize("domain1.com", &changes, &others).await;
    assert!(
        shown.html.contains("user_impersonation"),
        "one user's consent is not another's"
    );
    let everyone = [
        ("account", "acc4@domain1.com"),
        ("decision", "accept"),
        ("everyone", "true"),
    ];
    cloud.authorize("domain1.com", &changes, &everyone).await;
    let last = [("account", ACC3), ("method", "pwd")];
    let shown = cloud.authorize("domain1.com", &changes, &last).await;
    assert!(!shown.parameter("code").is_empty(), "the organization's is");
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_is_not_the_apps() {
    let cloud = start().await;
    for (change, code) in [
        (("client_id", ""), 900144),
        (("client_id", "a0000000-0000-4000-8000-00000000ffff"), 700016),
        (("redirect_uri", "https://elsewhere.example/"), 50011),
        (("redirect_uri", "http://localhost:4711/other"), 50011),
    ] {
        let shown = cloud
            .visit(&authorize_path("domain1.com", &[change]), None, None)
            .await;
        assert_eq!(shown.shown_code(), code, "{change:?}");
    }
    let nowhere = cloud.visit(&authorize_path("nowhere.com", &[]), None, None).await;
    assert_eq!(nowhere.shown_code(), 90002);
}

#[tokio::test]
async fn the_app_is_told_of_its_mistakes() {
    let cloud = start().await;
    let foreign = format!("api://{TENANT_BRIDGE}/Nothing");
    for (change, error, code) in [
        (("response_type", ""), "invalid_request", 900144),
        (("response_type", "id_token"), "unsupported_response_type", 700054),
        (("response_mode", "pigeon"), "invalid_request", 90023),
        (("scope", ""), "invalid_request", 900144),
        (
            ("scope", "api://x/.default api://y/.default"),
            "invalid_scope",
            28000,
        ),
        (("scope", "api://nobody/.default"), "invalid_resource", 500011),
        (("scope", "Nothing.Known"), "invalid_client", 650053),
        (("scope", foreign.as_str()), "invalid_client", 650053),
        (("claims", "no json"), "invalid_request", 90023),
        (("code_challenge", "short"), "invalid_request", 501491),
    ] {
        let shown = cloud
            .authorize("domain1.com", &[change], &[("account", ACC1)])
            .await;
        assert_eq!(shown.error(), (error.to_owned(), code), "{change:?}");
        assert_eq!(shown.parameter("state"), "a&b", "{change:?}");
    }
    let method = [
        ("code_challenge", "c".repeat(43)),
        ("code_challenge_method", "S512".to_owned()),
    ];
    let method: Vec<_> = method
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(
        cloud.authorize("domain1.com", &method, &[]).await.error().1,
        50149
    );
    let declined = cloud
        .authorize("domain1.com", &[], &[("decision", "cancel")])
        .await;
    assert_eq!(declined.error(), ("access_denied".to_owned(), 65004));
    assert_eq!(declined.parameter("error_subcode"), "cancel");
}

#[tokio::test]
async fn answers_come_in_the_query_the_fragment_or_a_form() {
    let cloud = start().await;
    let answers = [("account", ACC1), ("method", "pwd")];
    for (mode, query, fragment) in [
        ("", true, false),
        ("query", true, false),
        ("fragment", false, true),
    ] {
        let shown = cloud
            .authorize("domain1.com", &[("response_mode", mode)], &answers)
            .await;
        let location = shown.location.as_ref().unwrap();
        assert_eq!(
            (location.query().is_some(), location.fragment().is_some()),
            (query, fragment)
        );
        assert!(!shown.parameter("code").is_empty());
    }
    let shown = cloud
        .authorize("domain1.com", &[("response_mode", "form_post")], &answers)
        .await;
    assert_eq!(shown.status, StatusCode::OK);
    let (action, fields) = shown.form();
    assert_eq!(action, REDIRECT);
    assert!(
        fields.contains(&("state".to_owned(), "a&b".to_owned())) && fields.iter().any(|(n, _)| n == "code")
    );
}

#[tokio::test]
async fn whoever_can_not_sign_in_may_choose_again() {
    let cloud = start().await;
    for (account, code) in [
        ("acc9@domain1.com", 50057),
        ("acc2@domain2.com", 50020),
        ("nobody@domain1.com", 50034),
    ] {
        let shown = cloud.authorize("domain1.com", &[], &[("account", account)]).await;
        assert_eq!(shown.shown_code(), code, "{account}");
        assert!(shown.html.contains("value=\"acc1@domain1.com\""), "{account}");
    }
}

#[tokio::test]
async fn common_offers_everybody_and_signs_them_in_at_home() {
    let cloud = start().await;
    let all = cloud.visit(&authorize_path("common", &[]), None, None).await;
    assert!(all.html.contains("acc1@domain1.com") && all.html.contains("acc2@domain2.com"));
    let hinted = [("domain_hint", "domain2.com"), ("login_hint", "acc8@domain2.com")];
    let some = cloud.visit(&authorize_path("common", &hinted), None, None).await;
    let place = |account: &str| some.html.find(&format!("name=\"account\" value=\"{account}\""));
    assert!(place(ACC1).is_none() && place("acc8@domain2.com") < place("acc2@domain2.com"));
    let code = cloud.code(ACC3, "common", &[]).await;
    let tokens = cloud.redeem("common", &code, &[]).await;
    assert_eq!(claims(&tokens.body["access_token"])["tid"], DOMAIN1);
    let code = cloud.code(ACC3, "domain2.com", &[]).await;
    let tokens = cloud.redeem("organizations", &code, &[]).await;
    assert_eq!(claims(&tokens.body["access_token"])["tid"], DOMAIN2);
}

#[tokio::test]
async fn a_silent_request_needs_a_session_and_consent() {
    let cloud = start().await;
    let silent = authorize_path("domain1.com", &[("prompt", "none")]);
    let stranger = cloud.visit(&silent, None, None).await;
    assert_eq!(stranger.error(), ("login_required".to_owned(), 50058));

    let signed_in = cloud.authorize("domain1.com", &[], &[("account", ACC1)]).await;
    let cookie = signed_in.cookie.unwrap();
    let again = cloud.visit(&silent, None, Some(&cookie)).await;
    assert!(!again.parameter("code").is_empty());
    let plain = authorize_path("domain1.com", &[]);
    let plain = cloud.visit(&plain, None, Some(&cookie)).await;
    assert!(
        !plain.parameter("code").is_empty(),
        "a session is enough without any prompt"
    );
    for prompt in ["login", "select_account"] {
        let path = authorize_path("domain1.com", &[("prompt", prompt)]);
        assert!(
            cloud
                .visit(&path, None, Some(&cookie))
                .await
                .html
                .contains("Sign in")
        );
    }
    let other = authorize_path("domain1.com", &[("prompt", "none"), ("scope", ARM_SCOPE)]);
    let other = cloud.visit(&other, None, Some(&cookie)).await;
    assert_eq!(other.error(), ("consent_required".to_owned(), 65001));
    let asked = authorize_path("domain1.com", &[("prompt", "consent")]);
    assert!(
        cloud
            .visit(&asked, None, Some(&cookie))
            .await
            .html
            .contains("Permissions requested")
    );
    let away = authorize_path("domain2.com", &[("prompt", "none")]);
    let away = cloud.visit(&away, None, Some(&cookie)).await;
    assert_eq!(away.error(), ("interaction_required".to_owned(), 50020));

    cloud.emulator.edit(|world| world.revoke_sessions(ACC1)).unwrap();
    assert_eq!(cloud.visit(&silent, None, Some(&cookie)).await.error().1, 50173);
}

#[tokio::test]
async fn signing_out_takes_the_session_and_goes_back_only_to_known_addresses() {
    let cloud = start().await;
    let path = |uri: &str| format!("/common/oauth2/v2.0/logout?post_logout_redirect_uri={uri}&state=s");
    let back = cloud.visit(&path("http://localhost:1/"), None, None).await;
    assert_eq!(back.location.unwrap().as_str(), "http://localhost:1/?state=s");
    assert_eq!(back.cookie.as_deref(), Some("ESTSAUTH="));
    let stay = cloud.visit(&path("https://elsewhere.example/"), None, None).await;
    assert!(stay.location.is_none() && stay.html.contains("signed out"));
}

#[tokio::test]
async fn a_claims_challenge_is_met_by_a_second_factor_and_shows_in_every_token() {
    let cloud = start().await;
    let challenge =
        r#"{"access_token":{"acrs":{"essential":true,"values":["p1"]},"xms_cc":{"values":["cp1"]}}}"#;
    let changes = [("claims", challenge)];
    let answers = [("account", ACC1), ("method", "pwd")];
    let weak = cloud.authorize("domain1.com", &changes, &answers).await;
    assert_eq!(weak.shown_code(), 50076);
    let answers = [("account", ACC1), ("method", "mfa")];
    let strong = cloud.authorize("domain1.com", &changes, &answers).await;
    let tokens = cloud.redeem("domain1.com", &strong.parameter("code"), &[]).await;
    let token = claims(&tokens.body["access_token"]);
    assert_eq!(
        (&token["acrs"], &token["xms_cc"]),
        (&json!(["p1"]), &json!(["cp1"]))
    );
    let assertion = tokens.body["access_token"].as_str().unwrap();
    let exchanged = cloud
        .exchange_with("domain1.com", assertion, &[("claims", challenge)])
        .await;
    let token = claims(&exchanged.body["access_token"]);
    assert_eq!(
        (&token["acrs"], &token["amr"]),
        (&json!(["p1"]), &json!(["pwd", "mfa"]))
    );
}

#[tokio::test]
async fn the_first_consent_brings_an_app_into_the_tenant() {
    let cloud = start().await;
    cloud
        .emulator
        .edit(|world| world.deprovision("portal", "domain1.com"))
        .unwrap();
    let shown = cloud.authorize("domain1.com", &[], &[("account", ACC1)]).await;
    assert!(shown.html.contains("Permissions requested"), "{}", shown.html);
    let code = cloud.code(ACC1, "domain1.com", &[]).await;
    let tokens = cloud.redeem("domain1.com", &code, &[]).await;
    assert_eq!(
        claims(&tokens.body["access_token"])["azp"],
        PORTAL,
        "{:?}",
        tokens.body
    );
    let scope = format!("api://{OTHER_API}/.default");
    let unlisted = cloud
        .authorize("domain1.com", &[("scope", &scope)], &[("account", ACC1)])
        .await;
    assert!(
        unlisted.html.contains("access_as_user"),
        ".default of an unlisted resource asks for all of it: {}",
        unlisted.html
    );
}

#[tokio::test]
async fn pages_show_what_was_sent_as_text_alone() {
    let cloud = start().await;
    let evil = "\"><script>alert(1)</script>";
    for changes in [
        [("state", evil), ("nonce", evil)],
        [("client_id", evil), ("x", evil)],
    ] {
        let shown = cloud
            .visit(&authorize_path("domain1.com", &changes), None, None)
            .await;
        assert!(!shown.html.contains("<script>alert"), "{}", shown.html);
    }
    assert!(API_SCOPE.contains(TENANT_BRIDGE));
}
