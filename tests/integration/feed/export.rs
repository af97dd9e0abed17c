//! The feed as lines.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

use super::{add_numbered, adding, auditor, numbered, run};
use crate::http_edges::clients;
use crate::support::{App, PATIENCE, Portal, connect};

/// The events of an export, and its last line.
pub(super) async fn exported(portal: &Portal, path: &str) -> (Vec<Value>, Value) {
    let call = portal
        .call(Method::GET, path)
        .header("accept", "application/x-ndjson");
    let (answer, text) = portal.send_for_text(call).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/x-ndjson"))
    );
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let end = lines.pop().expect("a last line");
    assert!(end["isAtHead"].is_boolean(), "{end}");
    (lines, end)
}

#[tokio::test]
async fn the_feed_is_exported_as_lines_each_of_which_can_be_gone_on_from() {
    let app = App::hurried().await;
    let mut db = connect(&app.database.serving_url).await;
    let numbers: Vec<String> = (0..450).map(|number| number.to_string()).collect();
    run(&mut db, &adding(&numbers)).await;
    numbered(&app).await;
    let portal = auditor(&app);
    let export = async |path: &str| exported(&portal, path).await;
    let (lines, end) = export("/v1/events").await;
    assert_eq!(end, json!({ "cursor": lines[449]["cursor"], "isAtHead": true }));
    let exported: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["event"]["requestId"].as_str())
        .collect();
    assert_eq!(exported, numbers);
    let middle = lines[299]["cursor"].as_str().expect("a cursor");
    let (rest, _) = export(&format!("/v1/events?after={middle}")).await;
    assert_eq!(rest, lines[300..]);
    let (few, end) = export(&format!("/v1/events?after={middle}&limit=7")).await;
    assert_eq!(few, lines[300..307]);
    assert_eq!(end, json!({ "cursor": lines[306]["cursor"], "isAtHead": false }));
    // The same entries in pages.
    let page = portal.get(&format!("/v1/events?after={middle}&limit=100")).await;
    assert_eq!(page.body["value"], json!(lines[300..400]));
    let next = portal.get(page.text("/nextLink")).await;
    assert_eq!(next.body["value"], json!(lines[400..]));
    app.finish().await;
}

/// More than the system and HTTP/2 hold of a response that is not read.
const LARGE: &str = "insert into ledger_events (id, occurred_at, kind, tenant_ids, request_id, details)
    select gen_random_uuid(), now(), 'create.refused', array['11111111-1111-4111-8111-111111111111']::uuid[],
        repeat('x', 10000), '{}' from generate_series(1, 1500)";

/// Short beside the tests' patience.
const IDLE: Duration = Duration::from_millis(400);

#[tokio::test]
async fn an_export_that_is_read_slowly_is_not_cut_for_idleness() {
    let app = App::hurried_with(|config| config.server.idle_timeout = IDLE).await;
    add_numbered(&app, LARGE).await;
    let portal = auditor(&app);
    for (_, client) in clients() {
        let call = portal
            .call(Method::GET, "/v1/events")
            .header("accept", "application/x-ndjson");
        let answer = client.execute(call.build().expect("a call")).await;
        let mut answer = answer.expect("an answer");
        let (mut text, began, mut pace) = (Vec::new(), Instant::now(), interval(IDLE / 4));
        while let Some(part) = answer.chunk().await.expect("it is not cut") {
            text.extend_from_slice(&part);
            if began.elapsed() < IDLE * 5 {
                pace.tick().await;
            }
        }
        assert!(began.elapsed() >= IDLE * 5);
        let lines = String::from_utf8(text).expect("text");
        assert_eq!(lines.lines().count(), 1501);
        assert!(lines.ends_with("\"isAtHead\":true}\n"));
    }
    app.finish().await;
}

#[tokio::test]
async fn an_export_that_is_not_read_occupies_its_connection_no_longer_than_a_request_may_take() {
    let app = App::hurried_with(|config| {
        config.server.idle_timeout = IDLE;
        config.server.longest_request = Duration::from_secs(3);
    })
    .await;
    add_numbered(&app, LARGE).await;
    let token = app.token_with_roles("acc7@domain1.com", azure_emulator::how_to::DOMAIN1, &["Auditor"]);
    let mut connection = TcpStream::connect(app.address()).await.expect("a connection");
    let call = format!(
        "GET /v1/events HTTP/1.1\r\nhost: tenant-bridge\r\nauthorization: Bearer {token}\r\n\
         accept: application/x-ndjson\r\n\r\n"
    );
    connection.write_all(call.as_bytes()).await.expect("it is sent");
    let began = Instant::now();
    app.wait_for_log("a connection did not read its responses in time", "")
        .await;
    assert!(began.elapsed() >= Duration::from_secs(3), "{:?}", began.elapsed());
    let mut said = Vec::new();
    let _ = timeout(PATIENCE, connection.read_to_end(&mut said))
        .await
        .expect("it is closed");
    assert!(!String::from_utf8_lossy(&said).contains("isAtHead"));
    app.finish().await;
}
