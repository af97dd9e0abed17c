//! Entity tags of connections: what changes them, and reads by callers who already have the connection.

use azure_emulator::how_to;
use http::Method;
use serde_json::Value;

use crate::support::{Answer, App, Portal, request};

/// The tag of an answer: strong, of a version and 8 hexadecimal digits.
#[track_caller]
fn tag(answer: &Answer) -> String {
    let tag = answer.header("etag").expect("an entity tag");
    let inside = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let (version, standing) = inside.and_then(|tag| tag.split_once('-')).expect(tag);
    assert!(version.parse::<u32>().is_ok() && standing.len() == 8, "{tag}");
    let is_hex = |digit: char| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase();
    assert!(standing.chars().all(is_hex), "{tag}");
    tag.to_owned()
}

fn version(tag: &str) -> &str {
    tag.split('-').next().expect("a first part")
}

async fn read_with(portal: &Portal, method: Method, path: &str, tags: &[&str]) -> Answer {
    let call = portal.call(method, path);
    let call = tags
        .iter()
        .fold(call, |call, tags| call.header("if-none-match", *tags));
    portal.send(call).await
}

#[tokio::test]
async fn a_connection_keeps_its_tag_until_something_changes_that_its_reader_would_want_to_know() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = created.text("/id");
    let active = tag(&created);
    assert_eq!(tag(&portal.connection(id).await), active);
    assert_eq!(tag(&portal.create(&request("telemetry")).await), active);
    // The time of the last look at Azure is no change.
    app.as_owner("update connections set observed_at = observed_at + interval '1 minute'")
        .await;
    let later = portal.connection(id).await;
    assert_ne!(later.body["observedAt"], created.body["observedAt"]);
    assert_eq!(tag(&later), active);

    let removed = portal.remove(id).await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    let gone = tag(&removed);
    assert_ne!(gone, active);
    // No new configuration, and nothing found.
    assert_eq!(version(&gone), version(&active));
    assert_eq!(tag(&portal.connection(id).await), gone);
    app.finish().await;
}

#[tokio::test]
async fn a_change_under_way_has_a_tag_of_its_own_at_each_step() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.hold_operations();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    let creating = tag(&created);
    app.wait_for_calls("PUT", "telemetry", 1).await;
    app.release_operations();
    let active = portal
        .wait_for(&format!("/v1/connections/{}", created.text("/id")), |body| {
            body["state"] == "active"
        })
        .await;
    assert_ne!(tag(&active), creating);
    assert_eq!(version(&tag(&active)), version(&creating));
    app.hold_operations();
    let removing = portal.remove_waiting(created.text("/id"), 0).await;
    assert_eq!(removing.status, 202, "{}", removing.body);
    assert_ne!(tag(&removing), tag(&active));
    app.wait_for_calls("DELETE", "telemetry", 1).await;
    app.release_operations();
    portal.follow(removing.text("/lastOperation/id")).await;
    app.finish().await;
}

#[tokio::test]
async fn who_has_the_connection_as_it_stands_is_told_so_without_a_body() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let path = format!("/v1/connections/{}", created.text("/id"));
    let active = tag(&created);
    let weak = format!("W/{active}");
    for tags in [
        &[active.as_str()][..],
        &[&weak],
        &["\"another\"", &active],
        &["*"],
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = read_with(&portal, method, &path, tags).await;
            assert_eq!((answer.status, &answer.body), (304, &Value::Null), "{tags:?}");
            assert_eq!(answer.header("etag"), Some(active.as_str()));
            assert_eq!(answer.header("cache-control"), Some("private, no-store"));
            assert!(answer.header("x-request-id").is_some());
            // Nothing that speaks of a body of its own (RFC 9110, sections 8.6 and 15.4.5).
            assert_eq!(answer.header("content-length"), None);
            assert_eq!(answer.header("content-type"), None);
        }
    }
    for tags in [&["\"another\""][..], &["another", &active], &[]] {
        let answer = read_with(&portal, Method::GET, &path, tags).await;
        assert_eq!(
            (answer.status, answer.text("/state")),
            (200, "active"),
            "{tags:?}"
        );
        assert_eq!(tag(&answer), active);
    }
    portal.remove(created.text("/id")).await;
    let answer = read_with(&portal, Method::GET, &path, &[&active]).await;
    assert_eq!((answer.status, answer.text("/state")), (200, "removed"));
    app.finish().await;
}

#[tokio::test]
async fn a_tag_opens_nothing_and_tells_apart_who_is_shown_the_justification() {
    let app = App::start().await;
    let mut body = request("telemetry");
    body["justification"] = "for the forecast".into();
    let created = app.how_to_portal().create(&body).await;
    let path = format!("/v1/connections/{}", created.text("/id"));
    let stranger = app.signed_in("acc4@domain1.com");
    for tags in [tag(&created), "*".to_owned()] {
        let answer = read_with(&stranger, Method::GET, &path, &[&tags]).await;
        answer.is_problem(404, "notFound");
        assert_eq!(answer.header("etag"), None);
    }
    let participant = app
        .portal()
        .with_token(&app.token("acc2@domain2.com", how_to::DOMAIN2));
    let shown = participant.get(&path).await;
    assert_eq!(shown.body["justification"], Value::Null);
    assert_ne!(tag(&shown), tag(&created));
    assert_eq!(version(&tag(&shown)), version(&tag(&created)));
    app.finish().await;
}
