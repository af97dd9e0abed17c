//! When keys are fetched, and what happens while they can't be.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};

use super::super::testing::{LocalEntra, PUBLISHED, Reply, SECOND, TestKey, user_claims_with};
use super::super::{Entra, TokenError, TokenRefusal};
use crate::clock::Clock;

const TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
const HOUR: Duration = Duration::from_secs(3600);

/// Whether a token that was just signed with this key is taken.
async fn check(entra: &Entra, clock: &Clock, key: &TestKey) -> Result<(), TokenError> {
    let now = clock.now().timestamp();
    let token = key.sign(&user_claims_with(&json!({"nbf": now, "exp": now + 3600})));
    entra.validate(SecretString::from(token)).await.map(|_| ())
}

fn both() -> [Value; 2] {
    [PUBLISHED.published(TEMPLATE), SECOND.published(TEMPLATE)]
}

fn is_unavailable(outcome: &Result<(), TokenError>) -> bool {
    matches!(outcome, Err(TokenError::Unavailable { retry_after }) if !retry_after.is_zero())
}

#[tokio::test]
async fn a_hundred_tokens_that_arrive_together_fetch_the_keys_once() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    let outcomes = futures_util::future::join_all((0..100).map(|_| check(&entra, &clock, &PUBLISHED))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(local.key_requests(), 1);
}

#[tokio::test]
async fn a_key_is_refused_only_after_a_look_that_began_when_its_token_was_there() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    check(&entra, &clock, &PUBLISHED).await.expect("a valid token");
    assert_eq!(
        check(&entra, &clock, &SECOND).await,
        Err(TokenRefusal::UnknownKey.into())
    );
    assert_eq!(local.key_requests(), 2);
}

#[tokio::test]
async fn keys_that_rotate_again_and_again_within_the_interval_are_found_at_once() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    local.publish(&[PUBLISHED.published(TEMPLATE)]);
    check(&entra, &clock, &PUBLISHED).await.expect("the first key");
    for key in [&SECOND, &PUBLISHED, &SECOND] {
        clock.advance(Duration::from_secs(1));
        local.publish(&[key.published(TEMPLATE)]);
        check(&entra, &clock, key).await.expect("the key of this moment");
    }
    assert_eq!(local.key_requests(), 4);
}

#[tokio::test]
async fn made_up_keys_cause_few_fetches_and_then_nobody_is_refused_until_the_next() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    check(&entra, &clock, &PUBLISHED).await.expect("a valid token");
    let mut outcomes = Vec::new();
    for _ in 0..50 {
        outcomes.push(check(&entra, &clock, &SECOND).await);
    }
    let refused = Err(TokenRefusal::UnknownKey.into());
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == refused).count(), 10);
    assert_eq!(
        outcomes.iter().filter(|outcome| is_unavailable(outcome)).count(),
        40
    );
    assert_eq!(local.key_requests(), 11);
    // The key is published meanwhile: its tokens are told to come back, and are taken then.
    local.publish(&both());
    let Err(TokenError::Unavailable { retry_after }) = check(&entra, &clock, &SECOND).await else {
        panic!("the key was not looked for since it was published");
    };
    assert_eq!(retry_after, Duration::from_secs(30));
    check(&entra, &clock, &PUBLISHED)
        .await
        .expect("a known key needs no look");
    clock.advance(retry_after);
    check(&entra, &clock, &SECOND).await.expect("the new key");
    assert_eq!(local.key_requests(), 12);
}

#[tokio::test]
async fn a_hundred_made_up_keys_that_arrive_together_share_what_one_fetch_brings() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    check(&entra, &clock, &PUBLISHED).await.expect("a valid token");
    let outcomes = futures_util::future::join_all((0..100).map(|_| check(&entra, &clock, &SECOND))).await;
    let refused = Err(TokenRefusal::UnknownKey.into());
    assert!(outcomes.iter().all(|outcome| *outcome == refused), "{outcomes:?}");
    assert_eq!(local.key_requests(), 2);
}

#[tokio::test]
async fn a_look_that_fails_after_one_that_succeeded_refuses_nobody() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    check(&entra, &clock, &PUBLISHED).await.expect("a valid token");
    local.answer_keys(Reply::text(200, "no JSON"));
    assert!(is_unavailable(&check(&entra, &clock, &SECOND).await));
}

#[tokio::test]
async fn a_fetch_under_way_holds_up_nobody_whose_key_is_known() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    check(&entra, &clock, &PUBLISHED).await.expect("a valid token");
    clock.advance(Duration::from_secs(300));
    local.publish(&both());
    local.hold();
    let mut waiting = Box::pin(check(&entra, &clock, &SECOND));
    tokio::select! {
        outcome = &mut waiting => panic!("answered without an answer: {outcome:?}"),
        () = local.key_requests_reach(2) => {}
    }
    check(&entra, &clock, &PUBLISHED).await.expect("a known key");
    local.release();
    waiting.await.expect("the new key");
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_stop_the_fetch_for_the_others() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    local.hold();
    let mut leader = Box::pin(check(&entra, &clock, &PUBLISHED));
    tokio::select! {
        outcome = &mut leader => panic!("answered without an answer: {outcome:?}"),
        () = local.key_requests_reach(1) => {}
    }
    drop(leader);
    local.release();
    check(&entra, &clock, &PUBLISHED).await.expect("a valid token");
    assert_eq!(local.key_requests(), 1);
}

#[tokio::test]
async fn without_any_keys_nothing_is_refused_and_the_next_attempt_comes_soon() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    for (attempt, reply) in [
        Reply::text(503, "busy"),
        Reply::text(200, "no JSON"),
        Reply::json(200, &json!({"keys": []})),
        Reply::json(200, &json!({"keys": [{"kty": "EC", "kid": "key-1"}]})),
        Reply::text(302, "").header("location", "http://127.0.0.1:1/"),
        Reply::text(
            200,
            &format!("{}{}", " ".repeat(1024 * 1024), json!({"keys": both()})),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        local.answer_keys(reply);
        assert!(is_unavailable(&check(&entra, &clock, &PUBLISHED).await));
        // At once again: not asked again.
        assert!(is_unavailable(&check(&entra, &clock, &PUBLISHED).await));
        assert_eq!(local.key_requests(), attempt + 1);
        clock.advance(Duration::from_secs(5));
    }
    local.publish(&both());
    check(&entra, &clock, &PUBLISHED).await.expect("a valid token");
}

#[tokio::test]
async fn the_last_good_keys_stay_in_use_through_an_outage_and_an_unknown_one_is_not_refused() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    check(&entra, &clock, &PUBLISHED).await.expect("a valid token");
    local.answer_keys(Reply::text(500, ""));
    clock.advance(HOUR * 48);
    check(&entra, &clock, &PUBLISHED)
        .await
        .expect("the last good key");
    assert_eq!(local.key_requests(), 2);
    assert!(is_unavailable(&check(&entra, &clock, &SECOND).await));
}

#[tokio::test]
async fn a_key_that_was_withdrawn_is_refused_once_its_life_is_over() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    check(&entra, &clock, &PUBLISHED).await.expect("a valid token");
    local.publish(&[SECOND.published(TEMPLATE)]);
    clock.advance(HOUR * 24);
    assert_eq!(
        check(&entra, &clock, &PUBLISHED).await,
        Err(TokenRefusal::UnknownKey.into())
    );
}

#[tokio::test]
async fn keys_are_renewed_in_the_background_well_before_their_life_is_over() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    check(&entra, &clock, &PUBLISHED).await.expect("a valid token");
    local.publish(&[SECOND.published(TEMPLATE)]);
    clock.advance(HOUR);
    check(&entra, &clock, &PUBLISHED).await.expect("the key at hand");
    entra.finish().await;
    assert_eq!(local.key_requests(), 2);
    check(&entra, &clock, &SECOND).await.expect("the renewed key");
}
