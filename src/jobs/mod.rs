//! Work in the background: the loops that find due operations, run periodic jobs (`periodic`), measure, and keep this replica
//! known to the others. What the work does is in the use cases and the driver.

mod periodic;

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::db::{DbError, schedules};
use crate::telemetry::metrics;
use crate::usecases::{UseCases, measure as measure_database};

pub(crate) use periodic::run_periodic;

/// The shortest pause between two looks: an operation that is due and can't be claimed must not make a busy loop.
const SHORTEST: Duration = Duration::from_millis(50);

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

/// How often what stands in the database is counted.
const MEASURE: Duration = Duration::from_secs(15);

/// Measures open operations, connections to Postgres and the age of each job's last success until `stop` is cancelled.
pub(crate) async fn measure(usecases: UseCases, stop: CancellationToken) {
    let jobs = periodic::registry(&usecases);
    loop {
        let db = &usecases.driver.db;
        if let Err(error) = measure_database(db).await {
            told(&usecases, &error, "open operations can't be counted");
        }
        match db.background(schedules::success_ages).await {
            Ok(ages) => {
                for job in &jobs {
                    let age = ages.iter().find(|(name, _)| name == job.name);
                    if let Some((_, age)) = age {
                        metrics::job_last_success(job.name, *age);
                    }
                }
            }
            Err(error) => told(&usecases, &error, "periodic jobs can't be measured"),
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
