//! Where metrics are served and traces sent.

use std::net::SocketAddr;

use url::Url;

/// Where metrics are served and traces sent.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Where `/metrics` is served; nowhere if absent.
    pub metrics_listen: Option<SocketAddr>,
    /// An OpenTelemetry collector's OTLP/HTTP endpoint, such as `http://collector:4318`; without one no traces are made.
    pub otlp_endpoint: Option<Url>,
}
