//! Creates that are refused: the answer names what is wrong, ARM is not written to, and only the ledger knows of it.

use azure_emulator::how_to;
use serde_json::{Value, json};

use crate::support::{Answer, App, Portal, data_connection, request};

/// The how-to's request with one member changed.
fn request_with(pointer: &str, value: impl Into<Value>) -> Value {
    let mut request = request("telemetry");
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
    let parent = request.pointer_mut(parent).expect("its parent");
    parent[member] = value.into();
    request
}

/// The tenants that `missing` names, each with the kind of what is missing.
fn missing(answer: &Answer) -> Vec<(&str, &str)> {
    let items = answer.body["missing"].as_array().map(Vec::as_slice);
    items
        .unwrap_or_default()
        .iter()
        .map(|item| {
            (
                item["tenant"].as_str().expect("a tenant"),
                item["kind"].as_str().expect("a kind"),
            )
        })
        .collect()
}

fn pointers(answer: &Answer) -> Vec<&str> {
    let items = answer.body["errors"].as_array().map(Vec::as_slice);
    let errors = items.unwrap_or_default().iter();
    errors
        .map(|error| error["pointer"].as_str().expect("a pointer"))
        .collect()
}

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
    let app = App::start().await;
    let consent_page = format!(
        "{}{}/v2.0/adminconsent?client_id={}&scope=",
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
        assert!(answer.text("/missing/0/url").starts_with(&consent_page));
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

/// Roles on the groups, so that ARM lets the two accounts see what is not there.
fn see_what_is_missing(app: &App) {
    let group = |id: &str| id.split("/providers/").next().unwrap_or_default().to_owned();
    app.emulator
        .edit(|world| {
            world.assign_role("acc1@domain1.com", "Contributor", &group(how_to::CLUSTER))?;
            world.assign_role("acc2@domain2.com", "Contributor", &group(how_to::NAMESPACE))
        })
        .expect("the groups");
}

#[tokio::test]
async fn a_resource_that_is_not_there_is_named_by_its_member() {
    let app = App::start().await;
    see_what_is_missing(&app);
    let portal = app.how_to_portal();
    let nowhere = "99999999-0000-4000-8000-000000000009";
    let hub = "/source/eventHub/resourceId";
    let cases = [
        (hub, how_to::HUB1.replace("hub1", "hub9"), "hub9"),
        (
            hub,
            how_to::HUB1.replace("ns-domain2", "ns-nowhere"),
            "ns-nowhere",
        ),
        (hub, how_to::HUB1.replace(how_to::SUBSCRIPTION2, nowhere), nowhere),
        ("/source/eventHub/consumerGroup", "cg9".to_owned(), "cg9"),
        (
            "/target/database",
            how_to::DATABASE.replace("adx1", "adx9"),
            "adx9",
        ),
        (
            "/target/database",
            how_to::DATABASE.replace("telemetry", "nothing"),
            "nothing",
        ),
        (
            "/target/database",
            how_to::DATABASE.replace(how_to::SUBSCRIPTION1, nowhere),
            nowhere,
        ),
    ];
    for (count, (pointer, value, word)) in (1..).zip(cases) {
        let answer = portal.create(&request_with(pointer, value)).await;
        answer.is_problem(422, "referenceNotFound");
        assert_eq!(pointers(&answer), [pointer], "{}", answer.body);
        assert!(answer.text("/errors/0/detail").contains(word), "{}", answer.body);
        app.assert_untouched(count).await;
    }
    app.finish().await;
}

#[tokio::test]
async fn several_resources_that_are_not_there_are_told_in_one_answer() {
    let app = App::start().await;
    see_what_is_missing(&app);
    let nowhere = "99999999-0000-4000-8000-000000000009";
    for (from, to) in [
        ("eventhubs/hub1", "eventhubs/hub9"),
        (how_to::SUBSCRIPTION2, nowhere),
    ] {
        let mut body = request_with("/source/eventHub/resourceId", how_to::HUB1.replace(from, to));
        body["target"]["database"] = match to {
            "eventhubs/hub9" => how_to::DATABASE.replace("telemetry", "nothing"),
            _ => how_to::DATABASE.replace(how_to::SUBSCRIPTION1, nowhere),
        }
        .into();
        let answer = app.how_to_portal().create(&body).await;
        answer.is_problem(422, "referenceNotFound");
        assert_eq!(
            pointers(&answer),
            ["/target/database", "/source/eventHub/resourceId"]
        );
    }
    app.assert_untouched(2).await;
    app.finish().await;
}

#[tokio::test]
async fn a_value_outside_the_rules_is_named_by_its_pointer_and_nobody_is_asked() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let cases = [
        ("/name", json!("a/b")),
        ("/name", json!("")),
        ("/name", json!("a".repeat(41))),
        ("/name", json!("telemetry\n")),
        ("/name", json!(7)),
        ("/target/database", json!(how_to::CLUSTER)),
        ("/target/database", json!(how_to::HUB1)),
        ("/target/database", json!(format!("{}/..", how_to::CLUSTER))),
        ("/target/table", json!(" ")),
        ("/target/mapping", json!("a/b")),
        ("/target/dataFormat", json!("RAW")),
        ("/source/eventHub/resourceId", json!(how_to::CLUSTER)),
        ("/source/eventHub/resourceId", json!(how_to::NAMESPACE)),
        ("/source/eventHub/resourceId", json!("hub1")),
        ("/source/eventHub/consumerGroup", json!("$Other")),
        ("/justification", json!("x".repeat(2001))),
        ("/tenantId", json!(how_to::DOMAIN1)),
        ("/target/location", json!("West Europe")),
        ("/source/iotHub", json!({})),
        ("/source/eventHub/compression", json!("GZip")),
    ];
    for (count, (pointer, value)) in (1..).zip(cases) {
        let answer = portal.create(&request_with(pointer, value.clone())).await;
        answer.is_problem(400, "invalidRequest");
        assert_eq!(pointers(&answer), [pointer], "{value}: {}", answer.body);
        app.assert_untouched(count).await;
    }
    assert_eq!(app.calls_at_arm(), 0);
    let pointer: String = app
        .scalar("select details #>> '{pointers,0}' from ledger_events order by sequence limit 1")
        .await;
    assert_eq!(pointer, "/name");
    app.finish().await;
}

#[tokio::test]
async fn a_body_that_is_no_request_at_all_is_refused_for_what_it_is() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let json = "application/json";
    let good = request("telemetry").to_string();
    let cases = [
        (json, "{".to_owned(), 400, "invalidRequest"),
        (json, String::new(), 400, "invalidRequest"),
        (json, "[]".to_owned(), 400, "invalidRequest"),
        (json, format!("{good} {good}"), 400, "invalidRequest"),
        ("text/plain", good.clone(), 415, "unsupportedMediaType"),
        ("", good.clone(), 415, "unsupportedMediaType"),
        (
            json,
            format!("{good}{}", " ".repeat(64 * 1024)),
            413,
            "payloadTooLarge",
        ),
    ];
    for (count, (kind, body, status, code)) in (1..).zip(cases) {
        let mut call = portal.call(reqwest::Method::POST, "/v1/connections").body(body);
        if !kind.is_empty() {
            call = call.header("content-type", kind);
        }
        portal.send(call).await.is_problem(status, code);
        app.assert_untouched(count).await;
    }
    assert_eq!(app.calls_at_arm(), 0);
    app.finish().await;
}

#[tokio::test]
async fn a_name_that_is_taken_at_arm_is_refused_and_what_has_it_stays_as_it_was() {
    let app = App::start().await;
    let theirs = json!({
        "properties": { "eventHubResourceId": how_to::HUB2, "consumerGroup": "cg1" }
    });
    app.emulator
        .edit(|world| world.add_data_connection(&data_connection("telemetry"), &theirs))
        .expect("the database");
    let before = app.at_arm("telemetry").expect("somebody's");
    // Names are the same whatever their case.
    for name in ["telemetry", "TELEMETRY"] {
        let answer = app.how_to_portal().create(&request(name)).await;
        answer.is_problem(409, "nameTaken");
        assert_eq!(pointers(&answer), ["/name"]);
    }
    assert_eq!(app.at_arm("telemetry"), Some(before));
    app.assert_untouched(2).await;
    app.finish().await;
}

#[tokio::test]
async fn a_name_that_another_person_has_recorded_is_refused_in_words_that_tell_nothing_of_them() {
    let mut bodies = Vec::new();
    for owner in ["acc1@domain1.com", "acc3@domain1.com"] {
        let app = App::start().await;
        let mut portal = app.signed_in(owner);
        if owner.starts_with("acc1") {
            portal = portal.with_auxiliary(&app.token("acc2@domain2.com", how_to::DOMAIN2));
        }
        let first = portal.create(&request("telemetry")).await;
        assert_eq!(first.status, 201, "{}", first.body);
        let mut other = request("telemetry");
        other["source"]["eventHub"]["resourceId"] = how_to::HUB2.into();
        let strangers: Vec<Portal> = ["acc4@domain1.com", "acc5@domain1.com", "acc6@domain1.com"]
            .map(|user| app.signed_in(user))
            .into();
        for stranger in strangers {
            for request in [&request("telemetry"), &other] {
                let mut answer = stranger.create(request).await;
                answer.is_problem(409, "connectionExists");
                answer.body["requestId"] = Value::Null;
                bodies.push(answer.body);
            }
        }
        assert_eq!(app.writes().len(), 1);
        assert_eq!(app.refusals().await, 6);
        app.finish().await;
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test]
async fn the_participant_of_a_connection_is_another_person_too() {
    let app = App::start().await;
    let first = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let participant = app
        .portal()
        .with_token(&app.token("acc2@domain2.com", how_to::DOMAIN2))
        .with_auxiliary(&app.token("acc1@domain1.com", how_to::DOMAIN1));
    let answer = participant.create(&request("telemetry")).await;
    answer.is_problem(409, "connectionExists");
    assert!(!answer.body.to_string().contains(first.text("/id")));
    app.finish().await;
}

#[tokio::test]
async fn the_same_person_is_told_which_connection_stands_in_the_way_of_another_configuration() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let first = portal.create(&request("telemetry")).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let mut other = request("telemetry");
    other["target"]["table"] = "Alarms".into();
    let answer = portal.create(&other).await;
    answer.is_problem(409, "connectionExists");
    assert!(answer.text("/detail").contains(first.text("/id")));
    // The same configuration is no conflict: it finds what the first request made.
    let again = portal.create(&request("Telemetry")).await;
    assert_eq!(
        (again.status, again.text("/id")),
        (200, first.text("/id")),
        "{}",
        again.body
    );
    assert_eq!(app.writes().len(), 1);
    assert_eq!(app.refusals().await, 1);
    app.finish().await;
}

#[tokio::test]
async fn a_refusal_stands_in_the_ledger_with_its_reason_and_without_names_tokens_or_texts() {
    let app = App::start().await;
    let mut body = request("telemetry");
    body["justification"] = "a private reason".into();
    let answer = app.signed_in("acc1@domain1.com").create(&body).await;
    answer.is_problem(403, "accessMissing");
    let details: Value = app.scalar("select details from ledger_events").await;
    assert_eq!(details["code"], "accessMissing");
    assert_eq!(details["armId"], data_connection("telemetry").to_lowercase());
    assert_eq!(
        details["missing"],
        json!([{ "tenant": how_to::DOMAIN2, "kind": "token" }])
    );
    let event: String = app.scalar("select e::text from ledger_events e").await;
    for secret in ["acc1", "private reason"] {
        assert!(!event.contains(secret), "{event}");
    }
    let request_id: String = app.scalar("select request_id from ledger_events").await;
    assert_eq!(request_id, answer.text("/requestId"));
    app.finish().await;
}
