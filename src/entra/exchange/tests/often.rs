//! How often Entra is asked: once for all who wait, not again for what is remembered, and less where it fails.

use super::*;

#[tokio::test]
async fn one_token_serves_all_callers_until_its_last_minutes_and_each_tenant_has_its_own() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    let token = accepted(&entra, &user_claims_with(&json!({"exp": START + 9000}))).await;
    let outcomes = join_all((0..50).map(|_| entra.exchange(&token, HOME))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(local.token_requests().len(), 1);
    entra.exchange(&token, OTHER).await.expect("a token");
    assert_eq!(local.token_requests().len(), 2);
    clock.advance(Duration::from_secs(3699));
    entra.exchange(&token, HOME).await.expect("the same token");
    assert_eq!(local.token_requests().len(), 2);
    clock.advance(Duration::from_secs(1));
    local.reply(issued(&arm_token(HOME, &json!({"exp": START + 9000}))));
    entra.exchange(&token, HOME).await.expect("a new token");
    assert_eq!(local.token_requests().len(), 3);
}

#[tokio::test]
async fn a_cached_token_ends_with_the_users_own_and_another_token_of_the_user_finds_nothing() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    let token = accepted(&entra, &user_claims_with(&json!({"exp": START + 600}))).await;
    entra.exchange(&token, HOME).await.expect("a token");
    let newer = accepted(&entra, &user_claims_with(&json!({"uti": "unique-2"}))).await;
    entra.exchange(&newer, HOME).await.expect("a token");
    assert_eq!(local.token_requests().len(), 2);
    clock.advance(Duration::from_secs(630));
    entra
        .exchange(&token, HOME)
        .await
        .expect("within the skew Entra decides");
    assert_eq!(local.token_requests().len(), 3);
    clock.advance(Duration::from_secs(30));
    assert_eq!(
        kind(entra.exchange(&token, HOME).await),
        ExchangeErrorKind::Reauthenticate
    );
    assert_eq!(local.token_requests().len(), 3);
}

#[tokio::test]
async fn a_caller_who_hangs_up_neither_fails_the_others_nor_starts_a_second_exchange() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let token = accepted(&entra, &user_claims()).await;
    local.hold();
    let mut leader = Box::pin(entra.exchange(&token, HOME));
    tokio::select! {
        outcome = &mut leader => panic!("answered without an answer: {outcome:?}"),
        () = local.token_requests_reach(1) => {}
    }
    let mut follower = Box::pin(entra.exchange(&token, HOME));
    tokio::select! {
        biased;
        outcome = &mut follower => panic!("answered without an answer: {outcome:?}"),
        () = std::future::ready(()) => {}
    }
    drop(leader);
    local.release();
    follower.await.expect("a token");
    assert_eq!(local.token_requests().len(), 1);
}

#[tokio::test]
async fn an_error_is_shared_by_those_who_waited_for_it_and_remembered_for_nobody() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let token = accepted(&entra, &user_claims()).await;
    local.reply(Reply::json(
        400,
        &json!({"error": "invalid_grant", "suberror": "consent_required", "error_codes": [65001]}),
    ));
    local.hold();
    let mut waiting = Box::pin(join_all((0..5).map(|_| entra.exchange(&token, HOME))));
    tokio::select! {
        outcomes = &mut waiting => panic!("answered without an answer: {outcomes:?}"),
        () = local.token_requests_reach(1) => {}
    }
    local.release();
    for outcome in waiting.await {
        assert_eq!(kind(outcome), ExchangeErrorKind::Consent);
    }
    assert_eq!(local.token_requests().len(), 1);
    entra.exchange(&token, HOME).await.expect("consent was given");
    assert_eq!(local.token_requests().len(), 2);
}

#[tokio::test]
async fn trouble_at_entra_is_tried_once_more_unless_it_named_a_time_or_throttles() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let token = accepted(&entra, &user_claims()).await;
    let unavailable = ExchangeErrorKind::Unavailable { retry_after: None };

    local.reply(Reply::text(503, "busy"));
    assert_eq!(
        kind(entra.exchange(&token, HOME).await),
        unavailable,
        "nobody waits"
    );
    local.reply(Reply::text(503, "busy"));
    waited_for(entra.exchange(&token, HOME))
        .await
        .expect("the second attempt");
    assert_eq!(local.token_requests().len(), 3);

    local.reply(Reply::text(502, ""));
    local.reply(Reply::text(500, ""));
    assert_eq!(kind(waited_for(entra.exchange(&token, OTHER)).await), unavailable);
    assert_eq!(local.token_requests().len(), 5);

    local.reply(Reply::text(503, "").header("retry-after", "20"));
    let named = ExchangeErrorKind::Unavailable {
        retry_after: Some(Duration::from_secs(20)),
    };
    assert_eq!(kind(waited_for(entra.exchange(&token, OTHER)).await), named);
    assert_eq!(local.token_requests().len(), 6);

    local.reply(Reply::text(429, "Too Many Requests").header("retry-after", "60"));
    let throttled = ExchangeErrorKind::Throttled {
        retry_after: Some(Duration::from_secs(60)),
    };
    assert_eq!(kind(waited_for(entra.exchange(&token, OTHER)).await), throttled);
    local.reply(Reply::text(429, ""));
    assert_eq!(
        kind(waited_for(entra.exchange(&token, OTHER)).await),
        ExchangeErrorKind::Throttled { retry_after: None }
    );
    assert_eq!(local.token_requests().len(), 8);
}

#[tokio::test]
async fn after_failures_in_a_row_a_tenant_is_left_alone_and_another_is_not() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let token = accepted(&entra, &user_claims()).await;
    for _ in 0..5 {
        local.reply(Reply::text(500, ""));
        entra.exchange(&token, OTHER).await.expect_err("an outage");
    }
    let ExchangeErrorKind::Unavailable {
        retry_after: Some(later),
    } = kind(entra.exchange(&token, OTHER).await)
    else {
        panic!("no time to come back")
    };
    assert!((Duration::from_secs(8)..=Duration::from_secs(10)).contains(&later));
    assert_eq!(local.token_requests().len(), 5);
    entra.exchange(&token, HOME).await.expect("another tenant");
}

#[tokio::test]
async fn an_exchange_that_fails_again_and_again_is_not_asked_for_until_entra_takes_it_for_no_loop() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    let token = accepted(&entra, &user_claims()).await;
    let no_consent = json!({"error": "invalid_grant", "error_codes": [65001]});
    for _ in 0..14 {
        local.reply(Reply::json(400, &no_consent));
        assert_eq!(
            kind(entra.exchange(&token, OTHER).await),
            ExchangeErrorKind::Consent
        );
        clock.advance(Duration::from_secs(2));
    }
    for _ in 0..3 {
        assert_eq!(
            kind(entra.exchange(&token, OTHER).await),
            ExchangeErrorKind::Unavailable {
                retry_after: Some(Duration::from_secs(300 - 28))
            }
        );
    }
    assert_eq!(local.token_requests().len(), 14);
    clock.advance(Duration::from_secs(300 - 28));
    entra.exchange(&token, OTHER).await.expect("consent was given");
}

#[tokio::test]
async fn shutting_down_waits_for_the_exchange_whose_caller_is_gone() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let token = accepted(&entra, &user_claims()).await;
    local.hold();
    let mut leader = Box::pin(entra.exchange(&token, HOME));
    tokio::select! {
        outcome = &mut leader => panic!("answered without an answer: {outcome:?}"),
        () = local.token_requests_reach(1) => {}
    }
    drop(leader);
    local.release();
    entra.finish().await;
    entra
        .exchange(&token, HOME)
        .await
        .expect("the token that the task left");
    assert_eq!(local.token_requests().len(), 1);
}
