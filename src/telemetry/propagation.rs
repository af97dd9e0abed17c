//! `traceparent` in and out (W3C Trace Context), so that the portal's, this service's and Azure's logs meet. Nothing else goes
//! along: `tracestate` and `baggage` are free text of the caller's, which no service behind this one needs.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The only header of a trace that is read and written.
const TRACE_PARENT: &str = "traceparent";

struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let value = self.0.get(key).filter(|_| key == TRACE_PARENT)?;
        value.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Outgoing<'a>(&'a mut HeaderMap);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        if key == TRACE_PARENT
            && let Ok(value) = HeaderValue::try_from(value)
        {
            self.0.insert(TRACE_PARENT, value);
        }
    }
}

/// Makes a span part of the trace that a request's headers name; without any, or without traces, it does nothing.
pub fn continue_trace(span: &Span, headers: &HeaderMap) {
    let parent = TraceContextPropagator::new().extract(&Incoming(headers));
    // Fails only where traces are off.
    let _ = span.set_parent(parent);
}

/// The headers by which the one who is called makes its work part of the current trace; none where traces are off.
#[must_use]
pub fn trace_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let context = Span::current().context();
    TraceContextPropagator::new().inject_context(&context, &mut Outgoing(&mut headers));
    headers
}
