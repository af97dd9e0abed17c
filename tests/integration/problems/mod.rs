//! The problems of the API, held against its document: every code that an operation is said to answer with is provoked there,
//! with its status, and none comes that isn't said.

mod anothers;
mod documented;
mod provoked;

use std::collections::BTreeSet;
use std::time::Duration;

use azure_emulator::{Effect, Fault, FaultAnswer, FaultBody, how_to};

use crate::support::{App, Portal, Stalled, allowing, claims_challenge, migrated, own_server, request};
use documented::documented;
use provoked::{Calls, Provoked};

/// What the document says and no request can bring about at will, and why.
const OUT_OF_REACH: [(&str, &str); 2] = [
    // Only when another change begins between two statements of this one.
    ("removeConnection", "changeInProgress"),
    ("continueOperation", "changeInProgress"),
];

/// A user's portal that declares that it can answer a claims challenge.
fn capable(app: &App, user: &str) -> Portal {
    let token = app.odd_token(user, how_to::DOMAIN1, |token| {
        token.overrides.client_capabilities = vec!["cp1".to_owned()];
    });
    app.portal().with_token(&token)
}

fn with_scope(app: &App, user: &str, scope: &str) -> Portal {
    let token = app.odd_token(user, how_to::DOMAIN1, |token| {
        token.scopes = Vec::new();
        let claims = &mut token.overrides.extra_claims;
        claims.insert("scp".to_owned(), scope.into());
    });
    app.portal().with_token(&token)
}

/// Every call to ARM is answered like this from now on.
fn arm_answers(app: &App, effect: Effect) {
    app.emulator.clear_faults();
    app.emulator.inject(Fault::arm("", effect).always());
}

/// ARM wants more proof of the caller.
fn arm_challenges(app: &App) {
    arm_answers(app, claims_challenge());
}

/// What is wrong with a token, or lacks beside it, each operation says in the same words.
async fn tokens(app: &App, calls: &Calls, provoked: &mut Provoked) {
    let actor = app.signed_in("acc1@domain1.com");
    provoked.all(calls, &app.portal(), 401, "unauthenticated").await;
    provoked
        .all(calls, &app.portal().with_token("a.b.c"), 401, "invalidToken")
        .await;
    let basic = actor.with_auxiliary("a.b.c, Basic d");
    provoked.all(calls, &basic, 400, "auxiliaryTokens").await;
    let large = actor.with_auxiliary(&"x".repeat(96 * 1024));
    provoked.all(calls, &large, 431, "headersTooLarge").await;
    provoked.with_unknown_parameter(calls, &actor).await;
    let lacking = with_scope(app, "acc1@domain1.com", "Connections.Other");
    provoked.all(calls, &lacking, 403, "insufficientScope").await;
}

/// What Azure answers to a caller for whom it has to be asked.
async fn upstream(app: &App, calls: &Calls, provoked: &mut Provoked) {
    let garbage = FaultAnswer {
        status: 200,
        body: FaultBody::Text("<html>".to_owned()),
        ..FaultAnswer::default()
    };
    // Who made it needs no look at ARM to see it, but to change it; all others are seen through ARM alone.
    let (actor, reader) = ("acc3@domain1.com", "acc6@domain1.com");
    arm_challenges(app);
    provoked
        .reads(calls, &capable(app, reader), 401, "claimsChallenge")
        .await;
    provoked
        .writes(calls, &capable(app, actor), 401, "claimsChallenge")
        .await;
    provoked
        .reads(calls, &app.signed_in(reader), 403, "accessMissing")
        .await;
    provoked
        .writes(calls, &app.signed_in(actor), 403, "accessMissing")
        .await;
    for (effect, status, code) in [
        (Effect::status(503, &[]), 503, "upstreamUnavailable"),
        (Effect::Answer(garbage), 503, "upstreamUnavailable"),
    ] {
        arm_answers(app, effect);
        provoked.reads(calls, &app.signed_in(reader), status, code).await;
        provoked.writes(calls, &app.signed_in(actor), status, code).await;
    }
    app.emulator.clear_faults();
    let secret = serde_json::json!({ "error": "invalid_client", "error_codes": [7_000_222] });
    app.emulator
        .inject(Fault::entra("/token", Effect::json(401, secret)).always());
    let refused = "upstreamRefused";
    provoked.reads(calls, &app.signed_in(reader), 502, refused).await;
    provoked.writes(calls, &app.signed_in(actor), 502, refused).await;
    let malformed = serde_json::json!({ "error": { "code": "InvalidApiVersionParameter" } });
    arm_answers(app, Effect::json(400, malformed));
    provoked
        .writes(calls, &app.signed_in(actor), 403, "azureRefused")
        .await;
    app.emulator.clear_faults();
}

/// What is wrong with a request itself.
async fn requests(app: &App, calls: &Calls, provoked: &mut Provoked) {
    let portal = app.signed_in("acc3@domain1.com");
    let create = |body: &serde_json::Value| portal.call(http::Method::POST, "/v1/connections").json(body);
    let mut body = request("another");
    body["more"] = 1.into();
    let invalid = portal.send(create(&body)).await;
    provoked.one("createConnection", &invalid, 400, "invalidRequest");
    let text = portal.call(http::Method::POST, "/v1/connections").body("{}");
    let answer = portal.send(text).await;
    provoked.one("createConnection", &answer, 415, "unsupportedMediaType");
    body["justification"] = "x".repeat(70_000).into();
    let answer = portal.send(create(&body)).await;
    provoked.one("createConnection", &answer, 413, "payloadTooLarge");
    let change = |pointer: &str, value: &str| {
        let mut body = request("another");
        *body.pointer_mut(pointer).expect("a member") = value.into();
        body
    };
    let foreign = change("/source/eventHub/resourceId", how_to::FOREIGN_HUB);
    let answer = portal.create(&foreign).await;
    provoked.one("createConnection", &answer, 403, "tenantNotAllowed");
    let absent = change("/source/eventHub/consumerGroup", "nobody");
    let answer = portal.create(&absent).await;
    provoked.one("createConnection", &answer, 422, "referenceNotFound");
    app.emulator
        .edit(|world| {
            let body = serde_json::json!({ "kind": "EventHub", "location": "West Europe", "properties": {
                "eventHubResourceId": how_to::HUB2, "consumerGroup": "cg1", "compression": "None"
            } });
            world.add_data_connection(&crate::support::data_connection("taken"), &body)
        })
        .expect("a data connection");
    let answer = portal.create(&request("taken")).await;
    provoked.one("createConnection", &answer, 409, "nameTaken");
    let answer = app.how_to_portal().create(&request("telemetry")).await;
    provoked.one("createConnection", &answer, 409, "connectionExists");
    for (operation, path) in [
        ("listConnections", "/v1/connections?limit=0".to_owned()),
        ("listConnectionEvents", format!("{}?limit=0", calls.events)),
        ("listEvents", "/v1/events?limit=0".to_owned()),
    ] {
        let answer = portal.get(&path).await;
        provoked.one(operation, &answer, 400, "invalidRequest");
    }
    let page = portal.get("/v1/events").await;
    let cursor = page.text("/cursor");
    app.as_owner("select begin_feed_epoch()").await;
    let answer = portal.get(&format!("/v1/events?after={cursor}")).await;
    provoked.one("listEvents", &answer, 410, "feedRestarted");
    let keyed = |call: reqwest::RequestBuilder, key: &str| portal.send(call.header("idempotency-key", key));
    let made = keyed(create(&request("telemetry")), "a-key").await;
    assert_eq!(made.status, 200, "{}", made.body);
    let answer = keyed(create(&request("another")), "a-key").await;
    provoked.one("createConnection", &answer, 422, "idempotencyKeyReused");
    provoked.under_a_condition(calls, &portal).await;
    provoked.nowhere(&portal).await;
}

/// What is wrong with a request to go on with the operation that waits.
async fn going_on(app: &App, calls: &Calls, provoked: &mut Provoked) {
    let (theirs, others) = (
        app.signed_in("acc3@domain1.com"),
        app.signed_in("acc5@domain1.com"),
    );
    let call =
        |portal: &Portal, body: serde_json::Value| portal.call(http::Method::POST, &calls.go_on).json(&body);
    let hash = |text: &str| serde_json::json!({ "requestHash": text });
    for (portal, body, status, code) in [
        (&theirs, hash("short"), 400, "invalidRequest"),
        (&theirs, hash(&"x".repeat(70_000)), 413, "payloadTooLarge"),
        (&others, serde_json::json!({}), 403, "requestHashMissing"),
        (&others, hash(&"0".repeat(64)), 409, "requestHashDiffers"),
    ] {
        let answer = portal.send(call(portal, body)).await;
        provoked.one("continueOperation", &answer, status, code);
    }
    let text = theirs.call(http::Method::POST, &calls.go_on).body("{}");
    let answer = theirs.send(text).await;
    provoked.one("continueOperation", &answer, 415, "unsupportedMediaType");
    app.emulator
        .edit(|world| world.remove_consumer_group(how_to::HUB1, "cg2"))
        .expect("a consumer group");
    let answer = theirs.send(theirs.call(http::Method::POST, &calls.go_on)).await;
    provoked.one("continueOperation", &answer, 422, "referenceNotFound");
    let keyed = theirs.keyed("a-key");
    let ended = format!("{}/continue", calls.operation);
    let answer = keyed.send(keyed.call(http::Method::POST, &ended)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let another = keyed
        .call(http::Method::POST, &ended)
        .json(&hash(&"0".repeat(64)));
    let answer = keyed.send(another).await;
    provoked.one("continueOperation", &answer, 422, "idempotencyKeyReused");
}

/// A connection whose create waits for a token of its requester, as after a crash.
async fn waiting(app: &App, portal: &Portal) -> crate::support::Answer {
    let mut wanted = request("waiting");
    wanted["source"]["eventHub"]["consumerGroup"] = "cg2".into();
    let waiting = portal.create(&wanted).await;
    assert_eq!(waiting.status, 201, "{}", waiting.body);
    app.as_owner(&format!(
        "update operations set phase = 'queued', awaiting_tenant_id = '{}', due_at = now() + interval '1 day',
            deadline_at = now() + interval '1 day' where id = '{}'",
        how_to::DOMAIN1,
        waiting.text("/lastOperation/id")
    ))
    .await;
    waiting
}

/// What services with other settings answer.
async fn differently(app: &App, calls: &Calls, created: &crate::support::Answer, provoked: &mut Provoked) {
    // A service without patience, and an ARM that takes its time.
    let hasty = app
        .start_another(|config| config.server.longest_request = Duration::from_millis(100))
        .await
        .expect("a replica");
    arm_answers(app, Effect::Delay(Duration::from_secs(2)));
    let there = |user: &str| app.signed_in(user).at(hasty.address());
    provoked
        .reads(calls, &there("acc6@domain1.com"), 503, "timeout")
        .await;
    provoked
        .writes(calls, &there("acc3@domain1.com"), 503, "timeout")
        .await;
    app.emulator.clear_faults();
    hasty.stop().await;

    let full = app
        .start_another(|config| config.server.max_requests = 0)
        .await
        .expect("a replica");
    let there = app.signed_in("acc3@domain1.com").at(full.address());
    provoked.all(calls, &there, 503, "overloaded").await;
    full.stop().await;

    let often = app
        .start_another(|config| config.limits.per_person = 1)
        .await
        .expect("a replica");
    let there = app.signed_in("acc3@domain1.com").at(often.address());
    assert_eq!(there.get("/v1/connections").await.status, 200);
    provoked.all(calls, &there, 429, "tooManyRequests").await;
    often.stop().await;

    let strict = app
        .start_another(|config| config.server.body_timeout = Duration::from_millis(50))
        .await
        .expect("a replica");
    let token = app.token("acc3@domain1.com", how_to::DOMAIN1);
    for (operation, path) in [
        ("createConnection", "/v1/connections"),
        ("continueOperation", &calls.go_on),
    ] {
        let mut connection = Stalled::connect(strict.address(), http::Version::HTTP_11).await;
        let never = Box::pin(futures_util::stream::pending());
        let answer = connection.send(&http::Method::POST, path, &token, never).await;
        provoked.one(operation, &answer, 408, "requestTimeout");
    }
    strict.stop().await;

    let narrow = app
        .start_another(|config| config.tenants = allowing(&[], &[how_to::DOMAIN2]))
        .await
        .expect("a replica");
    let portal = app.signed_in("acc3@domain1.com").at(narrow.address());
    let answer = portal.remove(created.text("/id")).await;
    provoked.one("removeConnection", &answer, 403, "tenantNotAllowed");
    let call = portal.call(http::Method::POST, &calls.go_on);
    let answer = portal.send(call).await;
    provoked.one("continueOperation", &answer, 403, "tenantNotAllowed");
    narrow.stop().await;
}

#[tokio::test]
async fn each_operation_answers_with_the_problems_that_the_document_names_and_no_others() {
    let server = own_server().await;
    let app = App::on(migrated(&server).await, |config| {
        // Each look at ARM is a new one.
        config.visibility.granted_for = Duration::from_nanos(1);
        config.visibility.denied_for = Duration::from_nanos(1);
        config.database.pool.acquire_timeout = Duration::from_secs(1);
    })
    .await;
    let portal = app.signed_in("acc3@domain1.com");
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let calls = Calls::of(&created, &waiting(&app, &portal).await);
    let mut provoked = Provoked::default();
    tokens(&app, &calls, &mut provoked).await;
    requests(&app, &calls, &mut provoked).await;
    going_on(&app, &calls, &mut provoked).await;
    upstream(&app, &calls, &mut provoked).await;

    differently(&app, &calls, &created, &mut provoked).await;
    anothers::anothers(&app, &mut provoked).await;
    app.as_owner("alter table people rename to mislaid").await;
    provoked.all(&calls, &portal, 500, "internal").await;
    app.as_owner("alter table mislaid rename to people").await;

    server.suspend().await.expect("it stops");
    provoked.all(&calls, &portal, 503, "databaseUnavailable").await;
    server.resume().await.expect("it starts");

    // While it is being removed it can't be made anew.
    app.hold_operations();
    let removing = portal.remove_waiting(created.text("/id"), 0).await;
    assert_eq!(removing.status, 202, "{}", removing.body);
    let answer = portal.create(&request("telemetry")).await;
    provoked.one("createConnection", &answer, 409, "changeInProgress");
    assert!(answer.header("retry-after").is_some());
    app.release_operations();
    portal.follow(removing.text("/lastOperation/id")).await;

    app.as_owner(
        "update operations set phase = 'succeeded', awaiting_tenant_id = null where phase = 'queued'",
    )
    .await;
    let mut known = provoked.codes();
    known.extend(OUT_OF_REACH.map(|(operation, code)| (operation.to_owned(), status(code), code.to_owned())));
    let documented = documented();
    let difference =
        |one: &BTreeSet<_>, other: &BTreeSet<_>| one.difference(other).cloned().collect::<Vec<_>>();
    assert_eq!(
        difference(&documented, &known),
        [],
        "the document names problems that nothing provoked"
    );
    assert_eq!(
        difference(&known, &documented),
        [],
        "problems came that the document does not name"
    );
    app.finish().await;
    server.stop().await.expect("it ends");
}

fn status(code: &str) -> u16 {
    match code {
        "changeInProgress" => 409,
        other => panic!("which status has {other}?"),
    }
}
