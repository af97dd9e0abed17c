//! Armed points, and what happens to a task that passes one.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::failpoints::Moment;
use crate::failpoints::plan::{Action, Passing, Plan, PlanError};

/// How often the file of a pause is looked for.
const LOOK: Duration = Duration::from_millis(5);

/// The point failed, as it was armed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

/// What is armed in this process.
static REGISTRY: Mutex<Registry> = Mutex::new(Registry::new());
/// Whether anything is, so that passing costs nothing else.
static ANYTHING: AtomicBool = AtomicBool::new(false);

struct Registry {
    arms: Vec<Arm>,
    record: Option<File>,
    when: Option<PathBuf>,
}

struct Arm {
    /// Whose passings count; everybody's, if it was armed for the process.
    runtime: Option<Id>,
    name: String,
    action: Action,
    at: Passing,
    passed: u32,
    gate: watch::Sender<Gate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Unmet,
    Met,
    Released,
}

impl Registry {
    const fn new() -> Self {
        Self {
            arms: Vec::new(),
            record: None,
            when: None,
        }
    }

    fn lock() -> MutexGuard<'static, Self> {
        REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to a passer-by of this runtime, with the gate to wait at.
    fn meet(&mut self, name: &str, runtime: Option<Id>) -> Option<(Action, watch::Sender<Gate>)> {
        let begun = self.when.as_ref().is_none_or(|file| file.exists());
        if begun {
            self.when = None;
            if let Some(record) = &mut self.record {
                // Nothing can be done about a full disk here; the record is short then.
                let _ = record.write_all(format!("{name}\n").as_bytes());
            }
        }
        for arm in &mut self.arms {
            let counts = match arm.runtime {
                None => begun,
                of => of == runtime,
            };
            if !counts || arm.name != name {
                continue;
            }
            arm.passed = arm.passed.saturating_add(1);
            if arm.passed == arm.at.first || (arm.at.on && arm.passed > arm.at.first) {
                return Some((arm.action.clone(), arm.gate.clone()));
            }
        }
        None
    }
}

/// The point `kind/what/before` or `kind/what/after`: whatever is armed there happens.
pub(crate) async fn failpoint(kind: &'static str, what: &str, moment: Moment) -> Result<(), Failed> {
    if !ANYTHING.load(Ordering::Acquire) {
        return Ok(());
    }
    let name = format!("{kind}/{what}/{}", moment.as_str());
    let runtime = Handle::try_current().ok().map(|handle| handle.id());
    let met = Registry::lock().meet(&name, runtime);
    let Some((action, gate)) = met else {
        return Ok(());
    };
    match action {
        Action::Abort => std::process::abort(),
        Action::Fail => {
            gate.send_if_modified(advance(Gate::Met));
            tracing::warn!(failure_point = name, "a failure point fails");
            Err(Failed)
        }
        Action::Pause(file) => {
            tracing::warn!(failure_point = name, "a failure point holds");
            if let Some(file) = file {
                wait_for(&file).await;
            } else {
                gate.send_if_modified(advance(Gate::Met));
                // An error says that it was disarmed.
                let _ = gate.subscribe().wait_for(|gate| *gate == Gate::Released).await;
            }
            Ok(())
        }
    }
}

/// Moves a gate on, never back.
fn advance(to: Gate) -> impl FnOnce(&mut Gate) -> bool {
    move |gate| {
        let moves = *gate == Gate::Unmet || to == Gate::Released;
        if moves {
            *gate = to;
        }
        moves
    }
}

/// Creates the file to show that a task waits, and waits until it is removed.
async fn wait_for(file: &Path) {
    if File::create(file).is_err() {
        return;
    }
    while file.exists() {
        sleep(LOOK).await;
    }
}

/// Arms points for the whole process, as the text says; see `docs/reliability.md`. Without text, nothing.
///
/// # Errors
/// When the text means nothing, or the file of the record can't be opened.
pub fn arm_process(text: Option<&str>) -> Result<(), PlanError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(());
    };
    let plan: Plan = text.parse()?;
    let record = match &plan.record {
        Some(file) => {
            let opened = OpenOptions::new().create(true).append(true).open(file);
            Some(opened.map_err(|error| PlanError::record(file, &error))?)
        }
        None => None,
    };
    let mut registry = Registry::lock();
    registry.record = record;
    registry.when = plan.when;
    for (name, action, at) in plan.points {
        registry.arms.push(Arm::new(None, name, action, at));
    }
    ANYTHING.store(true, Ordering::Release);
    tracing::warn!(failure_points = text, "failure points are armed");
    Ok(())
}

impl Arm {
    fn new(runtime: Option<Id>, name: String, action: Action, at: Passing) -> Self {
        Self {
            runtime,
            name,
            action,
            at,
            passed: 0,
            gate: watch::Sender::new(Gate::Unmet),
        }
    }
}

/// Arms a point, such as `arm/PUT data connection/before`, for what runs in one runtime, from the `nth` passing on or at it alone.
/// Each `#[tokio::test]` has a runtime of its own, so tests of one process don't meet each other's points.
#[must_use = "dropped, it is disarmed"]
pub fn arm(runtime: &Handle, name: &str, action: Action, nth: u32) -> Armed {
    let at = Passing {
        first: nth,
        on: false,
    };
    let arm = Arm::new(Some(runtime.id()), name.to_owned(), action, at);
    let gate = arm.gate.clone();
    Registry::lock().arms.push(arm);
    ANYTHING.store(true, Ordering::Release);
    Armed { gate }
}

/// A point that is armed; when it is dropped, it is disarmed and releases its waiters.
#[derive(Debug)]
pub struct Armed {
    gate: watch::Sender<Gate>,
}

impl Armed {
    /// Waits until a task fails or waits at the point.
    pub async fn met(&self) {
        // The sender is here, so the channel is open.
        let _ = self.gate.subscribe().wait_for(|gate| *gate != Gate::Unmet).await;
    }

    /// Releases the tasks that wait there.
    pub fn release(&self) {
        self.gate.send_if_modified(advance(Gate::Released));
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        self.release();
        Registry::lock()
            .arms
            .retain(|arm| !arm.gate.same_channel(&self.gate));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "test/a step/before";

    async fn pass() -> Result<(), Failed> {
        failpoint("test", "a step", Moment::Before).await
    }

    #[tokio::test]
    async fn a_point_fails_at_the_passing_it_was_armed_for_and_no_longer_when_it_is_disarmed() {
        let armed = arm(&Handle::current(), NAME, Action::Fail, 2);
        assert_eq!(pass().await, Ok(()));
        assert_eq!(pass().await, Err(Failed));
        assert_eq!(pass().await, Ok(()));
        armed.met().await;
        drop(armed);
        let armed = arm(&Handle::current(), NAME, Action::Fail, 1);
        drop(armed);
        assert_eq!(pass().await, Ok(()));
    }

    #[tokio::test]
    async fn whoever_comes_to_a_point_that_holds_goes_on_when_it_is_released() {
        let armed = arm(&Handle::current(), NAME, Action::Pause(None), 1);
        let passing = tokio_util::task::TaskTracker::new().spawn(pass());
        armed.met().await;
        assert!(!passing.is_finished());
        armed.release();
        assert_eq!(passing.await.expect("it goes on"), Ok(()));
    }

    #[tokio::test]
    async fn a_point_is_armed_for_one_runtime_alone() {
        let _armed = arm(&Handle::current(), NAME, Action::Fail, 1);
        let other = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.expect("a runtime").block_on(pass())
        });
        assert_eq!(other.join().expect("an end"), Ok(()));
        assert_eq!(pass().await, Err(Failed));
    }
}
