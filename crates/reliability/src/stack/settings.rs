//! The settings of a replica that differ from the sandbox's.

use std::collections::BTreeMap;

/// Settings by their keys, such as `worker.lease`; handed to the program as variables, which win over its file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Waits so short that an operation's whole life, with a takeover in it, fits into seconds. The order of the lengths is that of
    /// the settings that come with the service.
    #[must_use]
    pub fn hurried() -> Self {
        Self::default()
            .with("worker.poll_min", "20ms")
            .with("worker.poll_max", "100ms")
            .with("worker.interval", "100ms")
            .with("worker.lease", "2s")
            .with("worker.max_request_lifetime", "3500ms")
            .with("worker.deadline", "60s")
            .with("upstream.timeout", "3s")
            .with("upstream.read_timeout", "3s")
            .with("upstream.connect_timeout", "900ms")
            .with("upstream.circuit_pause", "500ms")
    }

    /// The same with this setting.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.0.insert(key.to_owned(), value.to_owned());
        self
    }

    /// As the program's variables.
    pub(super) fn variables(&self) -> impl Iterator<Item = (String, &String)> {
        let name = |key: &str| format!("TENANT_BRIDGE__{}", key.to_ascii_uppercase().replace('.', "__"));
        self.0.iter().map(move |(key, value)| (name(key), value))
    }
}
