//! The matrix misses nothing: every call that the service makes has its row, every row is run, and every cell says something.

use std::collections::HashSet;

use super::ROWS;
use super::calls::Call;
use super::outcome::Cell;
use super::table_checks::cell;
use super::troubles::Trouble;
use crate::support::{App, request};

#[test]
fn every_call_has_its_row_and_every_trouble_means_something_somewhere() {
    let run: HashSet<Call> = ROWS.iter().copied().collect();
    assert_eq!((run.len(), ROWS.len()), (Call::ALL.len(), Call::ALL.len()));
    for trouble in Trouble::ALL {
        assert!(
            Call::ALL
                .iter()
                .any(|call| matches!(cell(*call, *trouble), Cell::Leads(_))),
            "{trouble:?} means nothing to any call"
        );
    }
    for call in Call::ALL {
        for trouble in Trouble::ALL {
            if let Cell::Meaningless(why) = cell(*call, *trouble) {
                assert!(why.len() > 10, "{call:?} {trouble:?}");
            }
        }
    }
}

/// Whatever leaves the service in a connection's life, and for those who look at it, is a call of the table.
#[tokio::test]
async fn every_call_that_the_service_makes_is_in_the_table() {
    let app = App::hurried().await;
    let mut body = request("telemetry");
    body["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let created = app.how_to_portal().create(&body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = created.text("/id");
    let hub = azure_emulator::how_to::HUB1;
    app.emulator
        .edit(|world| world.assign_role("acc8@domain2.com", "Reader", hub))
        .expect("a role");
    let database = azure_emulator::how_to::DATABASE;
    let reader = app.signed_in("acc6@domain1.com");
    let other = app.token("acc8@domain2.com", azure_emulator::how_to::DOMAIN2);
    for path in [
        format!("/v1/connections/{id}"),
        format!("/v1/connections/{id}/events"),
        format!("/v1/connections?database={database}"),
        format!("/v1/connections?source={hub}"),
    ] {
        reader.get(&path).await;
        app.portal().with_token(&other).get(&path).await;
    }
    let removed = app.how_to_portal().remove(id).await;
    assert_eq!(removed.text("/state"), "removed");
    let entries = app.emulator.journal().entries();
    let of = |entry: &azure_emulator::Entry| Call::ALL.iter().any(|call| call.is(entry, "telemetry"));
    for entry in &entries {
        // The keys and tokens of either tenant are the same calls.
        let tenants = [azure_emulator::how_to::DOMAIN1, azure_emulator::how_to::DOMAIN2];
        let mut same = entry.clone();
        same.path_and_query = same.path_and_query.replace(tenants[0], tenants[1]);
        assert!(
            of(entry) || of(&same),
            "{} {} is in no row",
            entry.method,
            entry.path_and_query
        );
    }
    // And the other way round, as far as a life without trouble makes the call.
    for call in Call::ALL {
        assert!(
            entries.iter().any(|entry| call.is(entry, "telemetry")),
            "{call:?} is never made"
        );
    }
    app.finish().await;
}
