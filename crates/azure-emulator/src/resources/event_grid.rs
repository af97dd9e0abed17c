//! Event Grid: system topics of storage accounts, and event subscriptions that deliver their events to event hubs.

use serde_json::Value;

use super::{ChangeError, EventFilter, ResourceId, Resources};
use crate::directory::UnknownName;

/// A system topic.
#[derive(Clone, Debug)]
pub struct SystemTopic {
    /// Resource id.
    pub id: ResourceId,
    /// Display name of its region.
    pub location: String,
    /// The storage account whose events it has.
    pub source: ResourceId,
}

/// An event subscription, on a storage account or of a system topic.
#[derive(Clone, Debug)]
pub struct EventSubscription {
    /// Resource id.
    pub id: ResourceId,
    /// The event hub that it delivers to, as its maker wrote it.
    pub event_hub: String,
    /// With which identity it delivers; nothing for the namespace's keys.
    pub identity: Option<DeliveryIdentity>,
    /// Which events it delivers.
    pub filter: EventFilter,
    /// `Succeeded`, `Failed`, `Creating`, `Updating`, `Deleting`, `Canceled` or `AwaitingManualAction`.
    pub provisioning_state: String,
    /// `EventGridSchema`, `CloudEventSchemaV1_0` or `CustomInputSchema`.
    pub schema: String,
}

/// An identity that an event subscription delivers with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryIdentity {
    /// Resource id of a user-assigned identity; nothing for the topic's own.
    pub user_assigned: Option<String>,
    /// Client id of an app in the event hub's tenant that the identity is federated with.
    pub federated_client_id: Option<String>,
}

impl EventSubscription {
    /// The event subscription of an id and of a body as ARM has it: `properties` with a destination in one of its two
    /// forms. What is left out is as at Event Grid.
    pub(crate) fn from_body(id: ResourceId, body: &Value) -> Result<EventSubscription, ChangeError> {
        let invalid = ChangeError::EventSubscription;
        let properties = member(body, "properties").ok_or(invalid("properties"))?;
        let delivery = member(properties, "deliveryWithResourceIdentity");
        let destination = member(delivery.unwrap_or(properties), "destination");
        let destination = destination.ok_or(invalid("properties.destination"))?;
        if text(destination, "endpointType") != Some("EventHub") {
            return Err(invalid("properties.destination.endpointType"));
        }
        let hub = member(destination, "properties").and_then(|found| text(found, "resourceId"));
        let hub = hub.ok_or(invalid("properties.destination.properties.resourceId"))?;
        let word = |name: &str, usual: &str| text(properties, name).unwrap_or(usual).to_owned();
        Ok(EventSubscription {
            id,
            event_hub: hub.to_owned(),
            identity: delivery.map(|delivery| identity(member(delivery, "identity"))),
            filter: filter(member(properties, "filter"))?,
            provisioning_state: word("provisioningState", "Succeeded"),
            schema: word("eventDeliverySchema", "EventGridSchema"),
        })
    }

    /// Whether it is of a system topic, not on the account.
    pub(crate) fn is_of_topic(&self) -> bool {
        self.id
            .is_type("Microsoft.EventGrid", &["systemTopics", "eventSubscriptions"])
    }
}

/// A member that is there and not null.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|member| !member.is_null())
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn identity(body: Option<&Value>) -> DeliveryIdentity {
    let named = |value: &Value, name: &str| text(value, name).map(str::to_owned);
    let info = body.and_then(|body| member(body, "federatedIdentityCredentialInfo"));
    DeliveryIdentity {
        user_assigned: body.and_then(|body| named(body, "userAssignedIdentity")),
        federated_client_id: info.and_then(|info| named(info, "federatedClientId")),
    }
}

fn filter(body: Option<&Value>) -> Result<EventFilter, ChangeError> {
    let mut filter = EventFilter::default();
    let Some(body) = body else { return Ok(filter) };
    let part = |name: &str| text(body, name).unwrap_or_default().to_owned();
    filter.subject_begins_with = part("subjectBeginsWith");
    filter.subject_ends_with = part("subjectEndsWith");
    filter.is_subject_case_sensitive = member(body, "isSubjectCaseSensitive") == Some(&Value::Bool(true));
    if let Some(types) = member(body, "includedEventTypes") {
        filter.included_event_types = serde_json::from_value(types.clone())
            .map_err(|_| ChangeError::EventSubscription("properties.filter.includedEventTypes"))?;
    }
    if let Some(advanced) = member(body, "advancedFilters") {
        filter.advanced_filters = serde_json::from_value(advanced.clone())
            .map_err(|_| ChangeError::EventSubscription("properties.filter.advancedFilters"))?;
    }
    Ok(filter)
}

impl Resources {
    /// A system topic by resource id.
    pub fn system_topic(&self, id: &ResourceId) -> Option<&SystemTopic> {
        self.system_topics.iter().find(|topic| topic.id == *id)
    }

    /// An event subscription by resource id.
    pub fn event_subscription(&self, id: &ResourceId) -> Option<&EventSubscription> {
        self.event_subscriptions.iter().find(|known| known.id == *id)
    }

    /// The storage account whose events a subscription delivers.
    pub(crate) fn source_of(&self, subscription: &EventSubscription) -> Option<ResourceId> {
        if subscription.is_of_topic() {
            let topic = self.system_topic(&subscription.id.parent()?)?;
            return Some(topic.source.clone());
        }
        subscription.id.extended()
    }

    /// Makes a system topic of a storage account. Azure allows one for each.
    pub fn add_system_topic(&mut self, id: &str, location: &str, source: &str) -> Result<(), ChangeError> {
        let id = self.free_id(id, &["Microsoft.EventGrid", "systemTopics"], "system topic")?;
        let source = self.storage_account_mut(source)?.id.clone();
        if self.system_topics.iter().any(|topic| topic.source == source) {
            return Err(ChangeError::Exists("system topic of", source.to_string()));
        }
        self.system_topics.push(SystemTopic {
            id,
            location: location.to_owned(),
            source,
        });
        Ok(())
    }

    /// Removes a system topic with its event subscriptions.
    pub fn remove_system_topic(&mut self, id: &str) -> Result<(), ChangeError> {
        let id = ResourceId::parse(id)?;
        if self.system_topic(&id).is_none() {
            return Err(UnknownName::new("system topic", id.as_str()).into());
        }
        self.system_topics.retain(|topic| topic.id != id);
        self.event_subscriptions.retain(|known| !known.id.is_within(&id));
        Ok(())
    }

    /// Makes an event subscription, or puts another one in the place of that of the same id.
    pub fn set_event_subscription(&mut self, id: &str, body: &Value) -> Result<(), ChangeError> {
        let subscription = EventSubscription::from_body(ResourceId::parse(id)?, body)?;
        let id = &subscription.id;
        let on_account = id.is_type("Microsoft.EventGrid", &["eventSubscriptions"]);
        if !on_account && !subscription.is_of_topic() {
            return Err(ChangeError::WrongType(id.to_string(), "event subscription"));
        }
        let source = self.source_of(&subscription);
        if source
            .as_ref()
            .and_then(|source| self.storage_account(source))
            .is_none()
        {
            let owner = if on_account { id.extended() } else { id.parent() };
            let kind = if on_account {
                "storage account"
            } else {
                "system topic"
            };
            let owner = owner.map_or_else(String::new, |owner| owner.to_string());
            return Err(UnknownName::new(kind, &owner).into());
        }
        self.event_subscriptions
            .retain(|known| known.id != subscription.id);
        self.event_subscriptions.push(subscription);
        Ok(())
    }

    /// Removes an event subscription.
    pub fn remove_event_subscription(&mut self, id: &str) -> Result<(), ChangeError> {
        let id = ResourceId::parse(id)?;
        if self.event_subscription(&id).is_none() {
            return Err(UnknownName::new("event subscription", id.as_str()).into());
        }
        self.event_subscriptions.retain(|known| known.id != id);
        Ok(())
    }
}
