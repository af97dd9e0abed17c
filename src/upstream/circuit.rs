//! A circuit breaker: after some failures in a row nothing more is tried for a while, then one call tries how things are.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// `Retry-After` of calls that arrive while one trial call runs.
const PROBING: Duration = Duration::from_secs(1);

/// The breaker. What a failure is, its user decides.
#[derive(Debug)]
pub(super) struct Circuit {
    opens_after: u32,
    open_for: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Calls go through; so many failed in a row.
    Closed { failures: u32 },
    /// Nothing goes through until then.
    Open { until: Instant },
    /// One call is trying how things are.
    Probing,
}

/// The permit of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallPermit {
    /// As usual.
    Usual,
    /// As the one that tries how things are.
    Probe,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallOutcome {
    /// The other side works.
    Works,
    /// The other side is broken.
    Fails,
    /// Nothing was learnt: the call was given up.
    Unknown,
}

/// A change of state, for logs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Opened,
    Closed,
}

impl Circuit {
    /// Opens after so many failures in a row (at least one), for so long.
    pub(super) fn new(opens_after: u32, open_for: Duration) -> Self {
        Self {
            opens_after: opens_after.max(1),
            open_for,
            state: Mutex::new(State::Closed { failures: 0 }),
        }
    }

    /// Asks to make a call.
    ///
    /// # Errors
    /// How long to stay away.
    pub(super) fn enter(&self, now: Instant) -> Result<CallPermit, Duration> {
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => Ok(CallPermit::Usual),
            State::Probing => Err(PROBING.min(self.open_for)),
            State::Open { until } => {
                let left = until.saturating_duration_since(now);
                if left.is_zero() {
                    *state = State::Probing;
                    Ok(CallPermit::Probe)
                } else {
                    Err(left)
                }
            }
        }
    }

    /// Records how a permitted call ended, and returns whether the circuit changed.
    pub(super) fn judge(&self, permit: CallPermit, outcome: CallOutcome, now: Instant) -> Option<Change> {
        let mut state = self.lock();
        let open = || State::Open {
            until: now + self.open_for,
        };
        let (next, change) = match (*state, permit, outcome) {
            (State::Probing, CallPermit::Probe, CallOutcome::Works) => {
                (State::Closed { failures: 0 }, Some(Change::Closed))
            }
            // No change: it was open all the time.
            (State::Probing, CallPermit::Probe, CallOutcome::Fails) => (open(), None),
            // The next who asks tries in its place.
            (State::Probing, CallPermit::Probe, CallOutcome::Unknown) => (State::Open { until: now }, None),
            (State::Closed { .. }, _, CallOutcome::Works) => (State::Closed { failures: 0 }, None),
            (State::Closed { failures }, _, CallOutcome::Fails) => {
                let failures = failures.saturating_add(1);
                if failures >= self.opens_after {
                    (open(), Some(Change::Opened))
                } else {
                    (State::Closed { failures }, None)
                }
            }
            // A call from before it opened says nothing of now.
            (state, _, _) => (state, None),
        };
        *state = next;
        change
    }

    /// Whether it lets nothing through now.
    pub(super) fn is_open(&self) -> bool {
        !matches!(*self.lock(), State::Closed { .. })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    /// A circuit and a time that the test moves on.
    struct Bench {
        circuit: Circuit,
        now: Instant,
    }

    impl Bench {
        fn closed() -> Self {
            Self {
                circuit: Circuit::new(3, PAUSE),
                now: Instant::now(),
            }
        }

        fn opened() -> Self {
            let bench = Self::closed();
            let changes = [CallOutcome::Fails; 3].map(|outcome| bench.call(outcome));
            assert_eq!(changes, [None, None, Some(Change::Opened)]);
            bench
        }

        fn enter(&self) -> Result<CallPermit, Duration> {
            self.circuit.enter(self.now)
        }

        fn judge(&self, permit: CallPermit, outcome: CallOutcome) -> Option<Change> {
            self.circuit.judge(permit, outcome, self.now)
        }

        fn call(&self, outcome: CallOutcome) -> Option<Change> {
            let permit = self.enter().expect("permit");
            self.judge(permit, outcome)
        }
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_says_how_long_it_stays_open() {
        let mut bench = Bench::opened();
        assert_eq!(bench.enter(), Err(PAUSE));
        bench.now += Duration::from_secs(4);
        assert_eq!(bench.enter(), Err(Duration::from_secs(6)));
        assert!(bench.circuit.is_open());
    }

    #[test]
    fn one_that_works_among_them_and_one_that_was_given_up_keep_it_closed() {
        let bench = Bench::closed();
        for outcome in [
            CallOutcome::Fails,
            CallOutcome::Fails,
            CallOutcome::Works,
            CallOutcome::Fails,
            CallOutcome::Fails,
            CallOutcome::Unknown,
        ] {
            assert_eq!(bench.call(outcome), None);
        }
        assert_eq!(bench.call(CallOutcome::Fails), Some(Change::Opened));
    }

    #[test]
    fn one_call_tries_and_the_others_wait_for_what_it_finds() {
        let mut bench = Bench::opened();
        bench.now += PAUSE;
        assert_eq!(bench.enter(), Ok(CallPermit::Probe));
        assert_eq!(bench.enter(), Err(PROBING));
        assert_eq!(bench.judge(CallPermit::Probe, CallOutcome::Fails), None);
        assert_eq!(bench.enter(), Err(PAUSE));
        bench.now += PAUSE;
        assert_eq!(bench.enter(), Ok(CallPermit::Probe));
        assert_eq!(
            bench.judge(CallPermit::Probe, CallOutcome::Works),
            Some(Change::Closed)
        );
        assert_eq!(bench.enter(), Ok(CallPermit::Usual));
    }

    #[test]
    fn when_the_one_that_tries_is_given_up_the_next_tries() {
        let mut bench = Bench::opened();
        bench.now += PAUSE;
        assert_eq!(bench.enter(), Ok(CallPermit::Probe));
        bench.judge(CallPermit::Probe, CallOutcome::Unknown);
        assert_eq!(bench.enter(), Ok(CallPermit::Probe));
    }

    #[test]
    fn calls_from_before_it_opened_change_nothing() {
        let mut bench = Bench::opened();
        for outcome in [CallOutcome::Works, CallOutcome::Fails] {
            assert_eq!(bench.judge(CallPermit::Usual, outcome), None);
            assert_eq!(bench.enter(), Err(PAUSE));
        }
        bench.now += PAUSE;
        assert_eq!(bench.enter(), Ok(CallPermit::Probe));
        bench.judge(CallPermit::Usual, CallOutcome::Works);
        assert_eq!(bench.enter(), Err(PROBING));
    }
}
