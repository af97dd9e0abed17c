//! Background jobs: they find due operations and hand them to the driver.
//! `operations` decides what a step does; the lease in the database decides which replica does it.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::db::DbError;
use crate::telemetry::metrics;
use crate::usecases::{UseCases, measure as measure_database};

/// The shortest pause between two queries: an operation that is due and can't be claimed must not cause a busy loop.
const SHORTEST: Duration = Duration::from_millis(50);

/// The deadline of one run; the rest waits for the next one. On a dead connection no response ever arrives.
const LONGEST_WORK: Duration = Duration::from_secs(60);

/// Sends heartbeats of this replica until `stop` is cancelled.
pub(crate) async fn live(usecases: UseCases, stop: CancellationToken) {
    let work = async {
        loop {
            let pause = usecases.driver.replica.heartbeat().await.unwrap_or_else(|error| {
                told(&usecases, &error, "heartbeat failed");
                usecases.driver.settings.lease / 10
            });
            sleep(pause).await;
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Listens for notifications of the other replicas until `stop` is cancelled. What is missed is found by the next query.
pub(crate) async fn listen(usecases: UseCases, stop: CancellationToken) {
    let work = async {
        loop {
            if let Err(error) = usecases.create.queue.listen().await {
                told(&usecases, &error, "LISTEN connection lost");
            }
            sleep(usecases.driver.settings.interval).await;
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Queries due operations until `stop` is cancelled: when one is due, and at least every `interval`. An operation that a request
/// provides tokens for is resumed by the request itself.
pub(crate) async fn run(usecases: UseCases, interval: Duration, stop: CancellationToken) {
    loop {
        let pause = match usecases.driver.resume_due().await {
            Ok(next) => next.unwrap_or(interval).clamp(SHORTEST.min(interval), interval),
            Err(error) => {
                told(&usecases, &error, "query of due operations failed");
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

/// Runs the periodic jobs, each on one replica at a time, until `stop` is cancelled.
pub(crate) async fn periodic(usecases: UseCases, stop: CancellationToken) {
    // Boxed: the task would carry all of it.
    let work = Box::pin(async {
        tokio::join!(
            repeat(
                &usecases,
                usecases.keys.sweep_every(),
                "deletion of expired idempotency keys failed",
                || { usecases.keys.sweep_keys() }
            ),
            repeat(
                &usecases,
                usecases.driver.settings.interval,
                "recheck of closed records failed",
                || {
                    usecases
                        .late_effects
                        .recheck_closed_creates(usecases.driver.settings.interval)
                }
            ),
        )
    });
    // Work that is interrupted is rolled back.
    stop.run_until_cancelled(work).await;
}

/// Runs one periodic job forever. `work` returns the delay until it is due again.
async fn repeat<F: Future<Output = Result<Duration, DbError>>>(
    usecases: &UseCases,
    every: Duration,
    failed: &'static str,
    work: impl Fn() -> F,
) {
    loop {
        let pause = match timeout(LONGEST_WORK, work()).await {
            // Another replica may have claimed it; it is due again for all.
            Ok(Ok(next)) => next.clamp(SHORTEST.min(every), every.max(SHORTEST)),
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "{failed}");
                usecases.driver.settings.interval
            }
            Err(_) => {
                tracing::warn!("{failed}: it took too long");
                usecases.driver.settings.interval
            }
        };
        sleep(pause).await;
    }
}

/// How often rows of the database are counted.
const MEASURE: Duration = Duration::from_secs(15);

/// Counts open operations and connections to Postgres until `stop` is cancelled.
pub(crate) async fn measure(usecases: UseCases, stop: CancellationToken) {
    loop {
        if let Err(error) = measure_database(&usecases.driver.db).await {
            told(&usecases, &error, "count of open operations failed");
        }
        metrics::upkeep();
        if stop.run_until_cancelled(sleep(MEASURE)).await.is_none() {
            return;
        }
    }
}

/// Logs a failure; an outage of the database is logged once, however many jobs meet it.
fn told(usecases: &UseCases, error: &DbError, what: &'static str) {
    if error.is_outage() {
        usecases.driver.db.failed(error, what);
    } else {
        tracing::warn!(error = %error, "{what}");
    }
}
