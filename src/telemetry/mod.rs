//! Logs, traces and metrics. Set up once by the command line, before anything starts.
//! `metrics` names what is measured; each module measures its own.

mod log;
pub mod metrics;
mod outage;
mod propagation;
mod settings;
mod traces;

pub use log::{LogFormat, LogOptions};
pub use outage::Outage;
pub use propagation::{continue_trace, trace_headers};
pub use settings::Settings;

use opentelemetry_sdk::trace::SdkTracerProvider;
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Why telemetry can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter is no list of directives.
    #[error("the log filter can't be understood: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter of traces.
    #[error("traces can't be exported: {0}")]
    Traces(String),
    /// Something has set up a log before.
    #[error("the log is set up already")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
    /// Something has set up metrics before.
    #[error("metrics are set up already: {0}")]
    Metrics(String),
}

/// Telemetry that runs; ends with [`Telemetry::stop`].
#[derive(Debug)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

/// Starts logs, traces (where a collector is configured) and metrics. Needs a runtime to export traces on.
/// `client` makes the client that sends to the collector, with a timeout.
///
/// # Errors
/// When a setting can't be used.
pub fn start<E: std::fmt::Display>(
    log: &LogOptions,
    section: &Settings,
    client: impl FnOnce(Duration) -> Result<reqwest::Client, E>,
) -> Result<Telemetry, TelemetryError> {
    let traces = match &section.otlp_endpoint {
        Some(endpoint) => Some(traces::provider(endpoint, client)?),
        None => None,
    };
    let trace_layer = traces.as_ref().map(traces::layer);
    tracing_subscriber::registry()
        .with(log.filter()?)
        .with(log.layer())
        .with(trace_layer)
        .try_init()?;
    metrics::install()?;
    Ok(Telemetry { traces })
}

impl Telemetry {
    /// Sends what is left. Blocks for some seconds at the most.
    pub fn stop(self) {
        if let Some(Err(error)) = self
            .traces
            .map(|provider| provider.shutdown_with_timeout(traces::FLUSH))
        {
            tracing::warn!(error = %error, "some traces were not sent");
        }
    }
}
