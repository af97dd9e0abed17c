//! The page that Entra leads administrators back to.

use azure_emulator::how_to;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::follow::{Helper, Request};
use super::{linked, missing};
use crate::support::App;

#[tokio::test]
async fn the_page_says_in_plain_words_what_entra_says_and_repeats_nothing_of_the_query() {
    let app = App::start().await;
    let portal = app.portal();
    let cases = [
        ("", "Consent to Tenant Bridge", ""),
        (
            "admin_consent=True&tenant=22222222-2222-4222-8222-222222222222",
            "Consent was given",
            how_to::DOMAIN2,
        ),
        (
            "admin_consent=True&tenant=<script>alert(1)</script>",
            "Consent was given",
            "",
        ),
        (
            "error=consent_required&error_description=AADSTS65004: x",
            "Consent was not given",
            "AADSTS65004",
        ),
        (
            "error=access_denied&error_description=AADSTS90094: x",
            "Consent was not given",
            "administrator",
        ),
        (
            "error=<b>bold</b>&error_description=AADSTS<b>7</b>",
            "Consent was not given",
            "",
        ),
        (
            "error=x&error_description=AADSTS77\"onload=",
            "Consent was not given",
            "AADSTS77",
        ),
        (
            "state=%3Cimg%20src%3Dx%3E&x=y&x=z&%ff",
            "Consent to Tenant Bridge",
            "",
        ),
    ];
    for (query, title, word) in cases {
        let (answer, page) = portal.text(&format!("/consent?{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(page.contains(&format!("<h1>{title}</h1>")), "{query}: {page}");
        assert!(page.contains(word), "{query}: {page}");
        for reflected in ["script", "<b>", "onload", "<img", "&lt;"] {
            assert!(!page.contains(reflected), "{query}: {page}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn the_page_may_load_nothing_and_be_put_in_no_frame() {
    let app = App::start().await;
    let (answer, page) = app.portal().text("/consent?admin_consent=True").await;
    let policy = answer.header("content-security-policy").expect("a policy");
    let style = page
        .split("<style>")
        .nth(1)
        .and_then(|rest| rest.split("</style>").next());
    let hash = STANDARD.encode(Sha256::digest(style.expect("a style")));
    let style = format!("style-src 'sha256-{hash}'");
    for rule in [
        "default-src 'none'",
        &style,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.split("; ").any(|given| given == rule), "{rule}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    for word in ["<script", "<form", "<img", "<link", "href", "src="] {
        assert!(!page.contains(word), "{word}: {page}");
    }
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    let portal = app.portal();
    let posted = portal.send(portal.call(Method::POST, "/consent")).await;
    posted.is_problem(405, "methodNotAllowed");
    app.finish().await;
}

#[tokio::test]
async fn an_administrator_who_declines_is_told_so_and_the_link_is_good_for_another_try() {
    let app = linked().await;
    let helper = Helper::of(&app);
    helper
        .change(json!({ "revokeConsent": { "app": "tenant-bridge", "tenant": "domain2.com" } }))
        .await;
    let create = Request::create("telemetry");
    let portal = app.how_to_portal();
    let refused = create.send(&portal).await;
    let (_, _, _, url) = missing(&refused).remove(0);
    let url = url.expect("a link");
    let back = helper.answer_consent(&url, &[("decision", "cancel")]).await;
    let (answer, page) = app.portal().text(&back).await;
    assert_eq!(answer.status, 200);
    assert!(
        page.contains("Consent was not given") && page.contains("declined"),
        "{page}"
    );
    assert_eq!(create.send(&portal).await.status, 403);
    helper.consent(&url, "acc8@domain2.com").await;
    assert_eq!(create.send(&portal).await.status, 201);
    app.finish().await;
}

#[tokio::test]
async fn a_link_is_no_good_where_its_page_is_not_registered() {
    let app = App::with(|config| {
        config.server.public_url = "https://bridge.example.com/".parse().ok();
    })
    .await;
    let helper = Helper::of(&app);
    helper
        .change(json!({ "revokeConsent": { "app": "tenant-bridge", "tenant": "domain2.com" } }))
        .await;
    let refused = Request::create("telemetry").send(&app.how_to_portal()).await;
    let (_, _, _, url) = missing(&refused).remove(0);
    let url = url.expect("a link");
    assert!(
        url.contains("redirect_uri=https%3A%2F%2Fbridge.example.com%2Fconsent"),
        "{url}"
    );
    let page = helper.open(&url).await;
    assert!(page.contains("AADSTS50011"), "{page}");
    let without = url.split("&redirect_uri=").next().expect("a link");
    let page = helper.open(without).await;
    assert!(page.contains("AADSTS900144"), "{page}");
    app.finish().await;
}
