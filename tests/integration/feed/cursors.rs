//! Cursors and the other parameters of the feed.

use azure_emulator::how_to;

use super::{adding, auditor, read_all, run};
use crate::support::{App, connect, request};

#[tokio::test]
async fn a_cursor_of_another_epoch_is_gone_and_a_read_from_the_beginning_gets_everything() {
    let app = App::hurried().await;
    let portal = auditor(&app);
    let mut db = connect(&app.database.serving_url).await;
    run(&mut db, &adding(&["one".to_owned(), "two".to_owned()])).await;
    let before = read_all(&portal, 2).await;
    let cursor = before[0]["cursor"].as_str().expect("a cursor").to_owned();
    // Later than all that there were, also if a clock was wrong.
    app.as_owner("insert into feed_epochs (epoch) values (9000000000000000); select begin_feed_epoch()")
        .await;
    assert_eq!(
        app.scalar::<i64>("select max(epoch) from feed_epochs").await,
        9_000_000_000_000_001
    );
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
async fn a_cursor_continues_the_reads_of_the_same_person_role_and_filter_only() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    let id = created.text("/id");
    let plain = app
        .portal()
        .with_token(&app.token_with_roles("acc7@domain1.com", how_to::DOMAIN1, &[]));
    let (portal, other) = (auditor(&app), app.signed_in("acc1@domain1.com"));
    let cursor = async |query: &str| {
        let answer = portal.get(&format!("/v1/events{query}")).await;
        answer.text("/cursor").to_owned()
    };
    let (all, one) = (cursor("").await, cursor(&format!("?connection={id}")).await);
    let other_kind = cursor("?kind=create.failed").await;
    for (reader, query) in [
        (&plain, format!("?after={all}")),
        (&other, format!("?after={all}")),
        (&portal, format!("?after={all}&kind=create.failed")),
        (&portal, format!("?after={all}&connection={id}")),
        (&portal, format!("?after={one}")),
        (&portal, format!("?after={other_kind}&kind=create.accepted")),
    ] {
        let answer = reader.get(&format!("/v1/events{query}")).await;
        answer.is_problem(400, "invalidRequest");
        assert_eq!(answer.text("/errors/0/pointer"), "after", "{query}");
    }
    for query in [
        format!("?after={all}"),
        format!("?after={one}&connection={id}"),
        format!("?after={other_kind}&kind=create.failed"),
        format!("?after={all}&limit=3"),
    ] {
        let answer = portal.get(&format!("/v1/events{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
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
