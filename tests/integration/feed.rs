//! The feed: every committed event once and in one order, for those who may see it.

use std::time::Duration;

use azure_emulator::how_to;
use http::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{Answer, App, PATIENCE, Portal, connect, eventually, request};

/// Reads all events of the first tenant.
fn auditor(app: &App) -> Portal {
    auditor_of(app, "acc7@domain1.com", how_to::DOMAIN1)
}

fn auditor_of(app: &App, user: &str, tenant: &str) -> Portal {
    app.portal()
        .with_token(&app.token_with_roles(user, tenant, &["Auditor"]))
}

/// Runs statements as somebody who adds to the ledger beside the service.
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

#[tokio::test]
async fn an_event_that_is_committed_late_comes_after_those_that_were_read_and_none_is_left_out() {
    let app = App::hurried().await;
    let portal = auditor(&app);
    let mut late = connect(&app.database.serving_url).await;
    let mut other = connect(&app.database.serving_url).await;
    run(&mut late, &format!("begin; {}", one("late"))).await;
    run(&mut other, &one("early")).await;
    let first = read(&portal, None).await;
    assert_eq!(ids(&first), ["early"]);
    // One that is rolled back leaves a number that never comes.
    run(
        &mut other,
        &format!("begin; {}; rollback; {}", one("never"), one("next")),
    )
    .await;
    let second = read(&portal, Some(first.text("/cursor"))).await;
    assert_eq!(ids(&second), ["next"]);
    run(&mut late, "commit").await;
    let third = read(&portal, Some(second.text("/cursor"))).await;
    assert_eq!(ids(&third), ["late"]);
    // Who begins later reads the same.
    let whole = read(&portal, None).await;
    assert_eq!(ids(&whole), ["early", "next", "late"]);
    assert_eq!(whole.body["cursor"], third.body["cursor"]);
    assert_eq!(whole.body["value"][2]["cursor"], third.body["cursor"]);
    // Nothing more can come, so nothing is looked for again.
    run(&mut other, &one("last")).await;
    app.wait_until("select numbered_up_to = (select max(sequence) from ledger_events) from feed_epochs")
        .await;
    app.finish().await;
}

#[tokio::test]
async fn several_replicas_give_each_event_one_position_also_when_one_is_killed() {
    const WRITERS: usize = 6;
    const EACH: usize = 40;
    let app =
        App::hurried_with(|config| config.ledger.upkeep.feed_interval = Duration::from_millis(20)).await;
    let (other, mortal) = (app.replica().await, app.mortal().await);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let url = app.database.serving_url.clone();
        writers.spawn(async move {
            let mut db = connect(&url).await;
            for number in 0..EACH {
                let id = format!("{writer}-{number}");
                // Some are rolled back, and some are held for a while.
                let end = match number % 4 {
                    0 => format!("begin; {} rollback; {}", one("never"), one(&id)),
                    1 => format!("begin; {} select pg_sleep(0.03); commit", one(&id)),
                    _ => one(&id),
                };
                run(&mut db, &end).await;
            }
        });
    }
    let (first, second, third) = (auditor(&app), auditor(&app).at(other.address()), auditor(&app));
    let count = WRITERS * EACH;
    let killed = async {
        app.wait_until("select count(*) > 60 from feed").await;
        mortal.kill();
    };
    let (read, again, ..) = tokio::join!(
        read_all(&first, count),
        read_all(&second, count),
        killed,
        writers.join_all()
    );
    let late = read_all(&third, count).await;
    assert_eq!(read, again);
    assert_eq!(read, late);
    let is_dense =
        "select count(*) = max(position) and min(position) = 1 and count(distinct event_sequence) = count(*)
        and count(*) = (select count(*) from ledger_events) and count(distinct hash) = count(*) from feed";
    assert!(app.scalar::<bool>(is_dense).await);
    other.stop().await;
    app.finish().await;
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
async fn a_read_waits_for_events_and_ends_when_the_replica_stops() {
    let mut app = App::hurried().await;
    let portal = auditor(&app);
    let mut db = connect(&app.database.serving_url).await;
    let (waited, ()) = tokio::join!(read(&portal, None), async {
        // It makes no difference whether the read has begun by now.
        run(&mut db, &one("awaited")).await;
    });
    assert_eq!(ids(&waited), ["awaited"]);
    assert_eq!(waited.header("preference-applied"), Some("wait=20"));
    // What others do ends no wait.
    let cursor = waited.text("/cursor").to_owned();
    let stranger = app.signed_in("acc4@domain1.com");
    let path = format!("/v1/events?after={cursor}");
    let call = stranger.call(Method::GET, &path).header("prefer", "wait=2");
    let began = Instant::now();
    let (nothing, ()) = tokio::join!(stranger.send(call), async {
        run(&mut db, &one("of others")).await;
    });
    assert_eq!(ids(&nothing), [""; 0]);
    assert!(began.elapsed() >= Duration::from_secs(2));
    assert_ne!(nothing.text("/cursor"), cursor, "it passed over what others did");
    // Without the preference nothing is waited for.
    let at_once = stranger
        .get(&format!("/v1/events?after={}", nothing.text("/cursor")))
        .await;
    assert_eq!(
        (at_once.status, at_once.header("preference-applied")),
        (200, None)
    );
    let began = Instant::now();
    let cursor = nothing.text("/cursor").to_owned();
    let (ended, ()) = tokio::join!(read(&stranger, Some(&cursor)), app.stop_service());
    assert_eq!(ids(&ended), [""; 0]);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    app.finish().await;
}

#[tokio::test]
async fn the_feed_is_exported_as_lines_each_of_which_can_be_gone_on_from() {
    let app = App::hurried().await;
    let mut db = connect(&app.database.serving_url).await;
    let numbers: Vec<String> = (0..450).map(|number| number.to_string()).collect();
    run(&mut db, &adding(&numbers)).await;
    numbered(&app).await;
    let portal = auditor(&app);
    let export = async |path: &str| {
        let call = portal
            .call(Method::GET, path)
            .header("accept", "application/x-ndjson");
        let (answer, text) = portal.send_for_text(call).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("application/x-ndjson"))
        );
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        lines
    };
    let lines = export("/v1/events").await;
    let exported: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["event"]["requestId"].as_str())
        .collect();
    assert_eq!(exported, numbers);
    let middle = lines[299]["cursor"].as_str().expect("a cursor");
    let rest = export(&format!("/v1/events?after={middle}")).await;
    assert_eq!(rest, lines[300..]);
    let few = export(&format!("/v1/events?after={middle}&limit=7")).await;
    assert_eq!(few, lines[300..307]);
    // The same entries in pages.
    let page = portal.get(&format!("/v1/events?after={middle}&limit=100")).await;
    assert_eq!(page.body["value"], json!(lines[300..400]));
    let next = portal.get(page.text("/nextLink")).await;
    assert_eq!(next.body["value"], json!(lines[400..]));
    app.finish().await;
}

#[tokio::test]
async fn a_cursor_of_another_epoch_is_told_to_begin_anew_and_then_gets_everything() {
    let app = App::hurried().await;
    let portal = auditor(&app);
    let mut db = connect(&app.database.serving_url).await;
    run(&mut db, &adding(&["one".to_owned(), "two".to_owned()])).await;
    let before = read_all(&portal, 2).await;
    let cursor = before[0]["cursor"].as_str().expect("a cursor").to_owned();
    app.as_owner("insert into feed_epochs default values").await;
    let gone = portal.get(&format!("/v1/events?after={cursor}")).await;
    gone.is_problem(410, "feedRestarted");
    assert_eq!(gone.text("/errors/0/pointer"), "after");
    assert!(gone.text("/detail").contains("without `after`"), "{}", gone.body);
    let after = read_all(&portal, 2).await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(
            (&before["event"], &before["position"]),
            (&after["event"], &after["position"])
        );
        assert_ne!(before["cursor"], after["cursor"]);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_parameter_of_the_feed_that_is_wrong_is_named_and_all_are_at_once() {
    let app = App::hurried().await;
    let portal = app.signed_in("acc1@domain1.com");
    for (query, pointers) in [
        ("after=", vec!["after"]),
        ("after=nonsense", vec!["after"]),
        // A token of another list.
        ("after=MTpldmVudHM6NDI", vec!["after"]),
        ("connection=telemetry", vec!["connection"]),
        ("connection=", vec!["connection"]),
        ("kind=create", vec!["kind"]),
        ("limit=0", vec!["limit"]),
        ("limit=201", vec!["limit"]),
        ("limit=many", vec!["limit"]),
        ("from=1", vec!["query"]),
        (
            "after=x&connection=x&kind=x&limit=0",
            vec!["after", "connection", "kind", "limit"],
        ),
    ] {
        let answer = portal.get(&format!("/v1/events?{query}")).await;
        answer.is_problem(400, "invalidRequest");
        let errors = answer.body["errors"].as_array().expect("errors");
        let found: Vec<&str> = errors
            .iter()
            .filter_map(|error| error["pointer"].as_str())
            .collect();
        assert_eq!(found, pointers, "{query}: {}", answer.body);
    }
    let never = "/v1/events?connection=01900000-0000-7000-8000-000000000001";
    portal.get(never).await.is_problem(404, "notFound");
    app.finish().await;
}

#[tokio::test]
async fn a_read_of_an_operation_waits_for_its_end_if_it_says_so() {
    let app = App::hurried().await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let creating = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!(creating.status, 202, "{}", creating.body);
    let path = format!("/v1/operations/{}", creating.text("/lastOperation/id"));
    let running = portal.get(&path).await;
    assert_eq!(
        (running.text("/status"), running.header("preference-applied")),
        ("running", None)
    );
    let call = |wait: &str| portal.call(Method::GET, &path).header("prefer", wait.to_owned());
    let still = portal.send(call("wait=1")).await;
    assert_eq!(
        (still.text("/status"), still.header("preference-applied")),
        ("running", Some("wait=1"))
    );
    assert!(still.header("retry-after").is_some());
    let (ended, ()) = tokio::join!(portal.send(call("wait=20")), async { app.release_operations() });
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    assert_eq!(ended.header("retry-after"), None);
    app.finish().await;
}

#[tokio::test]
async fn a_wait_for_an_operation_ends_when_only_a_caller_can_go_on_with_it() {
    let mut app = App::hurried().await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let creating = portal.create_waiting(&request("telemetry"), 0).await;
    let path = format!("/v1/operations/{}", creating.text("/lastOperation/id"));
    // Another replica has none of its tokens.
    app.stop_service().await;
    app.start_service().await;
    let portal = app.how_to_portal();
    let waiting = eventually(async || {
        let call = portal.call(Method::GET, &path).header("prefer", "wait=10");
        let answer = portal.send(call).await;
        (answer.body["status"] == "awaitingCaller").then_some(answer)
    });
    let began = Instant::now();
    let waiting = waiting.await.expect("it waits for its caller");
    assert_eq!(waiting.status, 200);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    app.release_operations();
    portal.continue_to_end(creating.text("/lastOperation/id")).await;
    app.finish().await;
}
