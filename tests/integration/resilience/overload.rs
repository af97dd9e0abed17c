//! More requests than the service takes: they are sent away at once, those inside are answered, and health is told all the time.

use std::time::{Duration, Instant};

use azure_emulator::{Effect, Fault, how_to};
use tokio::task::JoinSet;

use super::within_the_first_tenant;
use crate::support::{App, allowing, hurried, request};

#[tokio::test]
async fn a_flood_is_sent_away_at_once_and_health_still_answers() {
    let app = App::with(|config| {
        hurried(config);
        config.server.max_requests = 8;
    })
    .await;
    // Those inside take their time.
    app.emulator
        .inject(Fault::arm("/clusters/adx1?", Effect::Delay(Duration::from_secs(4))).always());
    // Signed in before it begins.
    let portals: Vec<_> = (0..120).map(|_| app.how_to_portal()).collect();
    let mut flood = JoinSet::new();
    for (number, portal) in portals.into_iter().enumerate() {
        flood.spawn(async move {
            let asked_at = Instant::now();
            let answer = portal.create_waiting(&request(&format!("c-{number}")), 0).await;
            (answer, asked_at.elapsed())
        });
    }
    let (mut shed, mut others) = (0, 0);
    let mut asked_for_health = false;
    while let Some(answered) = flood.join_next().await {
        let (answer, took) = answered.expect("an answer");
        if answer.body["code"] == "overloaded" {
            answer.is_problem(503, "overloaded");
            assert_eq!(answer.header("retry-after"), Some("2"));
            assert_eq!(answer.body["retryable"], true);
            assert!(took < Duration::from_secs(10), "{took:?}");
            shed += 1;
        } else {
            others += 1;
        }
        if !asked_for_health {
            asked_for_health = true;
            for path in ["/livez", "/readyz"] {
                let asked_at = Instant::now();
                assert_eq!(app.portal().get(path).await.status, 200, "{path}");
                assert!(asked_at.elapsed() < Duration::from_secs(5));
            }
        }
    }
    assert!(shed >= 60, "{shed} of 120 were sent away");
    assert!(others >= 8, "{others} of 120 were answered");
    app.emulator.clear_faults();
    // Nothing of it is left: the next is taken.
    let portal = app.how_to_portal();
    let answer = portal.get("/v1/connections").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    app.all_have_ended().await;
    app.finish().await;
}

#[tokio::test]
async fn twenty_four_creates_at_once_in_one_tenant_all_succeed() {
    let app = App::with(|config| {
        hurried(config);
        config.tenants = allowing(&[how_to::DOMAIN1], &[how_to::DOMAIN1]);
    })
    .await;
    app.operations_take(Duration::from_millis(20));
    let names: Vec<String> = (0..24).map(|number| format!("c-{number}")).collect();
    app.emulator.edit(|world| {
        for name in &names {
            world.add_consumer_group(how_to::LOCAL_HUB, name).expect("a hub");
        }
    });
    // More than the places for calls take in a second, four or more of them a create.
    let slow = || Effect::Delay(Duration::from_millis(900));
    app.emulator
        .inject(Fault::arm("/subscriptions/", slow()).method("GET").always());
    let mut creates = JoinSet::new();
    for name in names {
        let portal = app.signed_in("acc1@domain1.com");
        let mut body = within_the_first_tenant(&name);
        body["source"]["eventHub"]["consumerGroup"] = name.into();
        creates.spawn(async move { portal.create_waiting(&body, 0).await });
    }
    let answers = creates.join_all().await;
    for answer in &answers {
        assert_eq!(answer.status, 202, "{}", answer.body);
    }
    app.emulator.clear_faults();
    let portal = app.signed_in("acc1@domain1.com");
    for answer in &answers {
        let ended = portal.follow(answer.operation()).await;
        assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    }
    app.finish().await;
}

#[tokio::test]
async fn those_who_wait_for_an_operation_leave_room_for_those_who_don_t() {
    let app = App::with(|config| {
        hurried(config);
        config.server.max_requests = 4;
    })
    .await;
    app.hold_operations();
    let mut waiting = JoinSet::new();
    for (name, group) in [("one", "$Default"), ("two", "cg1")] {
        let portal = app.how_to_portal();
        let mut body = request(name);
        body["source"]["eventHub"]["consumerGroup"] = group.into();
        waiting.spawn(async move { portal.create_waiting(&body, 20).await });
    }
    app.wait_until("select count(*) = 2 from operations").await;
    // Both places for waiting are taken: anyone who would wait too is told where to look.
    let portal = app.how_to_portal();
    let asked_at = Instant::now();
    let again = portal.create_waiting(&request("one"), 20).await;
    assert_eq!(again.status, 202, "{}", again.body);
    assert!(
        asked_at.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked_at.elapsed()
    );
    assert!(again.header("operation-location").is_some());
    app.release_operations();
    while let Some(answer) = waiting.join_next().await {
        let answer = answer.expect("an answer");
        assert!(matches!(answer.status, 201 | 202), "{}", answer.body);
    }
    portal.follow(again.operation()).await;
    app.all_have_ended().await;
    app.finish().await;
}
