//! How much is done at once, so that a flood costs little and those inside are still answered in time. What is being read, what
//! is being answered and what waits for an operation have places of their own. Health and documents are outside of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::Code;
use crate::http::problem::Problem;
use crate::http::shares::{Holder, Place, Places};
use crate::telemetry::metrics;

/// When those come back who were sent away.
const COME_BACK: Duration = Duration::from_secs(2);

/// How often the log mentions rejected requests.
const TOLD_AGAIN: Duration = Duration::from_secs(10);

/// The places for requests. Cheap to clone; clones are the same places.
#[derive(Clone, Debug)]
pub struct Load {
    /// For requests whose tokens can't be checked at once, since their tenant's keys have to be fetched. It is not known yet whose
    /// they are.
    checking: Arc<Semaphore>,
    /// For requests whose bodies are being read.
    receiving: Places,
    /// For requests that are being answered.
    inside: Places,
    /// For requests that wait for an operation: they occupy places without doing anything.
    waiting: Places,
    /// When the log last mentioned rejected requests.
    told_at: Arc<Mutex<Option<Instant>>>,
}

impl Load {
    /// So many requests at once. Half of them may wait for an operation.
    #[must_use]
    pub fn new(most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            checking: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            receiving: Places::new(most),
            inside: Places::new(most),
            waiting: Places::new(most.div_ceil(2)),
            told_at: Arc::default(),
        }
    }

    /// A place for the wait for keys.
    pub(super) fn place_to_check(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let place = Arc::clone(&self.checking).try_acquire_owned();
        place.map_err(|_| self.overloaded())
    }

    /// A place for a body to be read.
    pub(super) async fn place_to_receive(&self, holder: Holder) -> Result<Place, Problem> {
        self.receiving.take(holder).await.ok_or_else(|| self.overloaded())
    }

    /// A place for a request to be answered.
    pub(super) async fn place(&self, holder: Holder) -> Result<Place, Problem> {
        self.inside.take(holder).await.ok_or_else(|| self.overloaded())
    }

    /// A place for waiting for an operation; with none, the answer is asynchronous.
    pub(super) fn place_to_wait(&self, holder: Holder) -> Option<Place> {
        self.waiting.take_now(holder)
    }

    /// The answer to a request for which there is no place.
    fn overloaded(&self) -> Problem {
        metrics::request_shed();
        let mut told_at = self.told_at.lock().unwrap_or_else(PoisonError::into_inner);
        // Not for each of a flood.
        if told_at.is_none_or(|at| at.elapsed() >= TOLD_AGAIN) {
            *told_at = Some(Instant::now());
            tracing::warn!("more requests come than server.max_requests allows; some are answered with 503");
        }
        drop(told_at);
        let detail = "this service processes too many requests at the moment; nothing was done";
        Problem::unavailable(Code::Overloaded, detail, Some(COME_BACK))
    }
}
