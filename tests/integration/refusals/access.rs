//! Refused for want of a token, a consent, a role, or a tenant that may be connected.

use azure_emulator::how_to;

use super::{missing, pointers, request_with};
use crate::support::{App, request};

#[tokio::test]
async fn a_request_without_a_token_is_asked_for_one_and_leaves_nothing() {
    let app = App::start().await;
    let answer = app.portal().create(&request("telemetry")).await;
    answer.is_problem(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    app.assert_untouched(0).await;
    assert_eq!(app.calls_at_arm(), 0);
    app.finish().await;
}

#[tokio::test]
async fn a_tenant_that_is_not_allowed_is_named_and_no_token_leaves_for_it() {
    let app = App::start().await;
    let portal = app.signed_in("acc3@domain1.com");
    let foreign = request_with("/source/eventHub/resourceId", how_to::FOREIGN_HUB);
    let answer = portal.create(&foreign).await;
    answer.is_problem(403, "tenantNotAllowed");
    assert!(answer.text("/detail").contains(how_to::DOMAIN3));
    assert_eq!(pointers(&answer), ["/source/eventHub/resourceId"]);
    assert!(app.exchanges().is_empty(), "{:?}", app.exchanges());
    app.assert_untouched(1).await;
    app.finish().await;
}

#[tokio::test]
async fn a_tenant_is_allowed_in_one_direction_only() {
    let app = App::start().await;
    let mut turned = request_with("/source/eventHub/resourceId", how_to::LOCAL_HUB);
    turned["target"]["database"] = how_to::DATABASE
        .replace(how_to::SUBSCRIPTION1, how_to::SUBSCRIPTION2)
        .into();
    let answer = app.signed_in("acc3@domain1.com").create(&turned).await;
    answer.is_problem(403, "tenantNotAllowed");
    assert!(answer.text("/detail").contains(how_to::DOMAIN2));
    assert_eq!(pointers(&answer), ["/target/database"]);
    app.assert_untouched(1).await;
    app.finish().await;
}

#[tokio::test]
async fn two_tenants_that_are_not_allowed_are_told_in_one_answer() {
    let app = App::start().await;
    let mut foreign = request_with("/source/eventHub/resourceId", how_to::FOREIGN_HUB);
    foreign["target"]["database"] = how_to::DATABASE
        .replace(how_to::SUBSCRIPTION1, how_to::SUBSCRIPTION2)
        .into();
    let answer = app.signed_in("acc3@domain1.com").create(&foreign).await;
    answer.is_problem(403, "tenantNotAllowed");
    assert_eq!(
        pointers(&answer),
        ["/target/database", "/source/eventHub/resourceId"]
    );
    for tenant in [how_to::DOMAIN2, how_to::DOMAIN3] {
        assert!(answer.text("/detail").contains(tenant), "{}", answer.body);
    }
    assert!(app.exchanges().is_empty());
    app.assert_untouched(1).await;
    app.finish().await;
}

#[tokio::test]
async fn missing_consent_and_a_missing_application_are_told_with_the_page_that_mends_them() {
    let app = App::with(|config| config.server.public_url = "http://localhost:8080".parse().ok()).await;
    let consent_page = format!(
        "{}{}/v2.0/adminconsent?client_id={}&scope=https%3A%2F%2Fmanagement.azure.com%2F.default&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fconsent",
        app.emulator.entra_url(),
        how_to::DOMAIN2,
        how_to::TENANT_BRIDGE
    );
    let portal = app.how_to_portal();
    for deprovision in [false, true] {
        app.emulator
            .edit(|world| match deprovision {
                false => world.revoke_consent("tenant-bridge", "domain2.com"),
                true => world.deprovision("tenant-bridge", "domain2.com"),
            })
            .expect("the tenant");
        let answer = portal.create(&request("telemetry")).await;
        answer.is_problem(403, "accessMissing");
        assert_eq!(missing(&answer), [(how_to::DOMAIN2, "consent")]);
        assert_eq!(answer.text("/missing/0/url"), consent_page);
        assert!(answer.text("/upstream/code").starts_with("AADSTS"));
    }
    app.assert_untouched(2).await;
    app.finish().await;
}

/// Who asks, with which auxiliary token, and which access is missing.
type Access = (
    &'static str,
    Option<&'static str>,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

#[tokio::test]
async fn every_access_that_is_missing_is_told_at_once_by_tenant_and_kind() {
    const TOKEN_2: (&str, &str) = (how_to::DOMAIN2, "token");
    const ROLE_1: (&str, &str) = (how_to::DOMAIN1, "role");
    const ROLE_2: (&str, &str) = (how_to::DOMAIN2, "role");
    const ACC2: Option<&str> = Some("acc2@domain2.com");
    const ACC8: Option<&str> = Some("acc8@domain2.com");
    let cases: [Access; 7] = [
        (
            "acc1@domain1.com",
            None,
            &[TOKEN_2],
            &["x-ms-authorization-auxiliary"],
        ),
        (
            "acc5@domain1.com",
            None,
            &[ROLE_2],
            &["Azure Event Hubs Data Owner", "ns-domain2"],
        ),
        ("acc4@domain1.com", ACC2, &[ROLE_1], &["Contributor", "adx1"]),
        ("acc1@domain1.com", ACC8, &[ROLE_2], &["ns-domain2"]),
        (
            "acc6@domain1.com",
            None,
            &[ROLE_1, ROLE_2],
            &["adx1", "ns-domain2"],
        ),
        (
            "acc4@domain1.com",
            ACC8,
            &[ROLE_1, ROLE_2],
            &["adx1", "ns-domain2"],
        ),
        ("acc4@domain1.com", None, &[ROLE_1, TOKEN_2], &["adx1"]),
    ];
    let app = App::start().await;
    for (count, (user, auxiliary, expected, words)) in (1..).zip(cases) {
        let mut portal = app.signed_in(user);
        if let Some(other) = auxiliary {
            portal = portal.with_auxiliary(&app.token(other, how_to::DOMAIN2));
        }
        let answer = portal.create(&request("telemetry")).await;
        answer.is_problem(403, "accessMissing");
        assert_eq!(missing(&answer), expected, "{user}: {}", answer.body);
        let fixes = answer.body["missing"].to_string();
        assert!(words.iter().all(|word| fixes.contains(word)), "{user}: {fixes}");
        app.assert_untouched(count).await;
    }
    app.finish().await;
}

#[tokio::test]
async fn an_account_of_the_sources_tenant_alone_lacks_a_token_of_the_targets() {
    let app = App::start().await;
    let portal = app
        .portal()
        .with_token(&app.token("acc2@domain2.com", how_to::DOMAIN2));
    let answer = portal.create(&request("telemetry")).await;
    answer.is_problem(403, "accessMissing");
    assert_eq!(missing(&answer), [(how_to::DOMAIN1, "token")]);
    app.assert_untouched(1).await;
    app.finish().await;
}

#[tokio::test]
async fn missing_consent_in_both_tenants_is_told_in_one_answer() {
    let app = App::start().await;
    app.emulator
        .edit(|world| {
            world.revoke_consent("tenant-bridge", "domain1.com")?;
            world.revoke_consent("tenant-bridge", "domain2.com")
        })
        .expect("the tenants");
    let answer = app.how_to_portal().create(&request("telemetry")).await;
    answer.is_problem(403, "accessMissing");
    assert_eq!(
        missing(&answer),
        [(how_to::DOMAIN1, "consent"), (how_to::DOMAIN2, "consent")]
    );
    app.assert_untouched(1).await;
    app.finish().await;
}
