//! The faults in force, and what they do to a call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Barrier;

use super::latency::Chance;
use super::{Effect, Fault, alter};
use crate::exchange::{Answer, Call};
use crate::journal::Host;
use crate::server::Pace;

/// A fault in force.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub(crate) id: u64,
    /// As it was put there.
    pub(crate) fault: Fault,
    /// How many fitting calls still pass.
    skip: u32,
    /// How many calls it has met.
    pub(crate) met: u32,
    path: String,
    chance: Chance,
    /// Where calls wait for each other.
    meeting_point: Option<Arc<Barrier>>,
}

/// A call's fate.
#[derive(Debug)]
pub(crate) struct Met {
    /// How long it waits first.
    wait: Duration,
    effect: Effect,
    meeting_point: Option<Arc<Barrier>>,
}

/// All faults of an emulator.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    installed: Vec<Installed>,
}

impl Faults {
    /// Puts a fault there, behind those that are. Gives its number.
    pub(crate) fn add(&self, mut fault: Fault) -> u64 {
        let mut meeting_point = None;
        if let Effect::Gather { calls } = fault.effect {
            fault.times = Some(calls);
            let all = usize::try_from(calls).unwrap_or(usize::MAX);
            meeting_point = Some(Arc::new(Barrier::new(all)));
        }
        let mut state = self.lock();
        state.last_id += 1;
        let id = state.last_id;
        state.installed.push(Installed {
            id,
            skip: fault.skip,
            met: 0,
            path: fault.path_contains.to_ascii_lowercase(),
            chance: Chance::new(fault.seed),
            meeting_point,
            fault,
        });
        id
    }

    pub(crate) fn clear(&self) {
        self.lock().installed.clear();
    }

    /// Takes one away; false when there is none with this number.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let installed = &mut self.lock().installed;
        let before = installed.len();
        installed.retain(|known| known.id != id);
        installed.len() < before
    }

    pub(crate) fn list(&self) -> Vec<Installed> {
        self.lock().installed.clone()
    }

    /// What meets this call, if anything.
    pub(crate) fn meet(&self, host: Host, call: &Call) -> Option<Met> {
        let mut state = self.lock();
        if state.installed.is_empty() {
            return None;
        }
        let path = call.path_and_query.to_ascii_lowercase();
        let fits = |known: &&mut Installed| known.fits(host, call, &path);
        let met = state.installed.iter_mut().filter(fits).find_map(Installed::meet);
        state.installed.retain(|known| !known.is_used_up());
        met
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Installed {
    fn fits(&self, host: Host, call: &Call, path: &str) -> bool {
        let method = self.fault.method.as_ref();
        self.fault.host == host
            && method.is_none_or(|method| call.method.as_str().eq_ignore_ascii_case(method))
            && path.contains(&self.path)
    }

    /// Meets a fitting call, unless it lets it pass.
    fn meet(&mut self) -> Option<Met> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        // Nothing is drawn for a sure fault, so that its delays are the seed's from the first on.
        let spared = self.fault.probability < 1.0 && self.chance.unit() >= self.fault.probability;
        if spared || self.is_used_up() {
            return None;
        }
        self.met += 1;
        let latency = self.fault.latency.as_ref();
        let mut wait = latency.map_or(Duration::ZERO, |latency| latency.draw(&mut self.chance));
        if let Effect::Delay(by) = self.fault.effect {
            wait += by;
        }
        let effect = self.fault.effect.clone();
        Some(Met {
            wait,
            effect,
            meeting_point: self.meeting_point.clone(),
        })
    }

    fn is_used_up(&self) -> bool {
        self.fault.times.is_some_and(|times| self.met >= times)
    }
}

impl Met {
    /// Waits as long as the fault says: a while, then for the other calls that it gathers.
    pub(crate) async fn wait(&self) {
        tokio::time::sleep(self.wait).await;
        if let Some(point) = &self.meeting_point {
            point.wait().await;
        }
    }

    /// Whether the line stays open without an answer.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(
            self.effect,
            Effect::SilenceBeforeEffect | Effect::SilenceAfterEffect
        )
    }

    /// Plays the fault: the answer, if there is one to write down, and how it goes out; nothing for a cut line.
    pub(crate) fn play(&self, have_effect: impl Fn() -> Answer) -> (Option<Answer>, Option<Pace>) {
        let altered = |alter: &dyn Fn(&mut Answer)| {
            let mut answer = have_effect();
            alter(&mut answer);
            (Some(answer), Some(Pace::Whole))
        };
        match &self.effect {
            Effect::Answer(answer) => (Some(answer.answer()), Some(Pace::Whole)),
            Effect::AnswerAfterEffect(other) => altered(&|answer| *answer = other.answer()),
            Effect::Delay(_) | Effect::Pass | Effect::Gather { .. } => altered(&|_| {}),
            Effect::ResetBeforeEffect | Effect::SilenceBeforeEffect => (None, None),
            Effect::ResetAfterEffect | Effect::SilenceAfterEffect => (Some(have_effect()), None),
            Effect::Truncated { keep } => (Some(have_effect()), Some(Pace::Truncated { keep: *keep })),
            Effect::Body(body) => altered(&|answer| body.put_into(answer)),
            Effect::Headers { set, removed } => altered(&|answer| {
                alter::remove_headers(answer, removed);
                alter::set_headers(answer, set);
            }),
            Effect::ForeignUrls(origin) => altered(&|answer| alter::lead_astray(answer, origin)),
            Effect::Drip { bytes, pause } => {
                let (bytes, pause) = (*bytes, *pause);
                (Some(have_effect()), Some(Pace::Drip { bytes, pause }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put() -> Call {
        let headers = http::HeaderMap::new();
        Call::new(http::Method::PUT, "/x/dataConnections/y", headers, Vec::new())
    }

    #[test]
    fn a_fault_skips_then_meets_then_is_used_up() {
        let faults = Faults::default();
        faults.add(
            Fault::arm("/DataConnections/", Effect::ResetBeforeEffect)
                .method("put")
                .after(1)
                .times(2),
        );
        let met: Vec<bool> = (0..4).map(|_| faults.meet(Host::Arm, &put()).is_some()).collect();
        assert_eq!(met, [false, true, true, false]);
        assert!(faults.meet(Host::Entra, &put()).is_none());
    }

    #[test]
    fn chance_spares_the_same_calls_for_the_same_seed() {
        let course = |seed| {
            let faults = Faults::default();
            let fault = Fault::arm("", Effect::Pass).always().sometimes(0.25).seed(seed);
            faults.add(fault);
            let met = (0..400).map(|_| faults.meet(Host::Arm, &put()).is_some());
            met.collect::<Vec<bool>>()
        };
        assert_eq!(course(1), course(1));
        assert_ne!(course(1), course(2));
        let share = course(1).iter().filter(|met| **met).count();
        assert!((70..130).contains(&share), "{share} of 400");
    }
}
