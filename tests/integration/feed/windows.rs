//! Reads of a feed of which little concerns the caller.

use azure_emulator::how_to;
use serde_json::{Value, json};

use super::export::exported;
use super::{auditor, ids, numbered, one, run};
use crate::support::{App, Portal, connect, request};

/// Adds events of nobody who reads here, with positions, as many as make several windows of each size.
async fn add_foreign(app: &App) {
    numbered(app).await;
    app.as_owner(
        "select pg_advisory_xact_lock(x'66656564'::bigint);
         insert into ledger_events (id, occurred_at, kind, connection_id, tenant_ids, details)
         select gen_random_uuid(), now(), 'create.refused', gen_random_uuid(), array[gen_random_uuid()], '{}'
         from generate_series(1, 25000);
         insert into feed (epoch, position, event_sequence, event_occurred_at, connection_id, hash, hash_version)
         select f.epoch, (select count(*) from feed) + row_number() over (order by e.sequence), e.sequence, e.occurred_at,
            e.connection_id, sha256(''), 1
         from ledger_events e, feed_epochs f where not exists (select from feed n where n.event_sequence = e.sequence)",
    )
    .await;
}

/// Reads on until a response has events; returns them and the number of responses.
async fn read_on(portal: &Portal, query: &str, mut cursor: String) -> (Vec<Value>, usize) {
    for count in 1..100 {
        let answer = portal.get(&format!("/v1/events?{query}&after={cursor}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let events = answer.body["value"].as_array().expect("events").clone();
        if !events.is_empty() {
            return (events, count);
        }
        assert_eq!(answer.body["isAtHead"], false);
        assert_ne!(cursor, answer.text("/cursor"), "it came no further");
        answer.text("/cursor").clone_into(&mut cursor);
    }
    panic!("no events came");
}

#[tokio::test]
async fn an_event_behind_many_of_others_is_found_in_either_format() {
    let app = App::hurried().await;
    let mut db = connect(&app.database.serving_url).await;
    run(&mut db, &one("before")).await;
    let portal = auditor(&app);
    add_foreign(&app).await;
    run(&mut db, &one("behind")).await;
    numbered(&app).await;
    let first = portal.get("/v1/events?limit=1").await;
    assert_eq!(ids(&first), ["before"]);
    let cursor = first.text("/cursor").to_owned();
    let (events, _) = read_on(&portal, "limit=1", cursor.clone()).await;
    assert_eq!(events[0]["event"]["requestId"], "behind");
    let last = events[0]["cursor"].clone();
    // All at once, and in parts of one event.
    let (lines, end) = exported(&portal, &format!("/v1/events?after={cursor}")).await;
    assert_eq!((&lines, &end["isAtHead"]), (&events, &json!(true)));
    let mut after = cursor;
    let (found, end) = loop {
        let (lines, end) = exported(&portal, &format!("/v1/events?limit=1&after={after}")).await;
        if !lines.is_empty() {
            break (lines, end);
        }
        assert_ne!(end["cursor"], json!(after), "it came no further");
        end["cursor"].as_str().expect("a cursor").clone_into(&mut after);
    };
    assert_eq!((&found, &end["cursor"]), (&events, &last));
    app.finish().await;
}

#[tokio::test]
async fn the_own_events_and_those_of_a_connection_are_found_behind_many_of_others() {
    let app = App::start().await;
    let creator = app.how_to_portal();
    let (mut first, mut second) = (request("first"), request("second"));
    first["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    second["source"]["eventHub"]["consumerGroup"] = "cg2".into();
    let created = creator.create(&first).await;
    assert_eq!(created.status, 201, "{}", created.body);
    add_foreign(&app).await;
    let created = creator.create(&second).await;
    assert_eq!(created.status, 201, "{}", created.body);
    numbered(&app).await;
    let second = created.text("/id");
    let participant = app
        .portal()
        .with_token(&app.token("acc2@domain2.com", how_to::DOMAIN2));
    for portal in [app.signed_in("acc1@domain1.com"), participant] {
        let page = portal.get("/v1/events?limit=200").await;
        let events = page.body["value"].as_array().expect("events");
        assert_eq!(events.len(), 3, "{}", page.body);
        let (events, _) = read_on(&portal, "limit=200", page.text("/cursor").to_owned()).await;
        assert_eq!(events.len(), 3);
        let of_second = |entry: &Value| entry["event"]["connectionId"] == second;
        assert!(events.iter().all(of_second), "{events:?}");
        let (lines, end) = exported(&portal, &format!("/v1/events?connection={second}")).await;
        let positions = |entries: &[Value]| -> Vec<Value> {
            entries.iter().map(|entry| entry["position"].clone()).collect()
        };
        assert_eq!(positions(&lines), positions(&events));
        assert_eq!(end["isAtHead"], true);
        let kind = format!("/v1/events?connection={second}&kind=create.succeeded");
        let (lines, _) = exported(&portal, &kind).await;
        assert_eq!(positions(&lines), positions(&events[2..]));
    }
    // Who was never recorded comes to the end at once.
    let stranger = app.signed_in("acc4@domain1.com");
    let (lines, end) = exported(&stranger, "/v1/events?limit=1").await;
    assert_eq!((lines.len(), &end["isAtHead"]), (0, &json!(true)));
    app.finish().await;
}
