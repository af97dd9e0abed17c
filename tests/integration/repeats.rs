//! Repeats and races: one wish is one connection, one operation and one PUT, however often and wherever it is uttered.

use std::time::Duration;

use azure_emulator::{Effect, Entry, Fault, how_to};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{App, PATIENCE, hurried, request};

#[tokio::test]
async fn a_repeated_create_gives_the_same_connection_while_it_runs_and_when_it_stands() {
    let app = App::hurried().await;
    app.operations_take(Duration::from_secs(1));
    let portal = app.how_to_portal();
    let first = portal.create_waiting(&request("telemetry"), 0).await;
    // A refreshed token is no other person.
    let running = app.how_to_portal().create_waiting(&request("telemetry"), 0).await;
    assert_eq!((first.status, running.status), (202, 202));
    portal.follow(first.operation()).await;
    let standing = portal.create(&request("telemetry")).await;
    assert_eq!((standing.status, standing.text("/state")), (200, "active"));
    for repeat in [&running, &standing] {
        assert_eq!(repeat.body["id"], first.body["id"]);
        assert_eq!(
            repeat.body["lastOperation"]["id"],
            first.body["lastOperation"]["id"]
        );
    }
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn two_spellings_of_a_request_are_the_same_request() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let first = portal.create(&request("telemetry")).await;
    let mut other = request("Telemetry");
    other["target"]["database"] = json!(how_to::DATABASE.replace("resourceGroups", "RESOURCEGROUPS"));
    other["source"]["eventHub"]["resourceId"] = json!(how_to::HUB1.to_uppercase());
    other["source"]["eventHub"]["consumerGroup"] = json!("$default");
    other["target"]["dataFormat"] = json!("Json");
    other["justification"] = json!("no part of what is made");
    let second = portal.create(&other).await;
    assert_eq!(second.status, 200, "{}", second.body);
    assert_eq!(second.body["id"], first.body["id"]);
    app.finish().await;
}

#[tokio::test]
async fn another_configuration_or_another_person_is_refused_under_the_same_name() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let first = portal.create(&request("telemetry")).await;
    let mut other = request("telemetry");
    other["target"]["table"] = json!("Alarms");
    other["target"]["mapping"].take();
    other["target"]
        .as_object_mut()
        .map(|target| target.remove("mapping"));
    portal.create(&other).await.is_problem(409, "connectionExists");
    let stranger = app
        .signed_in("acc3@domain1.com")
        .create(&request("telemetry"))
        .await;
    stranger.is_problem(409, "connectionExists");
    assert!(
        !stranger.body.to_string().contains(first.text("/id")),
        "{}",
        stranger.body
    );
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn twenty_creates_at_once_over_two_replicas_are_one() {
    let app = App::with(|config| {
        hurried(config);
        // Twenty at once may keep a slow machine busy for longer than a caller should have to wait.
        config.database.pool.acquire_timeout = PATIENCE;
    })
    .await;
    let replica = app.replica().await;
    let portal = app.how_to_portal();
    let elsewhere = portal.at(replica.address());
    let wanted = request("telemetry");
    let calls = (0..20).map(|number| {
        let portal = if number % 2 == 0 { &portal } else { &elsewhere };
        portal.create(&wanted)
    });
    let answers = join_all(calls).await;
    for answer in &answers {
        assert!(matches!(answer.status, 200 | 201), "{}", answer.body);
        assert_eq!(answer.text("/state"), "active");
        assert_eq!(answer.body["id"], answers[0].body["id"]);
        assert_eq!(
            answer.body["lastOperation"]["id"],
            answers[0].body["lastOperation"]["id"]
        );
    }
    assert_eq!(app.writes().len(), 1);
    assert_eq!(app.scalar::<i64>("select count(*) from connections").await, 1);
    assert_eq!(app.scalar::<i64>("select count(*) from operations").await, 1);
    replica.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn a_removed_name_is_free_for_a_new_connection() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let first = portal.create(&request("telemetry")).await;
    assert_eq!(portal.remove(first.text("/id")).await.text("/state"), "removed");
    let second = portal.create(&request("telemetry")).await;
    assert_eq!((second.status, second.text("/state")), (201, "active"));
    assert_ne!(second.body["id"], first.body["id"]);
    // The first one's record stays what it was, and removing it again touches nothing.
    assert_eq!(portal.remove(first.text("/id")).await.text("/state"), "removed");
    assert!(app.at_arm("telemetry").is_some());
    app.finish().await;
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_stop_the_create() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator
        .inject(Fault::arm("/dataConnections/", Effect::Delay(Duration::from_secs(1))).method("PUT"));
    let wanted = request("telemetry");
    {
        let create = portal.create(&wanted);
        let intended = async {
            portal
                .wait_for("/v1/connections", |body| body["value"][0]["state"] == "creating")
                .await
        };
        tokio::select! {
            _ = create => panic!("the create ended before its caller hung up"),
            _ = intended => {}
        }
    }
    let list = portal
        .wait_for("/v1/connections", |body| body["value"][0]["state"] == "active")
        .await;
    assert_eq!(list.body["value"].as_array().map(Vec::len), Some(1));
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_finds_at_azure_what_its_twin_has_just_made_is_the_same_create() {
    let app = App::hurried().await;
    // The first one's look at the name is late: until then the second has made the connection.
    let late = Effect::Delay(Duration::from_millis(1500));
    app.emulator
        .inject(Fault::arm("/dataConnections/telemetry", late).method("GET"));
    let (portal, wanted) = (app.how_to_portal(), request("telemetry"));
    let second = async {
        let asked = |entry: &Entry| entry.path().ends_with("/clusters/adx1");
        app.emulator
            .journal()
            .wait_for(asked, PATIENCE)
            .await
            .expect("the first one asks");
        portal.create(&wanted).await
    };
    let (first, second) = tokio::join!(portal.create(&wanted), second);
    assert_eq!(second.status, 201, "{}", second.body);
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(first.text("/id"), second.text("/id"));
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}
