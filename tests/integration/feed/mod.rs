//! The feed: every committed event once and in one order, for those who may see it.

mod cursors;
mod export;
mod numbering;
mod waits;
mod windows;

use azure_emulator::how_to;
use http::Method;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::Instant;

use crate::support::{Answer, App, PATIENCE, Portal, request};

/// Reads all events of the first tenant.
fn auditor(app: &App) -> Portal {
    auditor_of(app, "acc7@domain1.com", how_to::DOMAIN1)
}

fn auditor_of(app: &App, user: &str, tenant: &str) -> Portal {
    app.portal()
        .with_token(&app.token_with_roles(user, tenant, &["Auditor"]))
}

/// Runs statements as another writer of the ledger beside the service.
async fn run(db: &mut PgConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
        .execute(db)
        .await
        .expect("the serving role may");
}

/// Adds events of the first tenant, with these request ids.
fn adding(ids: &[String]) -> String {
    let rows: Vec<String> = ids
        .iter()
        .map(|id| {
            format!(
                "(gen_random_uuid(), now(), 'create.refused', '{id}', array['{}']::uuid[], '{{}}')",
                how_to::DOMAIN1
            )
        })
        .collect();
    format!(
        "insert into ledger_events (id, occurred_at, kind, request_id, tenant_ids, details) values {};",
        rows.join(", ")
    )
}

fn one(id: &str) -> String {
    adding(&[id.to_owned()])
}

/// The request ids of a response's events.
fn ids(answer: &Answer) -> Vec<String> {
    let events = answer.body["value"].as_array().expect("events");
    let id = |entry: &Value| {
        entry["event"]["requestId"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    events.iter().map(id).collect()
}

/// Reads what comes after a cursor, and waits for it.
async fn read(portal: &Portal, cursor: Option<&str>) -> Answer {
    let path = cursor.map_or_else(
        || "/v1/events?limit=200".to_owned(),
        |cursor| format!("/v1/events?limit=200&after={cursor}"),
    );
    let call = portal.call(Method::GET, &path).header("prefer", "wait=20");
    let answer = portal.send(call).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// Reads so many events.
async fn read_all(portal: &Portal, count: usize) -> Vec<Value> {
    let (mut events, mut cursor) = (Vec::new(), None);
    let deadline = Instant::now() + PATIENCE;
    while events.len() < count && Instant::now() < deadline {
        let answer = read(portal, cursor.as_deref()).await;
        events.extend(answer.body["value"].as_array().expect("events").clone());
        cursor = Some(answer.text("/cursor").to_owned());
    }
    assert_eq!(events.len(), count);
    events
}

/// The kinds of the events that a portal reads, and how many of them have the hash of a justification.
async fn seen(portal: &Portal, query: &str) -> (Vec<String>, usize) {
    let answer = portal.get(&format!("/v1/events{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let events = answer.body["value"].as_array().expect("events");
    let kind = |entry: &Value| entry["event"]["kind"].as_str().unwrap_or_default().to_owned();
    let is_told = |entry: &&Value| !entry["event"]["details"]["justificationHash"].is_null();
    (
        events.iter().map(kind).collect(),
        events.iter().filter(is_told).count(),
    )
}

/// Adds events by a statement, with positions, as the sequencer does but without its notification.
async fn add_numbered(app: &App, statement: &str) {
    app.as_owner(&format!(
        "select pg_advisory_xact_lock(x'66656564'::bigint);
         {statement};
         insert into feed (epoch, position, event_sequence, event_occurred_at, connection_id, hash, hash_version)
         select f.epoch, (select count(*) from feed) + row_number() over (order by e.sequence), e.sequence, e.occurred_at,
            e.connection_id, sha256(''), 1
         from ledger_events e, feed_epochs f where not exists (select from feed n where n.event_sequence = e.sequence)"
    ))
    .await;
}

/// Waits until every event has a position.
async fn numbered(app: &App) {
    app.wait_until("select (select count(*) from feed) = (select count(*) from ledger_events)")
        .await;
}

#[tokio::test]
async fn each_caller_reads_the_events_that_they_may_see_redacted_for_their_side() {
    let app = App::start().await;
    let mut wanted = request("telemetry");
    wanted["justification"] = "for the forecast".into();
    let created = app.how_to_portal().create(&wanted).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = created.text("/id");
    numbered(&app).await;
    let kinds = ["create.intended", "create.accepted", "create.succeeded"]
        .map(str::to_owned)
        .to_vec();
    let participant = app
        .portal()
        .with_token(&app.token("acc2@domain2.com", how_to::DOMAIN2));
    let of_source = auditor_of(&app, "acc8@domain2.com", how_to::DOMAIN2);
    for (portal, told) in [
        (app.signed_in("acc1@domain1.com"), 1),
        (auditor(&app), 1),
        (participant, 0),
        (of_source, 0),
    ] {
        for query in [String::new(), format!("?connection={id}")] {
            assert_eq!(seen(&portal, &query).await, (kinds.clone(), told), "{query}");
        }
        let events = portal.get(&format!("/v1/connections/{id}/events")).await;
        let hash = &events.body["value"][0]["details"]["justificationHash"];
        assert_eq!(usize::from(!hash.is_null()), told, "{}", events.body);
        let one = seen(&portal, "?kind=create.accepted").await;
        assert_eq!(one.0, ["create.accepted"]);
        let one = seen(&portal, &format!("?kind=create.accepted&connection={id}")).await;
        assert_eq!(one.0, ["create.accepted"]);
    }
    // The tokens of others never widen what the actor sees.
    let stranger = app
        .portal()
        .with_token(&app.token_with_roles("acc4@domain1.com", how_to::DOMAIN1, &[]))
        .with_auxiliary(&app.token("acc2@domain2.com", how_to::DOMAIN2));
    assert_eq!(seen(&stranger, "").await.0, [""; 0]);
    let hidden = stranger.get(&format!("/v1/events?connection={id}")).await;
    hidden.is_problem(404, "notFound");
    // Whom Azure lets read the data connection sees its events, but not among their own.
    let reader = app.signed_in("acc3@domain1.com");
    assert_eq!(seen(&reader, "").await.0, [""; 0]);
    assert_eq!(seen(&reader, &format!("?connection={id}")).await, (kinds, 1));
    app.finish().await;
}

#[tokio::test]
async fn an_event_of_a_kind_that_a_newer_version_wrote_is_read_like_any_other() {
    let app = App::hurried().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    let id = created.text("/id");
    app.as_owner(&format!(
        "insert into ledger_events (id, occurred_at, kind, connection_id, tenant_ids, details)
         values (gen_random_uuid(), now(), 'update.intended', '{id}', array['{}']::uuid[], '{{}}')",
        how_to::DOMAIN1
    ))
    .await;
    numbered(&app).await;
    for portal in [auditor(&app), app.signed_in("acc1@domain1.com")] {
        for query in [String::new(), format!("?connection={id}")] {
            let kinds = seen(&portal, &query).await.0;
            assert_eq!(
                kinds.last().map(String::as_str),
                Some("update.intended"),
                "{query}"
            );
        }
        let kinds = portal.event_kinds(id).await;
        assert_eq!(kinds.last().map(String::as_str), Some("update.intended"));
    }
    app.finish().await;
}
