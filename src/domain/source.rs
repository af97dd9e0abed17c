//! What the events come from. A kind of source is a variant of [`Source`], a type of its own and a file in `sources`.

use serde_json::Value;

use crate::domain::names::{ConsumerGroup, NameError};
use crate::domain::resource_id::{EventHubId, ResourceId, ResourceIdError};
use crate::domain::target::TargetSettings;

/// What the events come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An event hub.
    EventHub(EventHubSource),
}

/// An event hub as a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHubSource {
    /// The event hub.
    pub hub: EventHubId,
    /// The consumer group that Azure Data Explorer reads with; no other reader may share it.
    pub consumer_group: ConsumerGroup,
}

/// Why this version cannot read a recorded source or its configuration.
#[derive(Debug, thiserror::Error)]
pub enum RecordedSourceError {
    /// Another version recorded a kind that this one lacks.
    #[error("this version does not know the kind of source '{0}'; the version that recorded it does")]
    UnknownKind(String),
    /// Another version recorded settings that this one lacks, or they were changed by hand.
    #[error("this version cannot read the configuration of a source of the kind '{kind}': {error}")]
    Configuration {
        /// The kind.
        kind: String,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// The resource id.
    #[error(transparent)]
    Resource(#[from] ResourceIdError),
    /// The consumer group.
    #[error(transparent)]
    ConsumerGroup(#[from] NameError),
}

/// The kind's name in records and requests.
pub const EVENT_HUB: &str = "eventHub";

impl Source {
    /// The kind's name in records, and the member of the API that holds it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::EventHub(_) => EVENT_HUB,
        }
    }

    /// The resource that the data comes from.
    #[must_use]
    pub fn resource(&self) -> &ResourceId {
        match self {
            Self::EventHub(source) => source.hub.resource(),
        }
    }

    /// The consumer group that Azure Data Explorer reads with.
    #[must_use]
    pub const fn consumer_group(&self) -> &ConsumerGroup {
        match self {
            Self::EventHub(source) => &source.consumer_group,
        }
    }

    /// Parses a recorded source with the settings of its revision.
    ///
    /// # Errors
    /// When another version recorded what this one does not know.
    pub fn from_record(
        kind: &str,
        resource: &str,
        consumer_group: &str,
        configuration: Value,
    ) -> Result<(Self, TargetSettings), RecordedSourceError> {
        match kind {
            EVENT_HUB => {
                let source = EventHubSource {
                    hub: resource.parse()?,
                    consumer_group: consumer_group.parse()?,
                };
                let settings = serde_json::from_value(configuration).map_err(|error| {
                    RecordedSourceError::Configuration {
                        kind: kind.to_owned(),
                        error,
                    }
                })?;
                Ok((Self::EventHub(source), settings))
            }
            other => Err(RecordedSourceError::UnknownKind(other.to_owned())),
        }
    }

    /// The settings as a revision records them (`connection_revisions.configuration`): one object for each kind.
    ///
    /// # Errors
    /// Never for the kinds there are.
    pub fn configuration(&self, target: &TargetSettings) -> Result<Value, serde_json::Error> {
        match self {
            Self::EventHub(_) => serde_json::to_value(target),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HUB: &str = "/subscriptions/22222222-0000-4000-8000-000000000002/resourceGroups/rg-2/providers/Microsoft.EventHub/namespaces/ns1/eventhubs/hub1";

    #[test]
    fn a_recorded_configuration_is_the_one_that_was_requested() {
        let configuration = json!({"table": "Events", "dataFormat": "JSON"});
        let (source, settings) =
            Source::from_record("eventHub", HUB, "$Default", configuration.clone()).expect("a source");
        assert_eq!((source.kind(), source.resource().as_written()), ("eventHub", HUB));
        assert_eq!(settings.mapping, None);
        assert_eq!(source.configuration(&settings).expect("JSON"), configuration);
    }

    #[test]
    fn what_another_version_recorded_is_an_error_that_names_it() {
        let error = |kind, configuration| {
            Source::from_record(kind, HUB, "$Default", configuration)
                .expect_err("unknown to this version")
                .to_string()
        };
        assert!(error("eventGrid", json!({})).contains("'eventGrid'"));
        for later in [
            json!({"compression": "GZip"}),
            json!({"dataFormat": "later"}),
            json!("none"),
            Value::Null,
        ] {
            let told = error("eventHub", later);
            assert!(
                told.contains("the configuration of a source of the kind 'eventHub'"),
                "{told}"
            );
        }
    }
}
