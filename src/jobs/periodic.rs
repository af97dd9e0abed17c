//! Periodic jobs: the registry, and the loop that runs them. To add one: a row in `schedules` by a migration, and an entry in
//! [`registry`].

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::SHORTEST;
use crate::db::{Db, DbError, schedules};
use crate::telemetry::metrics;
use crate::usecases::UseCases;

/// How long one run may take. On a dead database connection no answer ever comes.
const MAX_RUN_TIME: Duration = Duration::from_secs(60);

/// How often closed creates are looked at again, in intervals of the worker.
const RECHECK_INTERVALS: u32 = 5;

/// A job that one replica at a time runs periodically.
pub(super) struct Job {
    /// Its name in `schedules`, in metrics and in the log.
    pub(super) name: &'static str,
    every: Duration,
    run: fn(Arc<UseCases>) -> Run,
}

/// One run of a job.
type Run = Pin<Box<dyn Future<Output = Result<(), DbError>> + Send>>;

/// The jobs of this replica.
pub(super) fn registry(usecases: &Arc<UseCases>) -> Vec<Job> {
    let mut jobs = vec![
        Job {
            name: "sweepIdempotencyKeys",
            every: usecases.keys.sweep_every(),
            run: |usecases| Box::pin(async move { usecases.keys.sweep_keys().await }),
        },
        Job {
            name: "numberEvents",
            every: usecases.sequencer.interval(),
            run: |usecases| Box::pin(async move { usecases.sequencer.run().await.map(drop) }),
        },
        Job {
            name: "keepLedgerPartitions",
            every: usecases.upkeep.interval(),
            run: |usecases| Box::pin(async move { usecases.upkeep.keep_partitions().await }),
        },
        Job {
            name: "dropOperationBodies",
            every: usecases.upkeep.interval(),
            run: |usecases| Box::pin(async move { usecases.upkeep.drop_bodies().await }),
        },
    ];
    if usecases.late_effects.has_own_reads() {
        jobs.push(Job {
            name: "recheckClosedCreates",
            every: usecases.driver.settings.interval * RECHECK_INTERVALS,
            run: |usecases| Box::pin(async move { usecases.late_effects.recheck_closed_creates().await }),
        });
    }
    jobs
}

/// Runs the jobs of the registry until `stop` is cancelled. A run that is interrupted is rolled back, and is due again like any other.
pub(crate) async fn run_periodic(usecases: Arc<UseCases>, stop: CancellationToken) {
    let jobs = registry(&usecases);
    let loops = jobs.iter().map(|job| {
        metrics::job_registered(job.name);
        repeat(job, &usecases)
    });
    // Boxed: the task would otherwise hold all of it inline.
    stop.run_until_cancelled(Box::pin(join_all(loops))).await;
}

/// Runs one job whenever it is due and no other replica has claimed it; never ends.
async fn repeat(job: &Job, usecases: &Arc<UseCases>) {
    let (db, retry) = (&usecases.driver.db, usecases.driver.settings.interval);
    let mut claims = Failures::new(job.name, "a periodic job can't be claimed");
    let mut runs = Failures::new(job.name, "a periodic job failed");
    loop {
        let pause = match claim(job, db).await {
            Ok(due_in) => {
                claims.end();
                due_in
            }
            Err(error) => {
                claims.add(&error);
                Some(retry)
            }
        };
        if let Some(pause) = pause {
            // At least once per interval, in case the row was changed by hand.
            sleep(pause.clamp(SHORTEST.min(job.every), job.every.max(SHORTEST))).await;
            continue;
        }
        let outcome = run(job, usecases).await;
        metrics::job_ran(job.name, outcome.is_ok());
        match outcome {
            Ok(()) => runs.end(),
            Err(error) => runs.add(&error),
        }
    }
}

/// Claims a job if it is due. Returns none if this replica is to run it, else how long until it is due.
async fn claim(job: &Job, db: &Db) -> Result<Option<Duration>, DbError> {
    let claimed = db.background(async |db| {
        if schedules::claim(db, job.name, job.every).await? {
            return Ok(None);
        }
        schedules::due_in(db, job.name).await.map(Some)
    });
    claimed.await
}

/// Runs a job once, and records if it succeeds.
async fn run(job: &Job, usecases: &Arc<UseCases>) -> Result<(), DbError> {
    let began = Instant::now();
    let ran = timeout(MAX_RUN_TIME, (job.run)(Arc::clone(usecases))).await;
    ran.unwrap_or_else(|_| Err(DbError::timed_out()))?;
    let recorded = usecases
        .driver
        .db
        .background(async |db| schedules::succeeded(db, job.name).await);
    recorded.await?;
    tracing::debug!(
        job.name = job.name,
        job.duration_ms = milliseconds(began.elapsed()),
        "a periodic job ran"
    );
    Ok(())
}

/// The failures in a row of one job, which are logged once when they begin and once when they end.
struct Failures {
    job: &'static str,
    what: &'static str,
    lasting: Option<(Instant, u64)>,
}

impl Failures {
    fn new(job: &'static str, what: &'static str) -> Self {
        Self {
            job,
            what,
            lasting: None,
        }
    }

    fn add(&mut self, error: &DbError) {
        let (job, what) = (self.job, self.what);
        match &mut self.lasting {
            None => {
                self.lasting = Some((Instant::now(), 1));
                tracing::warn!(job.name = job, error = %error, "{what}; it is tried again, and the next message comes when it succeeds");
            }
            Some((_, failures)) => {
                *failures = failures.saturating_add(1);
                tracing::debug!(job.name = job, error = %error, job.failures = *failures, "{what} again");
            }
        }
    }

    fn end(&mut self) {
        if let Some((since, failures)) = self.lasting.take() {
            tracing::warn!(
                job.name = self.job,
                job.failures = failures,
                outage.duration_ms = milliseconds(since.elapsed()),
                "{}: that is over",
                self.what
            );
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_log;

    /// The messages of this level that this test logged.
    fn logged(level: &str) -> usize {
        let log = test_log::of_this_thread();
        log.lines().filter(|line| line.contains(level)).count()
    }

    #[test]
    fn failures_in_a_row_are_logged_once_when_they_begin_and_once_when_they_end() {
        test_log::start();
        let mut failures = Failures::new("sweep", "a periodic job failed");
        failures.end();
        assert_eq!(logged("WARN"), 0);
        for _ in 0..3 {
            failures.add(&DbError::timed_out());
        }
        assert_eq!(logged("WARN"), 1);
        failures.end();
        failures.end();
        assert_eq!(logged("WARN"), 2);
        let log = test_log::of_this_thread();
        let last = log.lines().rfind(|line| line.contains("WARN"));
        assert!(last.is_some_and(|line| line.contains("job.failures=3")), "{log}");
        failures.add(&DbError::timed_out());
        assert_eq!(logged("WARN"), 3);
    }
}
