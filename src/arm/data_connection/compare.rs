//! Whether a resource is what was sent: the ground for saying that a data connection is this service's own.
//! A difference that is none would leave something in quarantine; an equality that is none could delete another's work.

use serde_json::Value;

use crate::arm::members;

/// Members that ARM sets itself: a body that was merged from ARM's own copy carries them, and they may change.
const READ_ONLY: &[&str] = &[
    "/id",
    "/name",
    "/type",
    "/etag",
    "/tags",
    "/systemData",
    "/properties/provisioningState",
    "/properties/managedIdentityObjectId",
];

/// Closed sets whose spelling carries nothing: Microsoft's own pages write `MultiJSON` where ARM lists `MULTIJSON`.
const ANY_CASE: &[&str] = &[
    "/kind",
    "/properties/dataFormat",
    "/properties/compression",
    "/properties/databaseRouting",
];

/// The JSON pointers of what was sent and is not there in the same way.
pub(super) fn differing(sent: &Value, found: &Value) -> Vec<String> {
    let mut differing = Vec::new();
    walk(sent, Some(found), "", &mut differing);
    differing
}

fn walk(sent: &Value, found: Option<&Value>, pointer: &str, differing: &mut Vec<String>) {
    if is_one_of(READ_ONLY, pointer) {
        return;
    }
    match (sent, found) {
        (Value::Object(sent), Some(Value::Object(_) | Value::Null) | None) => {
            let found = found.unwrap_or(&Value::Null);
            for (name, value) in sent {
                // RFC 6901, section 3.
                let escaped = name.replace('~', "~0").replace('/', "~1");
                walk(
                    value,
                    members::member(found, name),
                    &format!("{pointer}/{escaped}"),
                    differing,
                );
            }
        }
        _ if is_nothing(Some(sent)) && is_nothing(found) => {}
        (Value::Array(sent), Some(Value::Array(found))) if sent.len() == found.len() => {
            for (index, (sent, found)) in sent.iter().zip(found).enumerate() {
                walk(sent, Some(found), &format!("{pointer}/{index}"), differing);
            }
        }
        (Value::String(sent), Some(Value::String(found))) if same_text(sent, found, pointer) => {}
        (sent, Some(found)) if sent == found => {}
        _ => differing.push(pointer.to_owned()),
    }
}

/// ARM turns what is left out into `""` on a create and into `null` on an update (recorded ARM traffic).
fn is_nothing(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        Some(_) => false,
    }
}

fn same_text(sent: &str, found: &str, pointer: &str) -> bool {
    if pointer.eq_ignore_ascii_case("/location") {
        return region(sent) == region(found);
    }
    if is_resource_id(sent) && is_resource_id(found) {
        let end = |id: &str| id.trim_end_matches('/').to_ascii_lowercase();
        return end(sent) == end(found);
    }
    sent == found || (is_one_of(ANY_CASE, pointer) && sent.eq_ignore_ascii_case(found))
}

/// A region's name in its short form: `West US 2` is `westus2`.
fn region(name: &str) -> String {
    name.chars()
        .filter(|character| !character.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase()
}

fn is_resource_id(text: &str) -> bool {
    const START: &str = "/subscriptions/";
    text.get(..START.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(START))
}

fn is_one_of(pointers: &[&str], pointer: &str) -> bool {
    pointers.iter().any(|known| known.eq_ignore_ascii_case(pointer))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const HUB: &str = "/subscriptions/22222222-0000-4000-8000-000000000002/resourceGroups/rg-2/providers/Microsoft.EventHub/namespaces/ns1/eventhubs/hub1";

    fn sent() -> Value {
        json!({
            "location": "westus2",
            "kind": "EventHub",
            "properties": {"eventHubResourceId": HUB, "consumerGroup": "$Default", "tableName": "Events"},
        })
    }

    fn found() -> Value {
        json!({
            "id": "/subscriptions/11111111-0000-4000-8000-000000000001/…", "name": "c/d/n",
            "location": "West US 2",
            "kind": "EventHub",
            "properties": {
                "eventHubResourceId": HUB.to_uppercase(), "consumerGroup": "$Default", "tableName": "Events",
                "mappingRuleName": "", "dataFormat": "", "eventSystemProperties": [], "compression": "None",
                "managedIdentityResourceId": null, "databaseRouting": "Single", "provisioningState": "Succeeded",
            },
        })
    }

    /// What differs after `pointer` of what is found became `value`.
    fn after(pointer: &str, value: Value) -> Vec<String> {
        let mut found = found();
        *found.pointer_mut(pointer).expect("a member") = value;
        differing(&sent(), &found)
    }

    #[test]
    fn what_arm_fills_in_rewrites_or_spells_otherwise_is_no_difference() {
        assert_eq!(differing(&sent(), &found()), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_nothing_whether_empty_null_or_absent() {
        let nothing =
            json!({"properties": {"tableName": "", "mappingRuleName": null, "eventSystemProperties": []}});
        for found in [
            json!({}),
            json!({"properties": {}}),
            json!({"properties": {"tableName": null, "mappingRuleName": "", "eventSystemProperties": null}}),
        ] {
            assert_eq!(differing(&nothing, &found), Vec::<String>::new(), "{found}");
        }
        assert_eq!(
            after("/properties/tableName", Value::Null),
            ["/properties/tableName"]
        );
    }

    #[test]
    fn every_member_that_differs_is_named() {
        assert_eq!(after("/location", json!("East US")), ["/location"]);
        assert_eq!(after("/kind", json!("EventGrid")), ["/kind"]);
        assert_eq!(
            after("/properties/tableName", json!("events")),
            ["/properties/tableName"]
        );
        assert_eq!(
            after("/properties/consumerGroup", json!("other")),
            ["/properties/consumerGroup"]
        );
        assert_eq!(
            after(
                "/properties/eventHubResourceId",
                json!(HUB.replace("hub1", "hub2"))
            ),
            ["/properties/eventHubResourceId"]
        );
        assert_eq!(
            after("/properties", Value::Null),
            [
                "/properties/consumerGroup",
                "/properties/eventHubResourceId",
                "/properties/tableName"
            ]
        );
        assert_eq!(after("/properties", json!("text")), ["/properties"]);
        assert_eq!(differing(&json!({"a/b~c": 1}), &json!({})), ["/a~1b~0c"]);
    }

    #[test]
    fn what_arm_sets_itself_is_left_out_of_a_body_merged_from_its_own_copy() {
        let mut later = found();
        later["properties"]["provisioningState"] = json!("Accepted");
        later["systemData"] = json!({"createdAt": "2026-05-07T10:00:00Z"});
        assert_eq!(differing(&found(), &later), Vec::<String>::new());
    }

    #[test]
    fn lists_are_the_same_only_with_the_same_items_in_the_same_order() {
        let list = |items: Value| json!({"properties": {"eventSystemProperties": items}});
        assert!(differing(&list(json!(["a", "b"])), &list(json!(["a", "b"]))).is_empty());
        assert_eq!(
            differing(&list(json!(["a", "b"])), &list(json!(["a", "c"]))),
            ["/properties/eventSystemProperties/1"]
        );
        assert_eq!(
            differing(&list(json!(["a", "b"])), &list(json!(["a"]))),
            ["/properties/eventSystemProperties"]
        );
    }

    proptest! {
        #[test]
        fn a_resource_always_equals_itself_and_never_one_with_another_table(table in "[a-zA-Z]{1,12}", other in "[a-zA-Z]{1,12}") {
            let with = |table: &str| json!({"properties": {"tableName": table}});
            prop_assert!(differing(&with(&table), &with(&table)).is_empty());
            prop_assert_eq!(differing(&with(&table), &with(&other)).is_empty(), table == other);
        }
    }
}
