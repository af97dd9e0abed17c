//! Traces: a caller's goes on through the service to Entra and ARM.

use std::collections::BTreeSet;

use azure_emulator::{Entry, how_to};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::Method;
use serde_json::Value;

use crate::support::{App, Collector, holds, request};

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

/// Each call to Entra and ARM has a span of the caller's trace, and carries nothing else of the caller's headers.
#[track_caller]
fn belong_to_the_trace(calls: &[Entry], spans: &[Span]) {
    let mut called = BTreeSet::new();
    for entry in calls {
        // What else a caller says beside it is told to nobody.
        let sent = format!("{:?}", entry.request_headers);
        assert!(
            !sent.contains("callers-words") && !sent.contains("tracestate"),
            "{sent}"
        );
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
        .header("traceparent", format!("00-{TRACE}-{CALLERS_SPAN}-01"))
        .header("tracestate", "vendor=callers-words")
        .header("baggage", "note=callers-words");
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

    belong_to_the_trace(&calls, &spans);
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
