//! Work in the background: the loops that find due operations, run periodic jobs (`periodic`), measure, and keep this replica
//! known to the others. What the work does is in the use cases and the driver.

mod periodic;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::db::{DbError, schedules};
use crate::telemetry::metrics;
use crate::usecases::{UseCases, measure as measure_database};

pub(crate) use periodic::run_periodic;

/// The shortest pause between two queries: an operation that is due and can't be claimed must not cause a busy loop.
const SHORTEST: Duration = Duration::from_millis(50);

/// Sends heartbeats of this replica until `stop` is cancelled.
pub(crate) async fn live(usecases: Arc<UseCases>, stop: CancellationToken) {
    let work = async {
        loop {
            let pause = usecases.driver.replica.heartbeat().await.unwrap_or_else(|error| {
                log_failure(&usecases, &error, "heartbeat failed");
                usecases.driver.settings.lease / 10
            });
            sleep(pause).await;
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Listens for notifications of the other replicas until `stop` is cancelled. What is missed is found by the next query.
pub(crate) async fn listen(usecases: Arc<UseCases>, stop: CancellationToken) {
    let work = async {
        loop {
            if let Err(error) = usecases.create.queue.listen().await {
                log_failure(&usecases, &error, "LISTEN connection lost");
            }
            sleep(usecases.driver.settings.interval).await;
        }
    };
    stop.run_until_cancelled(work).await;
}

/// The longest time until requests that wait for the feed notice that it advanced, if no notification says so.
const MAX_FEED_DELAY: Duration = Duration::from_secs(2);

/// Reads how far the feed is, for all requests of this replica that wait for more, until `stop` is cancelled.
pub(crate) async fn follow_feed(usecases: Arc<UseCases>, stop: CancellationToken) {
    let work = async {
        loop {
            tokio::select! {
                () = usecases.driver.signals.feed_may_have_advanced() => {}
                () = sleep(MAX_FEED_DELAY) => {}
            }
            if let Err(error) = usecases.feed.follow().await {
                log_failure(&usecases, &error, "the feed's last position can't be read");
            }
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Queries due operations until `stop` is cancelled: when one is due, and at least every `interval`. An operation that a request
/// provides tokens for is resumed by the request itself.
pub(crate) async fn run(usecases: Arc<UseCases>, interval: Duration, stop: CancellationToken) {
    loop {
        let pause = match usecases.driver.resume_due().await {
            Ok(next) => next.unwrap_or(interval).clamp(SHORTEST.min(interval), interval),
            Err(error) => {
                log_failure(&usecases, &error, "query of due operations failed");
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

/// How often rows of the database are counted.
const MEASURE: Duration = Duration::from_secs(15);

/// Measures open operations, connections to Postgres and the age of each job's last success until `stop` is cancelled.
pub(crate) async fn measure(usecases: Arc<UseCases>, stop: CancellationToken) {
    let jobs = periodic::registry(&usecases);
    loop {
        let db = &usecases.driver.db;
        if let Err(error) = measure_database(db).await {
            log_failure(&usecases, &error, "count of open operations failed");
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
            Err(error) => log_failure(&usecases, &error, "periodic jobs can't be measured"),
        }
        metrics::upkeep();
        if stop.run_until_cancelled(sleep(MEASURE)).await.is_none() {
            return;
        }
    }
}

/// Logs a failure; an outage of the database is logged once, however many jobs meet it.
fn log_failure(usecases: &Arc<UseCases>, error: &DbError, what: &'static str) {
    if error.is_outage() {
        usecases.driver.db.failed(error, what);
    } else {
        tracing::warn!(error = %error, "{what}");
    }
}
