//! How long one request may wait for the database altogether, however many looks and commits it takes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

tokio::task_local! {
    static LEFT: Arc<RequestTime>;
}

/// What is left of a request's time. It passes only while the request waits for the database: what Azure takes is another matter.
#[derive(Debug)]
pub struct RequestTime(Mutex<Duration>);

impl RequestTime {
    /// So much time.
    #[must_use]
    pub fn new(whole: Duration) -> Arc<Self> {
        Arc::new(Self(Mutex::new(whole)))
    }

    /// The time of the request that is being answered; `None` for work in the background.
    #[must_use]
    pub fn current() -> Option<Arc<Self>> {
        LEFT.try_with(Arc::clone).ok()
    }

    /// Does something in this time; a task of its own takes it along like this.
    pub async fn scope<T>(self: Arc<Self>, work: impl Future<Output = T>) -> T {
        LEFT.scope(self, work).await
    }

    fn left(&self) -> MutexGuard<'_, Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Work of the database, in what is left of the request's time, and for at most `longest`. `None` if it took longer.
pub async fn in_request_time<T>(longest: Duration, work: impl Future<Output = T>) -> Option<T> {
    let Some(time) = RequestTime::current() else {
        return timeout(longest, work).await.ok();
    };
    let (given, begun) = ((*time.left()).min(longest), Instant::now());
    let done = timeout(given, work).await;
    let mut left = time.left();
    *left = left.saturating_sub(begun.elapsed());
    done.ok()
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const WHOLE: Duration = Duration::from_millis(300);

    async fn wait(time: Duration) {
        let _ = timeout(time, pending::<()>()).await;
    }

    #[tokio::test]
    async fn waits_of_one_request_count_together_and_what_lies_between_them_does_not() {
        let time = RequestTime::new(WHOLE);
        let begun = Instant::now();
        let in_between = WHOLE * 2;
        Arc::clone(&time)
            .scope(async {
                // Slow, but in time.
                assert!(in_request_time(WHOLE, wait(WHOLE / 2)).await.is_some());
                wait(in_between).await;
                assert!(in_request_time(WHOLE, pending::<()>()).await.is_none());
                assert!(begun.elapsed() >= in_between + WHOLE);
                // Nothing is left, so nothing more is waited for.
                let again = Instant::now();
                assert!(in_request_time(WHOLE * 1000, pending::<()>()).await.is_none());
                assert!(again.elapsed() < WHOLE * 100);
            })
            .await;
        assert_eq!(*time.left(), Duration::ZERO);
    }

    #[tokio::test]
    async fn work_in_the_background_has_its_own_time() {
        assert!(RequestTime::current().is_none());
        assert_eq!(in_request_time(WHOLE, ready(1)).await, Some(1));
        assert!(in_request_time(WHOLE, pending::<()>()).await.is_none());
        assert_eq!(in_request_time(WHOLE, ready(2)).await, Some(2));
    }

    #[tokio::test]
    async fn a_task_of_its_own_takes_the_time_along() {
        let time = RequestTime::new(Duration::ZERO);
        let inside = time.scope(async {
            let taken_along = RequestTime::current().expect("a request's");
            taken_along.scope(in_request_time(WHOLE, pending::<()>())).await
        });
        assert!(inside.await.is_none());
    }
}
