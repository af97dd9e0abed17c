//! The log: JSON lines for machines, or text for people, on standard error.

use clap::ValueEnum;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, fmt};

use super::TelemetryError;

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Directives such as `info` or `tenant_bridge=debug`.
    pub filter: String,
    /// How lines are written.
    pub format: LogFormat,
}

impl LogOptions {
    /// What passes.
    pub(super) fn filter(&self) -> Result<EnvFilter, TelemetryError> {
        Ok(EnvFilter::try_new(&self.filter)?)
    }

    /// What writes the lines.
    pub(super) fn layer<S>(&self) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let lines = fmt::layer().with_writer(std::io::stderr);
        match self.format {
            LogFormat::Json => lines.json().flatten_event(true).boxed(),
            LogFormat::Text => lines.boxed(),
        }
    }
}
