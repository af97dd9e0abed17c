//! Metrics: those that are documented, and nobody and nothing named in them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Method;

use crate::support::{App, Portal, eventually, holds, request};

/// A series with its labels and its value.
type Sample = (String, BTreeMap<String, String>, f64);

/// The samples of a text of Prometheus.
fn samples(text: &str) -> Vec<Sample> {
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
    let document = include_str!("../../../docs/operations.md");
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
    let has_sample = |text: &String| text.lines().any(|line| line.starts_with(sample));
    let found = eventually(async || Some(metrics(portal).await).filter(has_sample)).await;
    match found {
        Some(text) => text,
        None => panic!("no {sample} in:\n{}", metrics(portal).await),
    }
}

/// A create that a replica had when it died: it stays as it is until somebody brings a token to the next one.
async fn left_open(app: &mut App) -> String {
    app.hold_operations();
    app.stop_service().await;
    let mortal = app.mortal().await;
    let portal = app.portal_at(mortal.address());
    let mut other = request("other");
    other["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let created = portal.create_waiting(&other, 0).await;
    app.wait_for_calls("PUT", "other", 1).await;
    app.wait_until("select bool_and(phase = 'accepted') from operations")
        .await;
    mortal.kill();
    created.text("/lastOperation/id").to_owned()
}

/// The program loses the lease on what it follows, as one that was frozen for too long does, and goes on with it.
async fn lease_is_lost(app: &App, portal: &Portal) {
    app.hold_operations();
    let mut wanted = request("slow");
    wanted["source"]["eventHub"]["consumerGroup"] = "cg2".into();
    let created = portal.create_waiting(&wanted, 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    app.wait_until(
        "select exists (select from operations where phase = 'accepted' and lease_until is not null)",
    )
    .await;
    app.as_owner("update operations set lease_token = gen_random_uuid(), lease_until = now() where lease_until is not null")
        .await;
    app.release_operations();
    portal.follow(created.operation()).await;
}

/// What the test did, as it is counted.
#[track_caller]
#[expect(clippy::too_many_lines, reason = "a table")]
fn has_what_happened(samples: &[Sample], text: &str) {
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
                ("code", "none"),
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
            &[("route", "none"), ("status", "404"), ("code", "notFound")],
            2.0,
        ),
        (
            "http_requests_total",
            &[("method", "other"), ("code", "methodNotAllowed")],
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
        ("operations_taken_over_total", &[], 1.0),
        ("operations_leases_lost_total", &[], 1.0),
    ] {
        assert!(total(name, labels) >= least, "{name} {labels:?} in:\n{text}");
    }
}

/// Every name, with its labels, is documented, and every documented one is there.
#[track_caller]
fn are_those_documented(samples: &[Sample]) {
    let mut measured: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, labels, _) in samples {
        let of_histogram = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let keys = labels.keys().filter(|key| *key != "le").cloned();
        let name = of_histogram.unwrap_or(name).to_owned();
        measured.entry(name).or_default().extend(keys);
    }
    assert_eq!(measured, documented());
}

/// What is named in this test, and how every token begins.
const NAMES: [&str; 6] = ["telemetry", "acc1", "domain", "adx1", "hub1", "eyj"];

/// No label holds an id, a name or a token.
#[track_caller]
fn have_no_names(samples: &[Sample], ids: &[&str], tokens: &[String]) {
    for value in samples.iter().flat_map(|sample| sample.1.values()) {
        let words = value.split(|character: char| !character.is_ascii_alphanumeric() && character != '-');
        for word in words {
            assert!(uuid::Uuid::parse_str(word).is_err(), "an id is a label: {value}");
        }
        let lower = value.to_ascii_lowercase();
        for name in NAMES.iter().chain(ids) {
            assert!(!lower.contains(*name), "{name} in a label: {value}");
        }
        assert!(!tokens.iter().any(|token| holds(value, token)), "a token");
    }
}

#[tokio::test]
async fn the_metrics_are_those_that_are_documented_and_name_nobody_and_nothing() {
    let mut app = App::with(|config| config.worker.lease = Duration::from_secs(1)).await;
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
    let open_for = samples(&text)
        .into_iter()
        .find(|sample| sample.0 == "operations_oldest_age_seconds" && sample.1["state"] == "open");
    assert!(open_for.is_some_and(|sample| sample.2 > 0.0), "{text}");
    app.release_operations();
    assert!(text.contains("connections_unsettled 0"), "{text}");

    // What is under way on the cluster goes first.
    portal.continue_to_end(&open).await;
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let (id, operation) = (created.text("/id"), created.text("/lastOperation/id"));
    portal.connection(id).await;
    lease_is_lost(&app, &portal).await;
    let strange = Method::from_bytes(b"TELEMETRY-ACC1").expect("a method");
    portal
        .send(portal.call(strange, "/v1/connections"))
        .await
        .is_problem(405, "methodNotAllowed");
    portal.get("/v1/telemetry/acc1").await.is_problem(404, "notFound");
    portal.get("/metrics").await.is_problem(404, "notFound");

    let text = metrics_with(
        &listener,
        "operations_ended_total{kind=\"create\",outcome=\"succeeded\"} 3",
    )
    .await;
    let samples = samples(&text);
    has_what_happened(&samples, &text);
    are_those_documented(&samples);
    let tokens = app.emulator.issued_tokens();
    have_no_names(&samples, &[id, operation], &tokens);
    program.stop(&tokens).await;
    app.finish().await;
}
