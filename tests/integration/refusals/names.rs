//! Refused because the name is taken, at ARM or in the record.

use azure_emulator::how_to;
use serde_json::{Value, json};

use super::pointers;
use crate::support::{App, data_connection, request};

#[tokio::test]
async fn a_name_that_is_taken_at_arm_is_refused_and_what_has_it_stays_as_it_was() {
    let app = App::start().await;
    let theirs = json!({
        "properties": { "eventHubResourceId": how_to::HUB2, "consumerGroup": "cg1" }
    });
    app.emulator
        .edit(|world| world.add_data_connection(&data_connection("telemetry"), &theirs))
        .expect("the database");
    let before = app.at_arm("telemetry").expect("somebody's");
    // Names are the same whatever their case.
    for name in ["telemetry", "TELEMETRY"] {
        let answer = app.how_to_portal().create(&request(name)).await;
        answer.is_problem(409, "nameTaken");
        assert_eq!(pointers(&answer), ["/name"]);
    }
    assert_eq!(app.at_arm("telemetry"), Some(before));
    app.assert_untouched(2).await;
    app.finish().await;
}

#[tokio::test]
async fn a_name_that_another_person_has_recorded_is_refused_in_words_that_tell_nothing_of_them() {
    let mut bodies = Vec::new();
    for owner in ["acc1@domain1.com", "acc3@domain1.com"] {
        let app = App::start().await;
        let mut portal = app.signed_in(owner);
        if owner.starts_with("acc1") {
            portal = portal.with_auxiliary(&app.token("acc2@domain2.com", how_to::DOMAIN2));
        }
        let first = portal.create(&request("telemetry")).await;
        assert_eq!(first.status, 201, "{}", first.body);
        let mut other = request("telemetry");
        other["source"]["eventHub"]["resourceId"] = how_to::HUB2.into();
        // They could make one themselves; all others are told nothing at all.
        for user in ["acc6@domain1.com", "acc7@domain1.com"] {
            app.emulator
                .edit(|world| world.assign_role(user, "Contributor", how_to::CLUSTER))
                .expect("a role");
            let colleague = app
                .signed_in(user)
                .with_auxiliary(&app.token("acc2@domain2.com", how_to::DOMAIN2));
            for request in [&request("telemetry"), &other] {
                let mut answer = colleague.create(request).await;
                answer.is_problem(409, "connectionExists");
                answer.body["requestId"] = Value::Null;
                bodies.push(answer.body);
            }
        }
        assert_eq!(app.writes().len(), 1);
        assert_eq!(app.refusals().await, 4);
        app.finish().await;
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test]
async fn the_participant_of_a_connection_is_another_person_too() {
    let app = App::start().await;
    let first = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let participant = app
        .portal()
        .with_token(&app.token("acc2@domain2.com", how_to::DOMAIN2))
        .with_auxiliary(&app.token("acc1@domain1.com", how_to::DOMAIN1));
    let answer = participant.create(&request("telemetry")).await;
    answer.is_problem(409, "connectionExists");
    assert!(!answer.body.to_string().contains(first.text("/id")));
    app.finish().await;
}

#[tokio::test]
async fn the_same_person_is_told_which_connection_stands_in_the_way_of_another_configuration() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let first = portal.create(&request("telemetry")).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let mut other = request("telemetry");
    other["target"]["table"] = "Alarms".into();
    let answer = portal.create(&other).await;
    answer.is_problem(409, "connectionExists");
    assert!(answer.text("/detail").contains(first.text("/id")));
    // The same configuration is no conflict: it finds what the first request made.
    let again = portal.create(&request("Telemetry")).await;
    assert_eq!(
        (again.status, again.text("/id")),
        (200, first.text("/id")),
        "{}",
        again.body
    );
    assert_eq!(app.writes().len(), 1);
    assert_eq!(app.refusals().await, 1);
    app.finish().await;
}
