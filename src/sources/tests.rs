//! What is sent to ARM for a request, and which requests are the same.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;
use crate::domain::{EventHubSource, Target, TargetSettings, hex};

const DATABASE: &str = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1/databases/telemetry";
const HUB: &str = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-hub/providers/Microsoft.EventHub/namespaces/ns-domain2/eventhubs/hub1";

fn from_hub(hub: &str, group: &str) -> Source {
    Source::EventHub(EventHubSource {
        hub: hub.parse().expect("a hub"),
        consumer_group: group.parse().expect("a group"),
    })
}

fn request() -> NewConnection {
    NewConnection {
        name: "telemetry".parse().expect("a name"),
        target: Target {
            database: DATABASE.parse().expect("a database"),
            settings: TargetSettings {
                table: Some("Events".parse().expect("a table")),
                mapping: None,
                data_format: Some("JSON".parse().expect("a format")),
            },
        },
        source: from_hub(HUB, "$Default"),
        justification: Some("not for ARM".to_owned()),
    }
}

#[test]
fn what_was_not_asked_for_is_absent_from_the_body() {
    let mut request = request();
    request.target.settings = TargetSettings::default();
    assert_eq!(
        arm_body(&request, "West US 2"),
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
    request.target.settings.mapping = Some("EventsMapping".parse().expect("a name"));
    request.target.settings.data_format = Some("MultiJson".parse().expect("a format"));
    let body = arm_body(&request, "westus2");
    let of = |name: &str| body.pointer(&format!("/properties/{name}")).cloned();
    assert_eq!(of("tableName"), Some(json!("Events")));
    assert_eq!(of("mappingRuleName"), Some(json!("EventsMapping")));
    assert_eq!(of("dataFormat"), Some(json!("MULTIJSON")));
    assert!(!body.to_string().contains("not for ARM"));
}

#[test]
fn what_is_sent_is_what_the_comparison_knows() {
    let body = arm_body(&request(), "westus2");
    let table = projection_of("eventhub").expect("a table");
    let sent = body.pointer("/properties").and_then(Value::as_object);
    assert!(
        sent.expect("members")
            .keys()
            .all(|name| table.member(name).is_some())
    );
}

#[test]
fn two_spellings_of_a_request_have_the_same_canonical_form() {
    let mut other = request();
    other.name = "Telemetry".parse().expect("a name");
    other.target.database = DATABASE.replace("adx1", "ADX1").parse().expect("a database");
    other.target.settings.data_format = Some("json".parse().expect("a format"));
    other.source = from_hub(&HUB.to_uppercase(), "$default");
    other.justification = Some("no part of what is made".to_owned());
    assert_eq!(canonical(&other), canonical(&request()));
}

#[test]
fn whatever_would_be_made_differently_has_another_canonical_form() {
    let changes: [fn(&mut NewConnection); 7] = [
        |request| request.name = "other".parse().expect("a name"),
        // Kusto tells tables and mappings apart by case.
        |request| request.target.settings.table = Some("events".parse().expect("a table")),
        |request| request.target.settings.table = None,
        |request| request.target.settings.mapping = Some("Events".parse().expect("a mapping")),
        |request| request.target.settings.data_format = None,
        |request| request.source = from_hub(HUB, "cg1"),
        |request| request.source = from_hub(&HUB.replace("hub1", "hub2"), "$Default"),
    ];
    let mut forms = vec![canonical(&request())];
    for change in changes {
        let mut changed = request();
        change(&mut changed);
        let form = canonical(&changed);
        assert!(!forms.contains(&form), "{form}");
        forms.push(form);
    }
}

#[test]
fn the_canonical_form_names_the_kind_of_source() {
    let request = request();
    let form = canonical(&request);
    let of_the_source = form.get(4).and_then(Value::as_str).expect("what the kind adds");
    // An id of the provider's type names the kind as well as the kind's name, and is none.
    let names_the_kind = match &request.source {
        Source::EventHub(_) => of_the_source.parse::<crate::domain::EventHubId>().is_ok(),
    };
    assert!(names_the_kind, "{of_the_source}");
}

#[test]
fn the_canonical_form_is_the_same_in_every_version_since_its_hash_is_stored() {
    let hash = Sha256::digest(canonical(&request()).to_string().as_bytes());
    assert_eq!(
        hex(&hash),
        "34a07e7304500f2cc0bc9882c391f2d54f67ce8f90007bc5b1284f1fe4e33607"
    );
}
