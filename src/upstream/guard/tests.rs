//! How a guard holds calls back, and for whom.

use crate::upstream::guard::*;

const ONE: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

fn guards() -> Guards {
    Guards::new(
        Service::Entra,
        GuardLimits {
            opens_after: 2,
            at_once: 2,
            ..GuardLimits::default()
        },
    )
}

async fn in_a_minute<T>(work: impl Future<Output = T>) -> T {
    deadline::until(Some(Instant::now() + Duration::from_secs(60)), work).await
}

#[test]
fn the_pause_before_a_repetition_is_between_once_and_twice_its_length() {
    let pause = Duration::from_millis(500);
    for _ in 0..100 {
        assert!((pause..pause * 2).contains(&jittered(pause)));
    }
}

#[tokio::test]
async fn a_line_that_fails_holds_calls_back_and_another_tenants_does_not() {
    let guards = guards();
    for _ in 0..2 {
        guards
            .of(ONE)
            .await
            .enter()
            .await
            .expect("a permit")
            .record_failure();
    }
    let rejected = guards.of(ONE).await.enter_now().err().expect("a rejection");
    assert_eq!(rejected.reason, RejectedFor::Broken);
    assert!(rejected.retry_after > Duration::from_secs(8));
    guards
        .of(OTHER)
        .await
        .enter_now()
        .expect("a permit")
        .record_success();
}

#[tokio::test]
async fn the_first_call_after_the_pause_tries_and_closes_the_circuit() {
    let guards = Guards::new(
        Service::Entra,
        GuardLimits {
            opens_after: 1,
            open_for: Duration::ZERO,
            ..GuardLimits::default()
        },
    );
    let guard = guards.of(ONE).await;
    guard.enter().await.expect("a permit").record_failure();
    let trying = guard.enter().await.expect("a permit");
    assert!(guard.enter().await.is_err(), "one tries");
    trying.record_success();
    for _ in 0..2 {
        guard.enter_now().expect("a permit").record_success();
    }
}

#[tokio::test]
async fn a_line_that_hangs_is_full_and_another_tenants_is_not() {
    let guards = guards();
    let guard = guards.of(ONE).await;
    let _hanging = [
        guard.enter().await.expect("a permit"),
        guard.enter().await.expect("a permit"),
    ];
    // Somebody waits, but not for long.
    let soon = Some(Instant::now() + Duration::from_millis(100));
    let busy = deadline::until(soon, guard.enter()).await;
    assert_eq!(busy.err().expect("no place").reason, RejectedFor::Busy);
    assert!(guards.of(OTHER).await.enter_now().is_ok());
}

#[tokio::test]
async fn a_call_waits_for_a_place_as_long_as_somebody_waits_for_it_and_a_write_needs_none() {
    let guards = guards();
    let guard = guards.of(ONE).await;
    let first = guard.enter().await.expect("a permit");
    let _second = guard.enter().await.expect("a permit");
    let (waited, ()) = tokio::join!(biased; in_a_minute(guard.enter()), async {
        // Longer than any call used to wait.
        tokio::time::sleep(Duration::from_millis(1200)).await;
        guard.enter_now().expect("a permit").record_success();
        first.record_success();
    });
    assert!(waited.is_ok());
}

#[tokio::test]
async fn a_call_that_was_given_up_says_nothing_of_the_other_side() {
    let guard = guards().of(ONE).await;
    for _ in 0..5 {
        drop(guard.enter_now().expect("a permit"));
    }
    assert!(guard.enter_now().is_ok());
}

#[tokio::test]
async fn repetitions_are_a_small_part_of_all_calls_and_never_in_the_background() {
    let guard = guards().of(ONE).await;
    assert_eq!(guard.retry_delay(None), None);
    in_a_minute(async {
        for _ in 0..200 {
            guard.enter_now().expect("a permit").record_success();
        }
        let repeated = (0..200).filter(|_| guard.retry_delay(None).is_some()).count();
        assert_eq!(
            repeated,
            10 + 20,
            "one a second for ten seconds, and a tenth of the calls"
        );
    })
    .await;
}

#[tokio::test]
async fn the_pause_is_what_was_asked_for_unless_that_is_long_or_nobody_waits_so_long() {
    let guard = guards().of(ONE).await;
    in_a_minute(async {
        let second = Duration::from_secs(1);
        let pause = guard.retry_delay(Some(second)).expect("a retry");
        assert!((second..second * 2).contains(&pause));
        assert_eq!(guard.retry_delay(Some(second * 3)), None);
    })
    .await;
    let soon = Some(Instant::now() + Duration::from_millis(300));
    assert_eq!(
        deadline::until(soon, async { guard.retry_delay(None) }).await,
        None
    );
}
