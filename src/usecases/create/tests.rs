//! Which requests are the same.

use crate::domain::{EventHubSource, Target};
use crate::usecases::create::*;

const DATABASE: &str = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1/databases/telemetry";
const HUB: &str = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-hub/providers/Microsoft.EventHub/namespaces/ns-domain2/eventhubs/hub1";

fn request() -> NewConnection {
    NewConnection {
        name: "telemetry".parse().expect("a name"),
        target: Target {
            database: DATABASE.parse().expect("a database"),
            table: Some("Events".parse().expect("a table")),
            mapping: None,
            data_format: Some("JSON".parse().expect("a format")),
        },
        source: EventHubSource {
            hub: HUB.parse().expect("a hub"),
            consumer_group: "$Default".parse().expect("a group"),
        },
        justification: None,
    }
}

#[test]
fn two_spellings_of_a_request_have_the_same_hash() {
    let mut other = request();
    other.name = "Telemetry".parse().expect("a name");
    other.target.database = DATABASE.replace("adx1", "ADX1").parse().expect("a database");
    other.target.data_format = Some("json".parse().expect("a format"));
    other.source.hub = HUB.to_uppercase().parse().expect("a hub");
    other.source.consumer_group = "$default".parse().expect("a group");
    other.justification = Some("no part of what is made".to_owned());
    assert_eq!(request_hash(&other), request_hash(&request()));
}

#[test]
fn whatever_would_be_made_differently_has_another_hash() {
    let changes: [fn(&mut NewConnection); 6] = [
        |request| request.name = "other".parse().expect("a name"),
        // Kusto tells tables and mappings apart by case.
        |request| request.target.table = Some("events".parse().expect("a table")),
        |request| request.target.table = None,
        |request| request.target.mapping = Some("Events".parse().expect("a mapping")),
        |request| request.target.data_format = None,
        |request| request.source.consumer_group = "cg1".parse().expect("a group"),
    ];
    let mut hashes = vec![request_hash(&request())];
    for change in changes {
        let mut changed = request();
        change(&mut changed);
        let hash = request_hash(&changed);
        assert!(!hashes.contains(&hash));
        hashes.push(hash);
    }
}

#[test]
fn the_hash_is_the_same_in_every_version_since_it_is_stored() {
    let hash = "34a07e7304500f2cc0bc9882c391f2d54f67ce8f90007bc5b1284f1fe4e33607";
    assert_eq!(hex(&request_hash(&request())), hash);
}
