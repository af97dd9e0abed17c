//! The comparison as a table: what was recorded, one thing that is otherwise, what it comes to.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const HUB: &str = "/subscriptions/22222222-0000-4000-8000-000000000002/resourceGroups/rg-2/providers/Microsoft.EventHub/namespaces/ns1/eventhubs/hub1";
const IDENTITY: &str = "/subscriptions/11111111-0000-4000-8000-000000000001/resourceGroups/rg-1/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id1";

fn sent() -> Value {
    json!({
        "location": "westus2",
        "kind": "EventHub",
        "properties": {"eventHubResourceId": HUB, "consumerGroup": "$Default", "tableName": "Events", "dataFormat": "JSON"},
    })
}

/// The same as ARM shows it: filled in, rewritten, spelt otherwise.
fn found() -> Value {
    json!({
        "id": "/subscriptions/11111111-0000-4000-8000-000000000001/…", "name": "c/d/n", "type": "Microsoft.Kusto/…",
        "location": "West US 2",
        "kind": "eventhub",
        "systemData": {"createdAt": "2026-05-07T10:00:00Z", "createdBy": "someone"},
        "properties": {
            "eventHubResourceId": HUB.to_uppercase(), "consumerGroup": "$default", "tableName": "Events",
            "mappingRuleName": "", "dataFormat": "Json", "eventSystemProperties": [], "compression": "none",
            "managedIdentityResourceId": null, "managedIdentityObjectId": null, "databaseRouting": "single",
            "retrievalStartDate": "2026-05-07T10:00:00.1234567Z", "provisioningState": "Running",
        },
    })
}

fn unconfirmed() -> Recorded {
    Recorded {
        sent: sent(),
        snapshot: None,
        api_version: "2024-04-13".to_owned(),
    }
}

fn confirmed() -> Recorded {
    Recorded {
        snapshot: Some(found()),
        ..unconfirmed()
    }
}

/// What is found, with one member of it otherwise.
fn with(pointer: &str, value: Value) -> Value {
    let mut found = found();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    found
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .expect("an object")
        .insert(name.to_owned(), value);
    found
}

fn differs(pointers: &[&str]) -> Comparison {
    Comparison::Differs(pointers.iter().map(|&pointer| pointer.to_owned()).collect())
}

fn replaced(pointers: &[&str]) -> Comparison {
    Comparison::Replaced(pointers.iter().map(|&pointer| pointer.to_owned()).collect())
}

fn p(name: &str) -> String {
    format!("/properties/{name}")
}

/// What is no difference.
fn spelt_otherwise() -> Vec<(String, Value)> {
    vec![
        ("/location".to_owned(), json!("East US")),
        ("/tags".to_owned(), json!({"a": "b"})),
        ("/etag".to_owned(), json!("\"x\"")),
        (p("provisioningState"), json!("Succeeded")),
        (p("managedIdentityObjectId"), json!("x")),
        (p("tableName"), json!("Events")),
        (p("mappingRuleName"), Value::Null),
        (p("eventSystemProperties"), Value::Null),
        (p("compression"), Value::Null),
        (p("databaseRouting"), json!("")),
        (p("retrievalStartDate"), json!("2020-01-01T00:00:00Z")),
        // ARM may learn new members; what they hold was nobody's choice.
        (p("memberToCome"), json!("Default")),
        (p("eventHubResourceId"), json!(format!("{HUB}/"))),
    ]
}

/// What is one, and which.
fn otherwise() -> Vec<(String, Value, Comparison)> {
    vec![
        ("/kind".to_owned(), json!("IotHub"), replaced(&["/kind"])),
        (
            p("eventHubResourceId"),
            json!(HUB.replace("hub1", "hub2")),
            replaced(&["/properties/eventHubResourceId"]),
        ),
        (
            p("consumerGroup"),
            json!("other"),
            replaced(&["/properties/consumerGroup"]),
        ),
        (
            p("consumerGroup"),
            Value::Null,
            replaced(&["/properties/consumerGroup"]),
        ),
        // Kusto tells tables apart by case.
        (
            p("tableName"),
            json!("events"),
            differs(&["/properties/tableName"]),
        ),
        (p("tableName"), json!(""), differs(&["/properties/tableName"])),
        // Members that nobody sent: a mapping, a routing or an identity of somebody else's is a difference.
        (
            p("mappingRuleName"),
            json!("Theirs"),
            differs(&["/properties/mappingRuleName"]),
        ),
        (
            p("databaseRouting"),
            json!("Multi"),
            differs(&["/properties/databaseRouting"]),
        ),
        (
            p("compression"),
            json!("GZip"),
            differs(&["/properties/compression"]),
        ),
        (
            p("eventSystemProperties"),
            json!(["x-opt-offset"]),
            differs(&["/properties/eventSystemProperties"]),
        ),
        (
            p("managedIdentityResourceId"),
            json!(IDENTITY),
            differs(&["/properties/managedIdentityResourceId"]),
        ),
        ("/properties".to_owned(), json!("text"), Comparison::Unreadable),
        ("/kind".to_owned(), Value::Null, Comparison::Unreadable),
    ]
}

#[test]
fn one_thing_that_is_otherwise_comes_to_this_whether_it_was_confirmed_or_not() {
    for recorded in [unconfirmed(), confirmed()] {
        for (pointer, value) in spelt_otherwise() {
            let found = with(&pointer, value.clone());
            assert_eq!(compare(&recorded, &found), Comparison::Same, "{pointer} {value}");
        }
        for (pointer, value, expected) in otherwise() {
            let found = with(&pointer, value.clone());
            assert_eq!(compare(&recorded, &found), expected, "{pointer} {value}");
        }
        for nonsense in [json!(null), json!([]), json!({}), json!({"kind": "EventHub"})] {
            assert_eq!(compare(&recorded, &nonsense), Comparison::Unreadable);
        }
    }
}

#[test]
fn another_source_and_another_table_are_all_told() {
    let mut found = with("/properties/tableName", json!("Other"));
    found["properties"]["eventHubResourceId"] = json!(HUB.replace("hub1", "hub2"));
    assert_eq!(
        compare(&unconfirmed(), &found),
        replaced(&["/properties/eventHubResourceId", "/properties/tableName"])
    );
}

#[test]
fn members_that_the_recorded_api_version_does_not_know_do_not_count() {
    let old = Recorded {
        api_version: "2020-02-15".to_owned(),
        ..unconfirmed()
    };
    let found = with("/properties/databaseRouting", json!("Multi"));
    assert_eq!(compare(&old, &found), Comparison::Same);
    let found = with("/properties/compression", json!("GZip"));
    assert_eq!(compare(&old, &found), differs(&["/properties/compression"]));
}

#[test]
fn when_to_begin_counts_only_where_it_was_chosen_and_is_compared_as_a_moment() {
    let mut chosen = unconfirmed();
    chosen.sent["properties"]["retrievalStartDate"] = json!("2026-05-07T12:00:00.123456700+02:00");
    assert_eq!(compare(&chosen, &found()), Comparison::Same);
    let other = with("/properties/retrievalStartDate", json!("2026-05-07T10:00:01Z"));
    assert_eq!(
        compare(&chosen, &other),
        differs(&["/properties/retrievalStartDate"])
    );
}

#[test]
fn lists_that_are_sets_have_no_order() {
    let mut recorded = unconfirmed();
    recorded.sent["properties"]["eventSystemProperties"] = json!(["a", "b"]);
    let list = |items: Value| with("/properties/eventSystemProperties", items);
    assert_eq!(compare(&recorded, &list(json!(["b", "a"]))), Comparison::Same);
    assert_eq!(
        compare(&recorded, &list(json!(["a", "b", "c"]))),
        differs(&["/properties/eventSystemProperties"])
    );
}

#[test]
fn of_a_kind_without_a_table_every_resource_id_and_the_consumer_group_say_which_it_is() {
    let body = json!({
        "kind": "Later",
        "properties": {"laterResourceId": HUB, "managedIdentityResourceId": IDENTITY, "consumerGroup": "a", "mode": "x"},
    });
    let recorded = Recorded {
        sent: body.clone(),
        snapshot: Some(body.clone()),
        api_version: "2030-01-01".to_owned(),
    };
    let otherwise = |name: &str, value: Value| {
        let mut found = body.clone();
        found["properties"][name] = value;
        compare(&recorded, &found)
    };
    assert_eq!(otherwise("mode", json!("x")), Comparison::Same);
    assert_eq!(otherwise("mode", json!("y")), differs(&["/properties/mode"]));
    assert_eq!(otherwise("more", json!(1)), differs(&["/properties/more"]));
    assert_eq!(
        otherwise("laterResourceId", json!(HUB.replace("hub1", "hub2"))),
        replaced(&["/properties/laterResourceId"])
    );
    assert_eq!(
        otherwise("consumerGroup", json!("b")),
        replaced(&["/properties/consumerGroup"])
    );
    assert_eq!(
        otherwise("managedIdentityResourceId", Value::Null),
        differs(&["/properties/managedIdentityResourceId"])
    );
}

#[test]
fn a_fingerprint_stays_the_same_from_read_to_read_and_changes_with_all_else() {
    let before = fingerprint(&found());
    for (pointer, value) in [
        ("/properties/provisioningState", json!("Succeeded")),
        ("/properties/mappingRuleName", Value::Null),
        (
            "/properties/retrievalStartDate",
            json!("2026-05-07T10:00:00.12345670Z"),
        ),
        ("/properties/dataFormat", json!("JSON")),
        ("/location", json!("East US")),
        (
            "/systemData",
            json!({"createdAt": "2026-05-07T10:00:00Z", "lastModifiedAt": "2026-06-07T10:00:00Z"}),
        ),
    ] {
        assert_eq!(fingerprint(&with(pointer, value)), before, "{pointer}");
    }
    for (pointer, value) in [
        ("/kind", json!("IotHub")),
        ("/properties/tableName", json!("events")),
        ("/properties/consumerGroup", json!("other")),
        ("/properties/memberToCome", json!("x")),
        // Made anew.
        ("/properties/retrievalStartDate", json!("2026-05-07T10:00:01Z")),
        ("/systemData", json!({"createdAt": "2026-05-07T10:00:01Z"})),
    ] {
        assert_ne!(fingerprint(&with(pointer, value)), before, "{pointer}");
    }
    for nonsense in [json!(null), json!([1]), json!({}), json!({"properties": 7})] {
        assert_ne!(fingerprint(&nonsense), before);
    }
}

proptest! {
    #[test]
    fn a_resource_is_always_the_same_as_itself_and_never_as_one_with_another_table(
        table in "[a-zA-Z]{1,12}", other in "[a-zA-Z]{1,12}"
    ) {
        let named = |table: &str| with("/properties/tableName", json!(table));
        let recorded = Recorded { snapshot: Some(named(&table)), ..unconfirmed() };
        prop_assert_eq!(compare(&recorded, &named(&table)), Comparison::Same);
        let is_same = compare(&recorded, &named(&other)) == Comparison::Same;
        prop_assert_eq!(is_same, table == other);
    }

    #[test]
    fn nothing_that_arm_answers_makes_it_panic(text in "\\PC{0,40}") {
        let odd = json!({"kind": text, "properties": {text.clone(): [text.clone()], "consumerGroup": text}});
        let _ = compare(&confirmed(), &odd);
        let _ = fingerprint(&odd);
    }
}
