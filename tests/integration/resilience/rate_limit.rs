//! ARM counts calls. The service asks nothing of a bucket that it was refused by until its time.

use std::time::{Duration, Instant};

use azure_emulator::{BucketSize, Effect, Entry, Fault, Host, ThrottledBody, Throttling, how_to};
use tokio::task::JoinSet;

use super::within_the_first_tenant;
use crate::support::{Answer, App, allowing, hurried, request};

fn bucket(calls: u32, refill_per_second: u32) -> BucketSize {
    BucketSize {
        calls,
        refill_per_second,
    }
}

impl App {
    fn limit(&self, throttling: Throttling) {
        self.emulator.edit(|world| world.set_throttling(throttling));
    }

    fn refused_by_arm(&self) -> Vec<Entry> {
        let entries = self.emulator.journal().entries();
        entries
            .into_iter()
            .filter(|entry| entry.host == Host::Arm && entry.status == 429)
            .collect()
    }
}

/// The same user asks for the same create from so many windows at once, each signed in anew.
async fn create_from_windows(app: &App, windows: usize) -> Vec<Answer> {
    let mut looking = JoinSet::new();
    for _ in 0..windows {
        let portal = app.signed_in("acc1@domain1.com");
        looking.spawn(async move { portal.create(&within_the_first_tenant("window")).await });
    }
    looking.join_all().await
}

#[tokio::test]
async fn a_burst_on_a_low_bucket_is_told_when_to_come_again_and_ends() {
    let app = App::with(|config| {
        hurried(config);
        config.tenants = allowing(&[how_to::DOMAIN1], &[how_to::DOMAIN1, how_to::DOMAIN2]);
    })
    .await;
    app.limit(Throttling {
        enforced: true,
        reads: bucket(30, 10),
        writes: bucket(8, 2),
        deletes: bucket(8, 2),
        ..Throttling::default()
    });
    app.operations_take(Duration::from_millis(60));
    let answers = create_from_windows(&app, 20).await;
    for answer in &answers {
        let code = answer.body["code"].as_str().unwrap_or_default();
        assert!(
            answer.status < 300
                || matches!(
                    code,
                    "upstreamUnavailable" | "connectionExists" | "nameTaken" | "changeInProgress"
                ),
            "{} {}",
            answer.status,
            answer.body
        );
        if answer.status == 503 {
            assert!(answer.header("retry-after").is_some());
        }
    }
    let portal = app.signed_in("acc1@domain1.com");
    let again = within_the_first_tenant("window");
    portal.create_at_last(&again, &[503, 409, 202]).await;
    app.all_have_ended().await;
    app.finish().await;
}

#[tokio::test]
async fn a_bucket_that_refused_is_not_asked_before_its_time_and_others_are() {
    let app = App::with(hurried).await;
    app.limit(Throttling {
        body: Some(ThrottledBody::Subscription),
        ..Throttling::default()
    });
    let refusal = Effect::Answer(azure_emulator::FaultAnswer {
        status: 429,
        headers: vec![("retry-after".to_owned(), "3".to_owned())],
        body: azure_emulator::FaultBody::Json(serde_json::json!({
            "error": { "code": "SubscriptionRequestsThrottled", "message": "Please try again after '3' seconds." }
        })),
    });
    // The first user's reads in the target's subscription.
    app.emulator.inject(Fault::arm("/clusters/adx1?", refusal));
    let refused_at = Instant::now();
    app.how_to_portal()
        .create(&request("telemetry"))
        .await
        .is_problem(503, "upstreamUnavailable");
    let before = app.asked_of_arm("/clusters/adx1");
    for _ in 0..5 {
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        // A machine that is very slow has come to the end of the time by now.
        if refused_at.elapsed() < Duration::from_secs(2) {
            answer.is_problem(503, "upstreamUnavailable");
            assert!(answer.header("retry-after").is_some());
            assert_eq!(
                app.asked_of_arm("/clusters/adx1"),
                before,
                "asked before its time"
            );
        }
    }
    app.how_to_portal()
        .create_at_last(&request("telemetry"), &[503])
        .await;
    assert!(refused_at.elapsed() >= Duration::from_secs(2));
    app.finish().await;
}

#[tokio::test]
async fn a_write_that_was_refused_holds_back_the_next_until_its_time_and_both_end() {
    let app = App::with(hurried).await;
    app.operations_take(Duration::from_millis(60));
    let refusal = Effect::status(429, &[("retry-after", "2")]);
    app.emulator
        .inject(Fault::arm("/dataConnections/one", refusal).method("PUT"));
    let portal = app.how_to_portal();
    let one = portal.create_waiting(&request("one"), 0).await;
    assert_eq!(one.status, 202, "{}", one.body);
    app.wait_for_calls("PUT", "one", 1).await;
    let mut other = request("two");
    other["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let two = portal.create_waiting(&other, 0).await;
    assert_eq!(two.status, 202, "{}", two.body);
    for created in [&one, &two] {
        let ended = portal.follow(created.operation()).await;
        assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    }
    // The second was never sent into the closed bucket.
    assert_eq!(app.calls("PUT", "two").len(), 1);
    assert_eq!(app.refused_by_arm().len(), 1);
    app.finish().await;
}
