//! The worker's places: what is under way for long keeps nothing that a dead replica left from being taken over.

use std::time::Duration;

use crate::support::{App, request};

#[tokio::test]
async fn what_callers_began_and_what_azure_carries_out_leaves_room_for_what_a_dead_replica_had() {
    let app = App::hurried_with(|config| {
        config.worker.lease = Duration::from_secs(1);
        config.worker.slot_timeout = Duration::from_millis(300);
        config.worker.concurrency = 1;
    })
    .await;
    let mortal = app.mortal().await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let begin = async |at, name: &str, group: &str| {
        let mut wanted = request(name);
        wanted["source"]["eventHub"]["consumerGroup"] = group.into();
        let created = portal.at(at).create_waiting(&wanted, 0).await;
        assert_eq!(created.status, 202, "{}", created.body);
        app.wait_for_calls("PUT", name, 1).await;
        created
    };
    let fresh = begin(app.address(), "fresh", "$Default").await;
    // The worker took this one up when its turn came.
    let waited = begin(app.address(), "waited", "cg1").await;
    let left = begin(mortal.address(), "left", "cg2").await;
    mortal.kill();
    let path = format!("/v1/connections/{}", left.text("/id"));
    portal
        .wait_for(&path, |body| body["lastOperation"]["status"] == "awaitingCaller")
        .await;
    app.release_operations();
    for created in [&fresh, &waited, &left] {
        let ended = portal.continue_to_end(created.text("/lastOperation/id")).await;
        assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    }
    app.finish().await;
}
