//! Traces, sent to an OpenTelemetry collector over OTLP/HTTP.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::runtime::Tokio;
use opentelemetry_sdk::trace::SdkTracerProvider;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use super::TelemetryError;

/// How long the end waits for traces that were not sent yet.
pub(super) const FLUSH: Duration = Duration::from_secs(5);

/// A provider that batches spans and sends them to the collector, by a client with this timeout.
pub(super) fn provider<E: std::fmt::Display>(
    endpoint: &Url,
    client: impl FnOnce(Duration) -> Result<reqwest::Client, E>,
) -> Result<SdkTracerProvider, TelemetryError> {
    let wrong = |error: &dyn std::fmt::Display| TelemetryError::Traces(error.to_string());
    let client = client(FLUSH).map_err(|error| wrong(&error))?;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/')))
        .with_timeout(FLUSH)
        .build()
        .map_err(|error| wrong(&error))?;
    // The batches are sent on the service's own runtime: the client needs one.
    let processor = BatchSpanProcessor::builder(exporter, Tokio).build();
    Ok(SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_resource(Resource::builder().with_service_name("tenant-bridge").build())
        .build())
}

/// The layer that makes spans of the log's spans.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_opentelemetry::layer().with_tracer(provider.tracer("tenant-bridge"))
}
