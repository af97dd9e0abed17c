//! What Azure puts off because the cluster is busy: sent again when it said, and not once more than that.

use std::time::Duration;

use azure_emulator::{Effect, Entry, Fault, FaultAnswer, FaultBody, ParallelWrites};
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{App, request};

/// Kusto's answer while another change of the cluster runs, as recorded, with a time to come back.
fn busy() -> Effect {
    let message = "[Conflict] Cluster 'adx1' is in process of maintenance for a short period. You may retry to invoke the operation in a few minutes.";
    Effect::Answer(FaultAnswer {
        status: 409,
        headers: vec![("retry-after".to_owned(), "1".to_owned())],
        body: FaultBody::Json(json!({ "error": { "code": "ServiceIsInMaintenance", "message": message } })),
    })
}

/// The write was sent as often as it was put off and once more, each time as long after the last as Azure asked for.
#[track_caller]
fn are_apart(writes: &[Entry], count: usize) {
    assert_eq!(writes.len(), count);
    for pair in writes.windows(2) {
        assert!(pair[1].at - pair[0].at >= TimeDelta::seconds(1));
    }
}

#[tokio::test]
async fn a_change_of_a_busy_cluster_is_sent_again_no_sooner_than_azure_said() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    for method in ["PUT", "DELETE"] {
        let fault = Fault::arm("/dataConnections/", busy());
        app.emulator.inject(fault.method(method).times(2));
    }
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(
        (created.status, created.text("/state")),
        (201, "active"),
        "{}",
        created.body
    );
    are_apart(&app.calls("PUT", "telemetry"), 3);
    let removed = portal.remove(created.text("/id")).await;
    assert_eq!(
        (removed.status, removed.text("/state")),
        (200, "removed"),
        "{}",
        removed.body
    );
    are_apart(&app.calls("DELETE", "telemetry"), 3);
    // Three PUTs and three DELETEs: nothing else was sent.
    assert_eq!(app.writes().len(), 6);
    app.finish().await;
}

#[tokio::test]
async fn changes_of_one_cluster_come_one_after_the_other_and_azure_has_none_to_refuse() {
    let app = App::hurried().await;
    app.operations_take(Duration::from_millis(700));
    app.emulator
        .edit(|world| world.set_parallel_writes(ParallelWrites::Refused));
    let portal = app.how_to_portal();
    let (telemetry, mut other) = (request("telemetry"), request("other"));
    other["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let (first, second) = tokio::join!(portal.create(&telemetry), portal.create(&other));
    for created in [&first, &second] {
        assert_eq!(
            (created.status, created.text("/state")),
            (201, "active"),
            "{}",
            created.body
        );
    }
    let (one, another) = tokio::join!(
        portal.remove(first.text("/id")),
        portal.remove(second.text("/id"))
    );
    for removed in [&one, &another] {
        assert_eq!(
            (removed.status, removed.text("/state")),
            (200, "removed"),
            "{}",
            removed.body
        );
    }
    for (method, taken) in [("PUT", 201), ("DELETE", 202)] {
        for name in ["telemetry", "other"] {
            let answers: Vec<u16> = app.calls(method, name).iter().map(|call| call.status).collect();
            assert_eq!(answers, [taken], "{method} {name}");
        }
    }
    app.finish().await;
}
