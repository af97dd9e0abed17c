//! `[telemetry]`: where metrics are served and traces sent. Logs are set on the command line.

use std::net::SocketAddr;

use url::Url;

use super::Reader;

/// Where metrics are served and traces sent.
#[derive(Debug, Clone, Default)]
pub struct TelemetrySection {
    /// Where `/metrics` is served; nowhere if absent.
    pub metrics_listen: Option<SocketAddr>,
    /// An OpenTelemetry collector's OTLP/HTTP endpoint, such as `http://collector:4318`; without one no traces are made.
    pub otlp_endpoint: Option<Url>,
}

impl TelemetrySection {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let otlp_endpoint = reader.maybe_plain_url("telemetry.otlp_endpoint", &["https", "http"]);
        Self {
            metrics_listen: reader.maybe("telemetry.metrics_listen"),
            otlp_endpoint,
        }
    }
}
