//! The waits that cells are about, on a machine that may have much else to do.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::bench::Wrong;

/// How often the machine may be too slow for a wait to mean anything.
const TRIES: u32 = 6;

/// The waits that cells are about: short, and longer on a machine that has much else to do.
#[derive(Clone, Copy)]
pub(super) struct Waits {
    /// How long the service waits for an answer.
    pub(super) patience: Duration,
    /// How long a request that got no answer may still take effect.
    pub(super) max_request_lifetime: Duration,
}

impl Waits {
    const SHORTEST: Self = Self {
        patience: Duration::from_millis(800),
        max_request_lifetime: Duration::from_millis(750),
    };

    fn twice(self) -> Self {
        Self {
            patience: self.patience * 2,
            max_request_lifetime: self.max_request_lifetime * 2,
        }
    }
}

/// Runs something, and tells for how long at most the machine kept from running what was due meanwhile.
async fn with_longest_stall<T>(run: impl Future<Output = T>) -> (T, Duration) {
    const TICK: Duration = Duration::from_millis(10);
    let mut run = std::pin::pin!(run);
    let mut longest = Duration::ZERO;
    loop {
        let begun = Instant::now();
        tokio::select! {
            done = &mut run => return (done, longest),
            () = sleep(TICK) => longest = longest.max(begun.elapsed() - TICK),
        }
    }
}

/// Runs something until it is right, or wrong on a machine that was quick enough: one that stands still for a part of the shortest
/// wait makes calls run out of time that met no trouble.
pub(super) async fn counted(mut run: impl AsyncFnMut(Waits) -> Vec<Wrong>) -> Vec<Wrong> {
    let mut waits = Waits::SHORTEST;
    let mut wrong = Vec::new();
    for _ in 0..TRIES {
        let (ended, stall) = with_longest_stall(run(waits)).await;
        wrong = ended;
        if wrong.is_empty() || stall * 8 < waits.patience {
            break;
        }
        waits = waits.twice();
    }
    wrong
}
