//! The source of a connection, in requests and in responses: the member that is present names its kind.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resources::InvolvedTenant;
use crate::authz::TenantNames;
use crate::domain::{ConnectionRecord, EventHubSource, FieldError, Source};
use crate::http::extract::field;
use crate::sources::event_hub;

/// The source of the events: exactly one member, which names its kind.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateSource {
    /// An event hub.
    event_hub: CreateEventHub,
}

/// An event hub.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateEventHub {
    /// The event hub's resource id.
    #[schema(
        max_length = 2048,
        pattern = r"^/subscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/resourceGroups/\w[\w().-]{0,89}/providers/Microsoft\.EventHub/namespaces/\w[\w-]{0,49}/eventhubs/\w[\w.-]{0,255}$",
        example = "/subscriptions/50000000-0000-4000-8000-000000000002/resourceGroups/rg-streams/providers/Microsoft.EventHub/namespaces/ns-domain2/eventhubs/hub1"
    )]
    resource_id: String,
    /// The consumer group that Azure Data Explorer reads with; `$Default` if none is named.
    #[serde(default = "default_consumer_group")]
    #[schema(
        example = "$Default",
        pattern = r"^(\$Default|[A-Za-z0-9]([A-Za-z0-9._-]{0,48}[A-Za-z0-9])?)$"
    )]
    consumer_group: String,
}

fn default_consumer_group() -> String {
    "$Default".to_owned()
}

impl CreateSource {
    /// The parsed source; what is wrong with it is added to the errors.
    pub(crate) fn parse(&self, errors: &mut Vec<FieldError>) -> Option<Source> {
        let written = &self.event_hub;
        let hub = field(errors, event_hub::RESOURCE_POINTER, &written.resource_id);
        let group = field(errors, event_hub::CONSUMER_GROUP_POINTER, &written.consumer_group);
        let (hub, consumer_group) = hub.zip(group)?;
        Some(Source::EventHub(EventHubSource { hub, consumer_group }))
    }
}

/// The source of the events: the member that is present names its kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectionSource {
    /// The tenants of the source's subscriptions, according to Azure.
    tenants: Vec<InvolvedTenant>,
    /// The event hub, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    event_hub: Option<ConnectionEventHub>,
}

/// An event hub as a source.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConnectionEventHub {
    /// The event hub's resource id.
    resource_id: String,
    /// The event hub's name.
    name: String,
    /// Its namespace's name.
    namespace: String,
    /// The consumer group that Azure Data Explorer reads with.
    consumer_group: String,
}

impl ConnectionSource {
    /// The source of a recorded connection.
    pub(super) fn of(record: &ConnectionRecord, names: &TenantNames) -> Self {
        let event_hub = match &record.source {
            Source::EventHub(source) => Some(ConnectionEventHub {
                resource_id: source.hub.to_string(),
                name: source.hub.name().to_owned(),
                namespace: source.hub.resource().parent_as_written().1.to_owned(),
                consumer_group: source.consumer_group.to_string(),
            }),
        };
        Self {
            tenants: vec![InvolvedTenant::of(record.source_tenant, names)],
            event_hub,
        }
    }
}
