use proptest::prelude::*;

use super::*;

const HUB: &str = "/subscriptions/22222222-0000-4000-8000-000000000002/resourcegroups/rg-2/providers/Microsoft.EventHub/namespaces/ns1/eventhubs/hub1";

#[test]
fn ids_that_differ_only_in_case_are_equal_and_keep_their_spelling() {
    let id: EventHubId = HUB.parse().expect("an id");
    let shouted: EventHubId = HUB.to_ascii_uppercase().parse().expect("an id");
    assert_eq!(id, shouted);
    assert_eq!(id.to_string(), HUB);
    assert_eq!(id.namespace().name(), "ns1");
    assert_eq!(id.namespace().resource().resource_group(), "rg-2");
    let namespace = id.namespace();
    assert_eq!(namespace.resource().resource_type(), NamespaceId::TYPE);
}

#[test]
fn an_id_of_another_type_names_both_types() {
    let error = HUB.parse::<DatabaseId>().expect_err("a hub is no database");
    assert_eq!(
        error.to_string(),
        "expected an id of type Microsoft.Kusto/clusters/databases, but this one is of type Microsoft.EventHub/namespaces/eventhubs"
    );
}

#[test]
fn what_would_change_the_path_in_a_url_is_refused() {
    for bad in ["..", ".", "a%2fb", "a?b", "a#b", "a\\b", " a", "", "a\nb"] {
        let text = HUB.replace("hub1", bad);
        assert!(text.parse::<ResourceId>().is_err(), "{text}");
    }
    assert!(HUB.trim_start_matches('/').parse::<ResourceId>().is_err());
    assert!(
        HUB.replace("22222222-0000-4000-8000-000000000002", "x")
            .parse::<ResourceId>()
            .is_err()
    );
    assert!("".parse::<ResourceId>().is_err());
}

#[test]
fn a_data_connection_of_a_database_leads_back_to_it() {
    let database: DatabaseId = "/subscriptions/11111111-0000-4000-8000-000000000001/resourceGroups/rg-1/providers/Microsoft.Kusto/Clusters/adx1/Databases/My Db"
        .parse()
        .expect("an id");
    let connection = database.data_connection(&"Name 1".parse().expect("a name"));
    assert_eq!(connection.database(), database);
    assert_eq!(connection.database().cluster().name(), "adx1");
    assert_eq!(
        connection.resource().as_written().parse::<DataConnectionId>(),
        Ok(connection)
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic_and_what_it_accepts_it_gives_back(text in "\\PC{0,120}") {
        if let Ok(id) = text.parse::<ResourceId>() {
            prop_assert_eq!(id.as_written(), text.trim_end_matches('/'));
        }
    }
}
