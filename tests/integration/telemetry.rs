//! What the running program says of itself to the operator's other systems: metrics and traces, and nothing in them that they
//! are not to know.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use azure_emulator::{Entry, how_to};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::support::{App, Collector, PATIENCE, Portal, holds, request};

/// The samples of a text of Prometheus: each series with its labels, as `(name, labels, value)`.
fn samples(text: &str) -> Vec<(String, BTreeMap<String, String>, f64)> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let labels = labels.strip_suffix('}').expect("an end");
            // No label's value has a comma; one that had would fail here.
            let pairs = labels.split(',').filter(|pair| !pair.is_empty());
            let labels = pairs.map(|pair| {
                let (key, value) = pair.split_once("=\"").expect("a label");
                (
                    key.to_owned(),
                    value.strip_suffix('"').expect("an end").to_owned(),
                )
            });
            (
                name.to_owned(),
                labels.collect(),
                value.parse().expect("a number"),
            )
        })
        .collect()
}

/// The names that are documented, each with its labels.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let document = include_str!("../../docs/logging.md");
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    let words = |cell: &str| -> Vec<String> {
        let words = cell.split('`').skip(1).step_by(2);
        words.map(str::to_owned).collect()
    };
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        (words(cells[1]).remove(0), words(cells[2]).into_iter().collect())
    })
    .collect()
}

async fn metrics(portal: &Portal) -> String {
    let answer = portal.call(Method::GET, "/metrics").send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().expect("text");
    assert!(kind.starts_with("text/plain"), "{kind}");
    answer.text().await.expect("a text")
}

/// The text, once it has a sample that begins with this.
async fn metrics_with(portal: &Portal, sample: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = metrics(portal).await;
        if text.lines().any(|line| line.starts_with(sample)) {
            return text;
        }
        assert!(Instant::now() < deadline, "no {sample} in:\n{text}");
        sleep(Duration::from_millis(25)).await;
    }
}

/// A create that nobody drives: it stays as it is until somebody brings a token to the next replica.
async fn left_open(app: &mut App) -> String {
    app.operations_take(Duration::from_secs(2));
    let mut other = request("other");
    other["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let created = app.how_to_portal().create_waiting(&other, 0).await;
    app.wait_for_calls("PUT", "other", 1).await;
    app.stop_service().await;
    app.operations_take(Duration::from_millis(60));
    created.text("/lastOperation/id").to_owned()
}

#[tokio::test]
async fn the_metrics_are_those_that_are_documented_and_name_nobody_and_nothing() {
    let mut app = App::start().await;
    let portal = app.how_to_portal();
    let open = left_open(&mut app).await;
    let program = app.program("metrics_listen = \"127.0.0.1:0\"").await;
    let (portal, listener) = (
        portal.at(program.address().await),
        portal.at(program.metrics_address().await),
    );
    // What is open is counted at the start, and before anybody helps it on.
    let text = metrics_with(&listener, "operations_open{phase=\"accepted\"} 1").await;
    assert!(text.contains("operations_awaiting_caller "), "{text}");

    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let (id, operation) = (created.text("/id"), created.text("/lastOperation/id"));
    portal.connection(id).await;
    portal.follow(&open).await;
    let strange = Method::from_bytes(b"TELEMETRY-ACC1").expect("a method");
    portal
        .send(portal.call(strange, "/v1/connections"))
        .await
        .is_problem(405, "methodNotAllowed");
    portal.get("/v1/telemetry/acc1").await.is_problem(404, "notFound");
    portal.get("/metrics").await.is_problem(404, "notFound");

    let text = metrics_with(
        &listener,
        "operations_ended_total{kind=\"create\",outcome=\"succeeded\"} 2",
    )
    .await;
    let samples = samples(&text);
    let total = |name: &str, labels: &[(&str, &str)]| -> f64 {
        let fits = |found: &BTreeMap<String, String>| {
            labels
                .iter()
                .all(|(key, value)| found.get(*key).is_some_and(|found| found == value))
        };
        let fitting = samples
            .iter()
            .filter(|sample| sample.0 == name && fits(&sample.1));
        fitting.map(|sample| sample.2).sum()
    };
    let one = "/v1/connections/{id}";
    for (name, labels, least) in [
        (
            "http_requests_total",
            [
                ("route", "/v1/connections"),
                ("method", "POST"),
                ("status", "201"),
            ]
            .as_slice(),
            1.0,
        ),
        (
            "http_requests_total",
            &[("route", one), ("method", "GET"), ("status", "200")],
            1.0,
        ),
        (
            "http_requests_total",
            &[("route", "none"), ("method", "GET"), ("status", "404")],
            2.0,
        ),
        (
            "http_requests_total",
            &[("method", "other"), ("status", "405")],
            1.0,
        ),
        (
            "http_request_duration_seconds_count",
            &[("route", "/v1/connections")],
            2.0,
        ),
        ("entra_exchanges_total", &[], 2.0),
        ("entra_exchange_duration_seconds_count", &[], 2.0),
        (
            "arm_calls_total",
            &[("call", "PUT data connection"), ("status", "201")],
            1.0,
        ),
        (
            "arm_call_duration_seconds_count",
            &[("call", "PUT data connection")],
            1.0,
        ),
        ("database_connections", &[], 1.0),
    ] {
        assert!(total(name, labels) >= least, "{name} {labels:?} in:\n{text}");
    }

    let mut measured: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, labels, _) in &samples {
        let of_histogram = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let keys = labels.keys().filter(|key| *key != "le").cloned();
        let name = of_histogram.unwrap_or(name).to_owned();
        measured.entry(name).or_default().extend(keys);
    }
    assert_eq!(measured, documented());

    let tokens = app.emulator.issued_tokens();
    for value in samples.iter().flat_map(|sample| sample.1.values()) {
        let words = value.split(|character: char| !character.is_ascii_alphanumeric() && character != '-');
        for word in words {
            assert!(uuid::Uuid::parse_str(word).is_err(), "an id is a label: {value}");
        }
        let lower = value.to_ascii_lowercase();
        for name in [
            id,
            operation,
            "telemetry",
            "acc1",
            "domain",
            "adx1",
            "hub1",
            "eyj",
        ] {
            assert!(!lower.contains(name), "{name} in a label: {value}");
        }
        assert!(!tokens.iter().any(|token| holds(value, token)), "a token");
    }
    program.stop(&tokens).await;
    app.finish().await;
}

/// The ids of the W3C's own example (Trace Context, section 3.2.2).
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLERS_SPAN: &str = "b7ad6b7169203331";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Trace and span of a call's `traceparent`.
fn parent_of(entry: &Entry) -> (String, String) {
    let header = entry.request_headers.get("traceparent");
    let header = header.unwrap_or_else(|| panic!("no traceparent: {entry:?}"));
    let parts: Vec<&str> = header.split('-').collect();
    assert_eq!((parts.len(), parts[0]), (4, "00"), "{header}");
    (parts[1].to_owned(), parts[2].to_owned())
}

/// What may stand in no trace: tokens, signatures of operation URLs, what people wrote and what was sent.
fn secrets(app: &App) -> Vec<String> {
    let mut secrets = app.emulator.issued_tokens();
    assert!(secrets.len() >= 4);
    for entry in app.emulator.journal().entries() {
        let url = entry.response_headers.get("azure-asyncoperation");
        let signature = url.and_then(|url| url.split_once("&t=").map(|(_, signature)| signature));
        if let Some(signature) = signature {
            assert!(signature.len() > 20, "{signature}");
            secrets.push(signature.to_owned());
        }
    }
    secrets
}

#[tokio::test]
async fn a_callers_trace_goes_on_through_the_service_to_entra_and_arm_and_holds_no_secret() {
    let app = App::hurried().await;
    let collector = Collector::start().await;
    let endpoint = format!("otlp_endpoint = \"http://{}\"", collector.address());
    let program = app.program(&endpoint).await;
    let portal = app.how_to_portal().at(program.address().await);
    let mut body = request("telemetry");
    body["justification"] = "needed for the quarterly review".into();
    let call = portal
        .call(Method::POST, "/v1/connections")
        .header("prefer", "wait=20")
        .header("traceparent", format!("00-{TRACE}-{CALLERS_SPAN}-01"));
    let created = portal.send(call.json(&body)).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let calls = app.emulator.journal().entries();
    // A request that belongs to no trace begins one of its own.
    portal.connection(created.text("/id")).await;
    let secrets = secrets(&app);
    program.stop(&secrets).await;

    let spans = collector.spans();
    let in_trace = |span: &&Span| hex(&span.trace_id) == TRACE;
    let roots: Vec<&Span> = spans
        .iter()
        .filter(|span| hex(&span.parent_span_id) == CALLERS_SPAN)
        .collect();
    assert_eq!(roots.len(), 1, "{spans:?}");
    assert_eq!(
        (roots[0].name.as_str(), roots[0].kind()),
        ("request", SpanKind::Server)
    );
    assert_eq!(hex(&roots[0].trace_id), TRACE);
    let elsewhere = spans
        .iter()
        .filter(|span| span.kind() == SpanKind::Server && !in_trace(span))
        .count();
    assert_eq!(elsewhere, 1, "{spans:?}");

    let mut called = BTreeSet::new();
    for entry in &calls {
        // The signing keys are everybody's: they are fetched for no caller in particular.
        if entry.path().contains("openid-configuration") || entry.path().contains("/keys") {
            continue;
        }
        let (trace, span) = parent_of(entry);
        assert_eq!(trace, TRACE, "{entry:?}");
        let span = spans.iter().find(|found| hex(&found.span_id) == span);
        let span = span.unwrap_or_else(|| panic!("no span of {entry:?}"));
        assert_eq!(span.kind(), SpanKind::Client);
        called.insert(span.name.as_str());
    }
    for name in ["exchange a token", "PUT data connection", "GET operation"] {
        assert!(called.contains(name), "{called:?}");
    }
    // The operation is part of it, and goes from the caller's span down without a gap.
    let operation = spans.iter().filter(in_trace).find(|span| span.name == "create");
    assert_eq!(operation.expect("the operation").parent_span_id, roots[0].span_id);

    let text = collector.text();
    for secret in &secrets {
        assert!(!holds(&text, secret), "a token or a signature in a span");
    }
    let parts = ["EventsMapping", "quarterly review", how_to::HUB1, "&t=", "Bearer"];
    for part in parts {
        assert!(!text.contains(part), "{part} in a span");
    }
    assert_eq!(created.body["lastOperation"]["status"], Value::from("succeeded"));
    app.finish().await;
}
