//! `[telemetry]`: where metrics are served and traces sent. Logs are set on the command line.

use super::Reader;
use crate::telemetry::Settings;

pub(super) fn read(reader: &mut Reader) -> Settings {
    let otlp_endpoint = reader.maybe_plain_url("telemetry.otlp_endpoint", &["https", "http"]);
    Settings {
        metrics_listen: reader.maybe("telemetry.metrics_listen"),
        otlp_endpoint,
    }
}
