//! How a line holds calls back, and for whom.

use crate::upstream::guard::*;

const ONE: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

fn lines() -> Guards {
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
    let lines = lines();
    for _ in 0..2 {
        lines.of(ONE).await.enter().await.expect("leave").fails();
    }
    let held_back = lines.of(ONE).await.enter_now().err().expect("held back");
    assert_eq!(held_back.reason, RejectedFor::Broken);
    assert!(held_back.retry_after > Duration::from_secs(8));
    lines.of(OTHER).await.enter_now().expect("leave").works();
}

#[tokio::test]
async fn the_first_call_after_the_pause_tries_and_closes_the_circuit() {
    let lines = Guards::new(
        Service::Entra,
        GuardLimits {
            opens_after: 1,
            open_for: Duration::ZERO,
            ..GuardLimits::default()
        },
    );
    let line = lines.of(ONE).await;
    line.enter().await.expect("leave").fails();
    let trying = line.enter().await.expect("leave to try");
    assert!(line.enter().await.is_err(), "one tries");
    trying.works();
    for _ in 0..2 {
        line.enter_now().expect("leave").works();
    }
}

#[tokio::test]
async fn a_line_that_hangs_is_full_and_another_tenants_is_not() {
    let lines = lines();
    let line = lines.of(ONE).await;
    let _hanging = [
        line.enter().await.expect("leave"),
        line.enter().await.expect("leave"),
    ];
    // Somebody waits, but not for long.
    let soon = Some(Instant::now() + Duration::from_millis(100));
    let busy = deadline::until(soon, line.enter()).await;
    assert_eq!(busy.err().expect("no place").reason, RejectedFor::Busy);
    assert!(lines.of(OTHER).await.enter_now().is_ok());
}

#[tokio::test]
async fn a_call_waits_for_a_place_as_long_as_somebody_waits_for_it_and_a_write_needs_none() {
    let lines = lines();
    let line = lines.of(ONE).await;
    let first = line.enter().await.expect("leave");
    let _second = line.enter().await.expect("leave");
    let (waited, ()) = tokio::join!(biased; in_a_minute(line.enter()), async {
        // Longer than any call used to wait.
        tokio::time::sleep(Duration::from_millis(1200)).await;
        line.enter_now().expect("leave").works();
        first.works();
    });
    assert!(waited.is_ok());
}

#[tokio::test]
async fn a_call_that_was_given_up_says_nothing_of_the_other_side() {
    let line = lines().of(ONE).await;
    for _ in 0..5 {
        drop(line.enter_now().expect("leave"));
    }
    assert!(line.enter_now().is_ok());
}

#[tokio::test]
async fn repetitions_are_a_small_part_of_all_calls_and_never_in_the_background() {
    let line = lines().of(ONE).await;
    assert_eq!(line.repetition(None), None);
    in_a_minute(async {
        for _ in 0..200 {
            line.enter_now().expect("leave").works();
        }
        let repeated = (0..200).filter(|_| line.repetition(None).is_some()).count();
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
    let line = lines().of(ONE).await;
    in_a_minute(async {
        let second = Duration::from_secs(1);
        let pause = line.repetition(Some(second)).expect("a repetition");
        assert!((second..second * 2).contains(&pause));
        assert_eq!(line.repetition(Some(second * 3)), None);
    })
    .await;
    let soon = Some(Instant::now() + Duration::from_millis(300));
    assert_eq!(deadline::until(soon, async { line.repetition(None) }).await, None);
}
