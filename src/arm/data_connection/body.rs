//! The body of a create (Microsoft Learn, "Create a cross-tenant data connection for Azure Data Explorer").

use serde_json::{Map, Value, json};

use crate::domain::NewConnection;

/// The body that creates this connection in the cluster's region. What was not asked for is absent: only members that
/// were sent can be compared later. No managed identity is named, so the service reads the hub's keys with the caller's
/// rights, which is the way that works across tenants.
#[must_use]
pub fn event_hub_body(request: &NewConnection, location: &str) -> Value {
    let mut properties = Map::new();
    let mut put = |name: &str, value: &str| properties.insert(name.to_owned(), Value::from(value));
    put("eventHubResourceId", request.source.hub.resource().as_written());
    put("consumerGroup", request.source.consumer_group.as_str());
    if let Some(table) = &request.target.table {
        put("tableName", table.as_str());
    }
    if let Some(mapping) = &request.target.mapping {
        put("mappingRuleName", mapping.as_str());
    }
    if let Some(format) = request.target.data_format {
        put("dataFormat", format.as_str());
    }
    json!({"location": location, "kind": "EventHub", "properties": properties})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventHubSource, Target};

    const HUB: &str = "/subscriptions/22222222-0000-4000-8000-000000000002/resourceGroups/rg-2/providers/Microsoft.EventHub/namespaces/ns1/eventhubs/hub1";

    fn request() -> NewConnection {
        NewConnection {
            name: "telemetry".parse().expect("a name"),
            target: Target {
                database: "/subscriptions/11111111-0000-4000-8000-000000000001/resourceGroups/rg-1/providers/Microsoft.Kusto/clusters/adx1/databases/db1"
                    .parse()
                    .expect("an id"),
                table: None,
                mapping: None,
                data_format: None,
            },
            source: EventHubSource {
                hub: HUB.parse().expect("an id"),
                consumer_group: "$Default".parse().expect("a name"),
            },
            justification: Some("not for ARM".to_owned()),
        }
    }

    #[test]
    fn what_was_not_asked_for_is_absent() {
        assert_eq!(
            event_hub_body(&request(), "West US 2"),
            json!({
                "location": "West US 2",
                "kind": "EventHub",
                "properties": {"eventHubResourceId": HUB, "consumerGroup": "$Default"},
            })
        );
    }

    #[test]
    fn table_mapping_and_format_are_sent_in_arms_words() {
        let mut request = request();
        request.target.table = Some("Events".parse().expect("a name"));
        request.target.mapping = Some("EventsMapping".parse().expect("a name"));
        request.target.data_format = Some("MultiJson".parse().expect("a format"));
        let body = event_hub_body(&request, "westus2");
        assert_eq!(body.pointer("/properties/tableName"), Some(&json!("Events")));
        assert_eq!(
            body.pointer("/properties/mappingRuleName"),
            Some(&json!("EventsMapping"))
        );
        assert_eq!(body.pointer("/properties/dataFormat"), Some(&json!("MULTIJSON")));
        assert!(!body.to_string().contains("not for ARM"));
    }
}
