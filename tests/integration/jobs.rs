//! Periodic jobs: what is told of one that fails.

use std::time::Duration;

use crate::support::{App, eventually};

/// What the database answers to each run.
const REFUSED: &str = "no key is deleted while this test says so";

#[tokio::test]
async fn a_job_that_fails_is_logged_once_and_counts_as_succeeded_only_when_it_is_again() {
    let app = App::hurried_with(|config| config.idempotency.sweep_every = Duration::from_millis(100)).await;
    app.as_owner(&format!(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception '{REFUSED}'; end $$;
         create trigger refuse before delete on idempotency_keys for each statement execute function refuse()"
    ))
    .await;
    app.wait_for_log(REFUSED, "a periodic job failed again").await;
    app.as_owner("update schedules set succeeded_at = now() - interval '1 day'")
        .await;
    let failures = app.log_lines(REFUSED, "a periodic job failed again");
    let more =
        eventually(async || (app.log_lines(REFUSED, "a periodic job failed again") > failures).then_some(()));
    more.await.expect("it is tried again and again");
    assert_eq!(app.log_lines(REFUSED, "a periodic job failed; "), 1);
    let is_old =
        "select succeeded_at < now() - interval '1 hour' from schedules where name = 'sweepIdempotencyKeys'";
    assert!(app.scalar::<bool>(is_old).await);
    app.as_owner("drop trigger refuse on idempotency_keys").await;
    app.wait_until(
        "select succeeded_at > now() - interval '1 hour' from schedules where name = 'sweepIdempotencyKeys'",
    )
    .await;
    assert_eq!(app.log_lines(REFUSED, "a periodic job failed; "), 1);
    app.finish().await;
}
