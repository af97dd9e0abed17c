//! How many requests are answered at once: what is over it waits a moment, and what is over that is sent away at once, so that a
//! flood costs little and those inside are still answered in time. Health and documents are outside of it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::problem::Problem;
use crate::connection::Code;
use crate::telemetry::metrics;

/// How long a request waits for its place.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// When those come back who were sent away.
const COME_BACK: Duration = Duration::from_secs(2);

/// The places for requests. Cheap to clone; clones are the same places.
#[derive(Clone, Debug)]
pub struct Load {
    /// For requests that are being answered.
    inside: Arc<Semaphore>,
    /// For those that wait for one.
    queue: Arc<Semaphore>,
    /// For those that wait for an operation: they take up places without doing anything.
    waiting: Arc<Semaphore>,
}

impl Load {
    /// So many requests at once, and as many that wait for a place. Half of them may wait for an operation.
    #[must_use]
    pub fn new(most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS);
        let places = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            inside: places(most),
            queue: places(most),
            waiting: places(most.div_ceil(2)),
        }
    }

    /// A place for waiting for an operation; with none, the answer is asynchronous.
    pub(super) fn place_to_wait(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.waiting).try_acquire_owned().ok()
    }

    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.inside).try_acquire_owned() {
            return Some(place);
        }
        let _queued = self.queue.try_acquire().ok()?;
        let place = timeout(LONGEST_WAIT, Arc::clone(&self.inside).acquire_owned()).await;
        place.ok()?.ok()
    }
}

/// Answers a request when there is a place for it.
pub(super) async fn within(State(load): State<Load>, request: Request, next: Next) -> Response {
    match load.place().await {
        Some(_place) => next.run(request).await,
        None => {
            metrics::request_shed();
            let detail = "more requests are under way than this service takes at once; nothing was done";
            Problem::unavailable(Code::Overloaded, detail, Some(COME_BACK)).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_over_the_limit_waits_for_a_place_and_what_is_over_that_is_sent_away() {
        let load = Load::new(1);
        let inside = load.place().await.expect("a place");
        let (waiting, other) = (load.clone(), load.clone());
        let both = async {
            // The second finds the queue full.
            let first = waiting.place();
            let second = async {
                let refused = other.place().await;
                drop(inside);
                refused
            };
            tokio::join!(biased; first, second)
        };
        let (first, second) = both.await;
        assert!(first.is_some() && second.is_none());
    }

    #[test]
    fn half_of_the_places_are_for_waiting() {
        let load = Load::new(3);
        let places = [load.place_to_wait(), load.place_to_wait()];
        assert!(places.iter().all(Option::is_some) && load.place_to_wait().is_none());
    }
}
