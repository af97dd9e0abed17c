//! What the service says of itself: logs, traces and metrics. Set up once by the command line, before anything starts.
//! What is measured is named in `metrics`; where it is measured is each room's own matter.

mod log;
pub mod metrics;
mod outage;
mod propagation;
mod traces;

pub use log::{LogFormat, LogOptions};
pub use outage::Outage;
pub use propagation::{continue_trace, trace_headers};

use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::TelemetrySection;

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
///
/// # Errors
/// When a setting can't be used.
pub fn start(log: &LogOptions, section: &TelemetrySection) -> Result<Telemetry, TelemetryError> {
    let traces = section.otlp_endpoint.as_ref().map(traces::provider).transpose()?;
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
