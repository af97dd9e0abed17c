//! Claims that ARM or Entra demanded while nobody was there to be told: the operation shows them, and goes on with them.

use azure_emulator::{Effect, Entry, Fault, Host, how_to};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::continue_operation;
use crate::support::{App, request};

/// The claims of an answer's challenge.
fn challenged(answer: &crate::support::Answer) -> Value {
    let header = answer.header("www-authenticate").expect("a challenge");
    let (_, claims) = header.split_once("claims=\"").expect("claims");
    let claims = STANDARD.decode(claims.trim_end_matches('"')).expect("Base64");
    serde_json::from_slice(&claims).expect("JSON")
}

/// A create of acc1's that waits since ARM demands more of their sign-in.
async fn held(app: &App) -> (String, String) {
    app.emulator
        .edit(|world| world.set_writes_need(how_to::DOMAIN1, Some("p1")))
        .expect("a tenant");
    let portal = app.challengeable_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    let operation = created.text("/lastOperation/id");
    let path = format!("/v1/operations/{operation}");
    let waiting = portal
        .wait_for(&path, |body| body["status"] == "awaitingCaller")
        .await;
    let shown: Value = serde_json::from_str(waiting.text("/awaiting/0/claims")).expect("JSON");
    assert_eq!(shown["access_token"]["acrs"]["values"], json!(["p1"]));
    (created.text("/id").to_owned(), operation.to_owned())
}

#[tokio::test]
async fn a_create_that_azure_wants_more_proof_for_goes_on_with_it_and_not_by_a_look() {
    let app = App::hurried().await;
    let (connection, operation) = held(&app).await;
    assert_eq!(app.calls("PUT", "telemetry").len(), 1);
    // However good the tokens are that somebody looks with.
    let better = app.satisfying_portal();
    let path = format!("/v1/operations/{operation}");
    for _ in 0..5 {
        assert_eq!(better.get(&path).await.status, 200);
    }
    // A replica may have claimed it once more for the tokens that it had just given up.
    let waits = |body: &Value| body["status"] == "awaitingCaller";
    better.wait_for(&path, waits).await;
    let same = continue_operation(&app.challengeable_portal(), &operation, None, 20).await;
    same.is_problem(401, "claimsChallenge");
    assert_eq!(app.calls("PUT", "telemetry").len(), 1);

    let ended = continue_operation(&better, &operation, None, 20).await;
    assert_eq!(
        (ended.status, ended.text("/status")),
        (200, "succeeded"),
        "{}",
        ended.body
    );
    assert_eq!(app.calls("PUT", "telemetry").len(), 2);
    let kinds = better.event_kinds(&connection).await;
    assert_eq!(
        kinds,
        [
            "create.intended",
            "create.held",
            "continue.refused",
            "operation.continued",
            "create.repeated",
            "create.accepted",
            "create.succeeded"
        ]
    );
    app.finish().await;
}

#[tokio::test]
async fn another_who_may_create_there_goes_on_with_a_create_in_their_own_name() {
    let app = App::hurried().await;
    let (connection, operation) = held(&app).await;
    let other = app
        .portal()
        .with_token(&app.satisfying_token("acc3@domain1.com", &[]));
    let shown = other.connection(&connection).await;
    let hash = json!({ "requestHash": shown.text("/lastOperation/requestHash") });
    // Who may not list the hub's keys may not create.
    let lacking = app.signed_in("acc5@domain1.com");
    let refused = continue_operation(&lacking, &operation, Some(hash.clone()), 20).await;
    refused.is_problem(403, "accessMissing");
    assert_eq!(refused.text("/missing/0/tenant"), how_to::DOMAIN2);

    let ended = continue_operation(&other, &operation, Some(hash), 20).await;
    assert_eq!(
        (ended.status, ended.text("/status")),
        (200, "succeeded"),
        "{}",
        ended.body
    );
    let puts = app.calls("PUT", "telemetry");
    let who: Vec<Option<&str>> = puts
        .iter()
        .map(|put| put.primary.as_ref().and_then(|token| token.upn.as_deref()))
        .collect();
    // What ARM demands of them, their sign-in has, and it is asked for without another look at them.
    let other = Some("acc3@domain1.com");
    assert_eq!(who, [Some("acc1@domain1.com"), other, other]);
    app.finish().await;
}

#[tokio::test]
async fn a_removal_that_azure_wants_more_proof_for_shows_the_claims_and_goes_on_with_them() {
    let app = App::hurried().await;
    let portal = app.challengeable_portal();
    let created = portal.create(&request("telemetry")).await;
    app.emulator
        .edit(|world| world.set_writes_need(how_to::DOMAIN1, Some("p1")))
        .expect("a tenant");
    let asked = portal.remove_waiting(created.text("/id"), 0).await;
    let operation = asked.text("/lastOperation/id");
    let path = format!("/v1/operations/{operation}");
    let waiting = portal
        .wait_for(&path, |body| body["status"] == "awaitingCaller")
        .await;
    let shown: Value = serde_json::from_str(waiting.text("/awaiting/0/claims")).expect("JSON");
    assert_eq!(shown["access_token"]["acrs"]["values"], json!(["p1"]));
    assert_eq!(waiting.text("/awaiting/0/tenantId"), how_to::DOMAIN1);
    let sent = app.calls("DELETE", "telemetry").len();

    // The same sign-in doesn't do, and the caller is told at once instead of after another try.
    let same = continue_operation(&app.challengeable_portal(), operation, None, 20).await;
    same.is_problem(401, "claimsChallenge");
    assert_eq!(
        challenged(&same)["access_token"]["acrs"],
        shown["access_token"]["acrs"]
    );
    assert_eq!(app.calls("DELETE", "telemetry").len(), sent);

    let better = app
        .portal()
        .with_token(&app.satisfying_token("acc1@domain1.com", &["cp1"]));
    let ended = continue_operation(&better, operation, None, 20).await;
    assert_eq!(
        (ended.status, ended.text("/status")),
        (200, "succeeded"),
        "{}",
        ended.body
    );
    assert_eq!(ended.body["awaiting"][0]["claims"], Value::Null);
    assert_eq!(app.calls("DELETE", "telemetry").len(), sent + 1);
    app.finish().await;
}

#[tokio::test]
async fn a_create_whose_claims_entra_puts_off_goes_on_with_them_no_sooner_than_entra_said() {
    let app = App::hurried().await;
    app.emulator
        .edit(|world| world.set_writes_need(how_to::DOMAIN1, Some("p1")))
        .expect("a tenant");
    // The first exchange is the one before the create; the next one asks for the claims.
    let endpoint = format!("/{}/oauth2/v2.0/token", how_to::DOMAIN1);
    let deferred = Effect::status(429, &[("retry-after", "1")]);
    app.emulator.inject(Fault::entra(&endpoint, deferred).after(1));
    let portal = app.satisfying_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    // Nobody looks at it: its caller's sign-in has what is demanded, and is kept meanwhile.
    app.wait_until("select phase = 'succeeded' from operations").await;
    let entries = app.emulator.journal().entries();
    let mut asked = entries
        .iter()
        .filter(|entry| entry.host == Host::Entra && entry.path().contains(&endpoint));
    let with_claims = |entry: &&Entry| {
        let form = entry.request_body.as_ref();
        form.is_some_and(|form| form["claims"].to_string().contains("acrs"))
    };
    let refused = asked.find(with_claims).expect("Entra was asked for the claims");
    assert_eq!(refused.status, 429);
    let again = asked.clone().next().expect("Entra was asked again");
    assert!(again.at - refused.at >= chrono::TimeDelta::seconds(1));
    let answered = asked.find(with_claims).expect("for the claims too");
    assert_eq!(answered.status, 200);
    let kinds = portal.event_kinds(created.text("/id")).await;
    assert_eq!(
        kinds.last().map(String::as_str),
        Some("create.succeeded"),
        "{kinds:?}"
    );
    assert!(
        !kinds.iter().any(|kind| kind == "operation.continued"),
        "{kinds:?}"
    );
    app.finish().await;
}
