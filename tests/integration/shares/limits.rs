//! How often one person may ask.

use tokio::task::JoinSet;

use crate::support::{App, eventually};

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back_and_others_are_answered() {
    let app = App::with(|config| config.limits.per_person = 60).await;
    let portal = app.signed_in("acc1@domain1.com");
    let refused = eventually(async || {
        let answer = portal.get("/v1/connections").await;
        (answer.status != 200).then_some(answer)
    });
    let refused = refused.await.expect("the limit is reached");
    refused.is_problem(429, "tooManyRequests");
    assert_eq!(refused.body["retryable"], true);
    assert_eq!(refused.header("ratelimit-policy"), Some("\"person\";q=60;w=60"));
    assert_eq!(refused.header("ratelimit"), Some("\"person\";r=0;t=1"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    app.wait_for_log("limits.per_person", "\"http.limit\":\"person\"")
        .await;
    // It is the person who is counted, whatever token and portal they come with, and nobody else.
    let other = app.signed_in("acc3@domain1.com");
    assert_eq!(other.get("/v1/connections").await.status, 200);
    let again = eventually(async || {
        let answer = app.signed_in("acc1@domain1.com").get("/v1/connections").await;
        (answer.status == 200).then_some(())
    });
    assert!(again.await.is_some(), "they may come back");
    app.finish().await;
}

#[tokio::test]
async fn who_is_refused_for_asking_too_often_is_in_no_ledger() {
    let app = App::with(|config| config.limits.per_person = 1).await;
    let portal = app.how_to_portal();
    assert_eq!(portal.get("/v1/connections").await.status, 200);
    let refused = portal.create(&serde_json::json!({ "wrong": 1 })).await;
    refused.is_problem(429, "tooManyRequests");
    let recorded: i64 = app.scalar("select count(*) from ledger_events").await;
    assert_eq!(recorded, 0);
    app.finish().await;
}

#[tokio::test]
async fn refusals_over_the_limit_are_left_out_of_the_ledger_and_counted_in_the_next_that_is_written() {
    // One comes back every five seconds.
    let app = App::with(|config| config.limits.refusals_logged = 12).await;
    let wrong = serde_json::json!({ "wrong": 1 });
    let refuse = async |user: &str| {
        let answer = app.signed_in(user).create(&wrong).await;
        answer.is_problem(400, "invalidRequest");
    };
    let mut flood = JoinSet::new();
    for _ in 0..40 {
        let (portal, wrong) = (app.signed_in("acc1@domain1.com"), wrong.clone());
        flood.spawn(async move { portal.create(&wrong).await });
    }
    for answer in flood.join_all().await {
        answer.is_problem(400, "invalidRequest");
    }
    let written: i64 = app.scalar("select count(*) from ledger_events").await;
    assert!((12..40).contains(&written), "{written} of 40");
    let mut sent = 40;
    let told = eventually(async || {
        refuse("acc1@domain1.com").await;
        sent += 1;
        let told: bool = app
            .scalar("select exists (select from ledger_events where details ? 'leftOutBefore')")
            .await;
        told.then_some(())
    });
    assert!(told.await.is_some(), "it is not told how many were left out");
    let accounted: i64 = app
        .scalar("select count(*) + sum(coalesce((details ->> 'leftOutBefore')::bigint, 0))::bigint from ledger_events")
        .await;
    assert_eq!(accounted, sent, "each refusal is written or counted");
    // Somebody else's are written.
    refuse("acc3@domain1.com").await;
    let people: i64 = app
        .scalar("select count(distinct person_id) from ledger_events")
        .await;
    assert_eq!(people, 2);
    app.finish().await;
}
