//! The driver of work in the background: finds operations that are due and hands them to the usecases.
//! What a step does is the usecases's business; who may do it is decided by the lease in the database.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::db::DbError;
use crate::telemetry::metrics;
use crate::usecases::{UseCases, measure as measure_database};

/// The shortest pause between two looks: an operation that is due and can't be claimed must not make a busy loop.
const SHORTEST: Duration = Duration::from_millis(50);

/// What is not done by then is done the next time: on a line that is dead no answer ever comes.
const LONGEST_WORK: Duration = Duration::from_secs(60);

/// Says again and again that this replica lives, until `stop` is cancelled.
pub(crate) async fn live(usecases: UseCases, stop: CancellationToken) {
    let work = async {
        loop {
            let pause = usecases.driver.replica.heartbeat().await.unwrap_or_else(|error| {
                told(
                    &usecases,
                    &error,
                    "the other replicas can't be told that this one lives",
                );
                usecases.driver.settings.lease / 10
            });
            sleep(pause).await;
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Hears from the other replicas that somebody's turn may have come, until `stop` is cancelled. What is not heard is found by
/// looking, a moment later.
pub(crate) async fn listen(usecases: UseCases, stop: CancellationToken) {
    let work = async {
        loop {
            if let Err(error) = usecases.create.queue.listen().await {
                told(&usecases, &error, "the other replicas are not heard");
            }
            sleep(usecases.driver.settings.interval).await;
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Looks for due operations until `stop` is cancelled: when one is due, and at least every `interval`. What a caller brings
/// tokens for is taken up at once by the request itself.
pub(crate) async fn run(usecases: UseCases, interval: Duration, stop: CancellationToken) {
    loop {
        let pause = match usecases.driver.resume_due().await {
            Ok(next) => next.unwrap_or(interval).clamp(SHORTEST.min(interval), interval),
            Err(error) => {
                told(&usecases, &error, "due operations can't be looked up");
                interval
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = usecases.driver.signals.woken() => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Does what is due again and again, each kind on one replica at a time, until `stop` is cancelled.
pub(crate) async fn periodic(usecases: UseCases, stop: CancellationToken) {
    // Boxed: the task would carry all of it.
    let work = Box::pin(async {
        tokio::join!(
            repeat(
                &usecases,
                usecases.keys.sweep_every(),
                "old idempotency keys can't be deleted",
                || { usecases.keys.sweep_keys() }
            ),
            repeat(
                &usecases,
                usecases.driver.settings.interval,
                "closed records can't be looked at again",
                || {
                    usecases
                        .late_effects
                        .recheck_closed_creates(usecases.driver.settings.interval)
                }
            ),
        )
    });
    // What is cut off in the middle of it is rolled back.
    stop.run_until_cancelled(work).await;
}

/// Does one kind of periodic work without end. `work` says how long until it is due again.
async fn repeat<F: Future<Output = Result<Duration, DbError>>>(
    usecases: &UseCases,
    every: Duration,
    failed: &'static str,
    work: impl Fn() -> F,
) {
    loop {
        let pause = match timeout(LONGEST_WORK, work()).await {
            // Another replica may have got it; it comes again for all.
            Ok(Ok(next)) => next.clamp(SHORTEST.min(every), every.max(SHORTEST)),
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "{failed}");
                usecases.driver.settings.interval
            }
            Err(_) => {
                tracing::warn!("{failed} in time");
                usecases.driver.settings.interval
            }
        };
        sleep(pause).await;
    }
}

/// How often what stands in the database is counted.
const MEASURE: Duration = Duration::from_secs(15);

/// Counts open operations and connections to Postgres until `stop` is cancelled.
pub(crate) async fn measure(usecases: UseCases, stop: CancellationToken) {
    loop {
        if let Err(error) = measure_database(&usecases.driver.db).await {
            told(&usecases, &error, "open operations can't be counted");
        }
        metrics::upkeep();
        if stop.run_until_cancelled(sleep(MEASURE)).await.is_none() {
            return;
        }
    }
}

/// An outage of the database is told once, however many meet it.
fn told(usecases: &UseCases, error: &DbError, what: &'static str) {
    if error.is_outage() {
        usecases.driver.db.failed(error, what);
    } else {
        tracing::warn!(error = %error, "{what}");
    }
}
