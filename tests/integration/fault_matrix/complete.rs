//! The matrix misses nothing: every call that the service makes has its row, every row is run, and every cell says something.

use std::collections::HashSet;

use super::ROWS;
use super::calls::Call;
use super::outcome::Cell;
use super::table_checks::cell;
use super::troubles::Trouble;
use azure_emulator::{Entry, Fault, TokenKind, how_to};

use crate::support::{App, claims_challenge, continue_operation, hurried, request};

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
    let mut app = App::with(|config| {
        hurried(config);
        config.tenants.service_reads = [how_to::DOMAIN1.parse().expect("a GUID")].into();
    })
    .await;
    for (user, scope) in [
        ("acc8@domain2.com", how_to::HUB1),
        (how_to::TENANT_BRIDGE, how_to::CLUSTER),
    ] {
        app.emulator
            .edit(|world| world.assign_role(user, "Reader", scope))
            .expect("a role");
    }
    // A create that the service has to bring to its end by itself.
    app.hold_operations();
    let mut body = request("telemetry");
    body["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let created = app.how_to_portal().create_waiting(&body, 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    app.wait_for_calls("PUT", "telemetry", 1).await;
    app.stop_service().await;
    app.start_service().await;
    app.release_operations();
    app.all_have_ended().await;
    let id = created.text("/id");
    look_at(&app, id).await;
    // A removal that ARM demands more proof for, and somebody who goes on with it.
    let delete = Fault::arm("/dataConnections/", claims_challenge());
    app.emulator.inject(delete.method("DELETE"));
    let removal = app.how_to_portal().remove_waiting(id, 0).await;
    let operation = removal.text("/lastOperation/id");
    let path = format!("/v1/operations/{operation}");
    let waits = |body: &serde_json::Value| body["status"] == "awaitingCaller";
    app.how_to_portal().wait_for(&path, waits).await;
    let removed = continue_operation(&app.satisfying_portal(), operation, None, 20).await;
    assert_eq!(removed.text("/status"), "succeeded", "{}", removed.body);
    are_those_of_the_table(&app.emulator.journal().entries());
    app.finish().await;
}

/// Those who look at a connection.
async fn look_at(app: &App, id: &str) {
    let reader = app.signed_in("acc6@domain1.com");
    let other = app.token("acc8@domain2.com", how_to::DOMAIN2);
    for path in [
        format!("/v1/connections/{id}"),
        format!("/v1/connections/{id}/events"),
        format!("/v1/connections?database={}", how_to::DATABASE),
        format!("/v1/connections?source={}", how_to::HUB1),
        format!("/v1/connections?source={}", how_to::NAMESPACE),
    ] {
        reader.get(&path).await;
        app.portal().with_token(&other).get(&path).await;
    }
}

#[track_caller]
fn are_those_of_the_table(entries: &[Entry]) {
    for entry in entries {
        // The keys and tokens of either tenant are the same calls.
        let mut same = entry.clone();
        same.path_and_query = same.path_and_query.replace(how_to::DOMAIN1, how_to::DOMAIN2);
        let is_in = |entry: &Entry| Call::ALL.iter().any(|call| call.is(entry, "telemetry"));
        assert!(
            is_in(entry) || is_in(&same) || is_own_poll(entry),
            "{} {} is in no row",
            entry.method,
            entry.path_and_query
        );
    }
    // And the other way round.
    for call in Call::ALL {
        assert!(
            entries.iter().any(|entry| call.is(entry, "telemetry")),
            "{call:?} is never made"
        );
    }
}

/// The service asks after an operation with its own token as it does with a person's, and what it meets is told by the same code.
fn is_own_poll(entry: &Entry) -> bool {
    let own = entry.primary.as_ref().map(|token| token.kind == TokenKind::App);
    own == Some(true) && entry.path_and_query.contains("/operationResults/")
}
