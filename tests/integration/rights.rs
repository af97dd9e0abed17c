//! Whose rights count, and where: ARM decides, on the database, by the person's own token, and what it doesn't tell beforehand
//! it tells when it is asked to make the connection. Every token that comes with a request must be good for it.

use azure_emulator::{Effect, Fault, how_to};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, Portal, request};

/// Somebody without any role, given these; with acc2@domain2.com's token for the source.
fn given(app: &App, roles: &[(&str, &str)]) -> Portal {
    app.emulator
        .edit(|world| {
            roles
                .iter()
                .try_for_each(|(role, scope)| world.assign_role("acc4@domain1.com", role, scope))
        })
        .expect("the roles");
    app.signed_in("acc4@domain1.com")
        .with_auxiliary(&app.token("acc2@domain2.com", how_to::DOMAIN2))
}

/// ARM doesn't let anybody ask what they may do.
fn permissions_are_not_told(app: &App) {
    let refusal =
        json!({ "error": { "code": "AuthorizationFailed", "message": "may not read permissions" } });
    let permissions = "/providers/Microsoft.Authorization/permissions";
    app.emulator
        .inject(Fault::arm(permissions, Effect::json(403, refusal)).always());
}

#[tokio::test]
async fn contributor_on_the_database_alone_is_enough_to_create_and_to_remove() {
    let app = App::hurried().await;
    // The cluster has to be read for its region.
    let roles = [("Reader", how_to::CLUSTER), ("Contributor", how_to::DATABASE)];
    let portal = given(&app, &roles);
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(
        (created.status, created.text("/state")),
        (201, "active"),
        "{}",
        created.body
    );
    let removed = portal.remove(created.text("/id")).await;
    assert_eq!(
        (removed.status, removed.text("/state")),
        (200, "removed"),
        "{}",
        removed.body
    );
    app.finish().await;
}

#[tokio::test]
async fn contributor_on_another_database_of_the_cluster_is_of_no_use() {
    let app = App::start().await;
    let roles = [("Reader", how_to::CLUSTER), ("Contributor", how_to::ARCHIVE)];
    let answer = given(&app, &roles).create(&request("telemetry")).await;
    answer.is_problem(403, "accessMissing");
    assert_eq!(answer.body["missing"][0]["kind"], "role");
    assert_eq!(answer.body["missing"][0]["tenant"], how_to::DOMAIN1);
    app.assert_untouched(1).await;
    app.finish().await;
}

#[tokio::test]
async fn rights_that_arm_does_not_tell_are_left_to_arm_to_decide() {
    let app = App::hurried().await;
    permissions_are_not_told(&app);
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(
        (created.status, created.text("/state")),
        (201, "active"),
        "{}",
        created.body
    );
    let removed = portal.remove(created.text("/id")).await;
    assert_eq!(removed.text("/state"), "removed", "{}", removed.body);
    app.finish().await;
}

#[tokio::test]
async fn who_could_not_be_told_beforehand_that_they_may_not_is_refused_by_arm_and_its_words_stay_there() {
    let app = App::hurried().await;
    permissions_are_not_told(&app);
    // May read everything on both sides, and write nothing.
    let portal = app.signed_in("acc6@domain1.com");
    let created = portal.create(&request("telemetry")).await;
    let operation = portal.follow(created.operation()).await;
    assert_eq!(operation.text("/error/code"), "azureRefused");
    assert_eq!(operation.text("/error/upstream/code"), "AuthorizationFailed");
    assert_eq!(operation.body["error"]["upstream"]["status"], 403);
    assert_eq!(
        portal.connection(created.connection()).await.text("/state"),
        "failed"
    );
    assert!(app.at_arm("telemetry").is_none());
    let put = app.writes();
    assert_eq!(put.len(), 1);

    // ARM's sentence names the person. Its code is kept, for everybody who sees the connection; the sentence is not.
    let said = put[0].response_body.as_ref().expect("a body").to_string();
    assert!(said.contains("acc6@domain1.com"), "{said}");
    let kept = app.scalar::<String>(KEPT).await;
    assert!(kept.contains("AuthorizationFailed"), "{kept}");
    for text in [&kept, &operation.body.to_string()] {
        for word in ["acc6", "0acc0006", "does not have authorization"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
    app.finish().await;
}

/// What the database keeps of operations and in the ledger.
const KEPT: &str = "select (select string_agg(o::text, ' ') from operations o)
    || (select string_agg(e::text, ' ') from ledger_events e)";

#[tokio::test]
async fn a_refusal_for_want_of_a_sign_in_keeps_arms_code_and_not_its_words() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let names = json!({ "error": {
        "code": "InvalidAuthenticationToken", "message": "The session of acc1@domain1.com was revoked."
    } });
    for status in [401, 403] {
        let fault = Fault::arm("/dataConnections/", Effect::json(status, names.clone()));
        app.emulator.inject(fault.method("DELETE"));
        let refused = portal.remove(created.text("/id")).await;
        let operation = portal.follow(refused.operation()).await;
        assert_eq!(operation.text("/error/code"), "azureRefused");
        assert_eq!(
            operation.text("/error/upstream/code"),
            "InvalidAuthenticationToken"
        );
        assert_eq!(operation.body["error"]["upstream"]["status"], status);
        assert!(
            !operation.body.to_string().contains("acc1@"),
            "{}",
            operation.body
        );
    }
    let kept = app.scalar::<String>(KEPT).await;
    assert!(
        kept.contains("InvalidAuthenticationToken") && !kept.contains("acc1@"),
        "{kept}"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_participants_token_without_the_scope_of_the_call_is_refused_by_its_tenant() {
    let app = App::start().await;
    let participant = |scope: &str| {
        let token = app.odd_token("acc2@domain2.com", how_to::DOMAIN2, |token| {
            let claims = &mut token.overrides.extra_claims;
            claims.insert("scp".to_owned(), Value::from(scope));
        });
        app.signed_in("acc1@domain1.com").with_auxiliary(&token)
    };
    let connection = "/v1/connections/01900000-0000-7000-8000-000000000001";
    for (method, path, has, lacks) in [
        (
            Method::POST,
            "/v1/connections",
            "Connections.Read",
            "Connections.ReadWrite",
        ),
        (
            Method::DELETE,
            connection,
            "Connections.Read",
            "Connections.ReadWrite",
        ),
        (Method::GET, "/v1/connections", "openid", "Connections.Read"),
        (Method::GET, connection, "openid", "Connections.Read"),
    ] {
        let portal = participant(has);
        let mut call = portal.call(method.clone(), path);
        if method == Method::POST {
            call = call.json(&request("telemetry"));
        }
        let answer = portal.send(call).await;
        answer.is_problem(403, "insufficientScope");
        assert!(answer.text("/detail").contains(how_to::DOMAIN2));
        assert!(answer.text("/detail").ends_with(lacks), "{}", answer.body);
    }
    assert_eq!((app.calls_at_arm(), app.exchanges().len()), (0, 0));
    app.assert_untouched(1).await;
    app.finish().await;
}
