//! What happens in a history, drawn from its seed: who calls what and when, what breaks, and when. Only the moments at which it
//! meets the service differ between two runs of a seed.

use std::time::Duration;

use azure_emulator::{Effect, Fault, FaultAnswer, FaultBody};
use serde_json::json;

use crate::Random;

/// How many callers there are in a history.
const CALLERS: u32 = 4;
/// Within how many milliseconds things begin.
const SPAN: u64 = 1200;

/// One history.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// What each caller does, one after the other.
    pub(super) scripts: Vec<Vec<Step>>,
    /// What breaks, and when.
    pub(super) chaos: Vec<(Duration, Blow)>,
    /// Answers of Azure's that go wrong.
    pub(super) faults: Vec<Fault>,
    /// How long Kusto takes for a change.
    pub(super) change_takes: Duration,
    /// For how long reads show what was there before.
    pub(super) reads_lag: Duration,
    /// What others do at Azure to the names that callers use, and from when on.
    pub(super) strangers: Vec<(Duration, Meddling)>,
    /// How long the longest request takes that lands after its sender has settled what came of it; nothing if none does.
    pub(super) latest: Option<Duration>,
    /// Whether the caller whose tokens died never comes back.
    pub(super) stays_away: bool,
}

/// What a caller does after a pause.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) pause: Duration,
    /// At which of the two replicas.
    pub(super) replica: usize,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// So many copies of a create at once, alternating between the replicas.
    Create {
        place: usize,
        wait: u32,
        key: Option<u64>,
        copies: u32,
    },
    /// Another body under a key that was used, if one was.
    OtherBody { place: usize },
    /// The last create again, with its key.
    Repeat,
    /// A connection of the caller's own is removed, if there is one.
    Remove {
        which: u64,
        wait: u32,
        key: Option<u64>,
        copies: u32,
    },
    /// An operation of the caller's own is looked at.
    Look { which: u64 },
}

/// Something that breaks.
#[derive(Debug, Clone)]
pub(super) enum Blow {
    /// A replica is killed, and is back after a while.
    Kill { replica: usize, back_after: Duration },
    /// A replica is asked to end, and another one comes in its place.
    End { replica: usize, back_after: Duration },
    /// A replica is frozen for so long.
    Freeze { replica: usize, lasts: Duration },
    /// The tokens of a caller count no more.
    Revoke { caller: u32 },
    /// A replica's line to Postgres is dead for so long: nothing gets through, and nobody hangs up.
    CutLine { replica: usize, lasts: Duration },
}

/// What a stranger does, with rights of his own and no word to the service.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meddling {
    /// Deletes the data connection of a place once it is there, and makes another of its name.
    Remake { place: usize },
    /// Makes one of a place's name as soon as a read has found the name free.
    Snatch { place: usize },
}

impl Plan {
    /// The history of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let seed = Random::new(seed);
        let mut random = seed.of("what");
        let scripts = (0..CALLERS).map(|_| script(&mut random)).collect();
        let mut random = seed.of("blows");
        let mut chaos: Vec<(Duration, Blow)> = (0..random.between(1, 3)).map(|_| blow(&mut random)).collect();
        chaos.sort_by_key(|(at, _)| *at);
        let mut random = seed.of("faults");
        let mut faults: Vec<Fault> = (0..random.between(1, 4)).map(|_| fault(&mut random)).collect();
        let latest = late(&mut seed.of("late"));
        faults.extend(latest.as_ref().map(|(_, fault)| fault.clone()));
        chaos.extend(cut_line(&mut seed.of("lines")));
        chaos.sort_by_key(|(at, _)| *at);
        let mut random = seed.of("strangers");
        let strangers = (0..random.between(1, 4)).map(|_| meddling(&mut random)).collect();
        let mut random = seed.of("azure");
        Self {
            scripts,
            chaos,
            faults,
            change_takes: Duration::from_millis(random.between(10, 120)),
            reads_lag: Duration::from_millis(if random.chance(30) {
                random.between(20, 250)
            } else {
                0
            }),
            strangers,
            latest: latest.map(|(takes, _)| takes),
            stays_away: random.chance(30),
        }
    }

    /// The one whose tokens die, if anybody's do.
    pub(super) fn bereft(&self) -> Option<u32> {
        self.chaos.iter().find_map(|(_, blow)| match blow {
            Blow::Revoke { caller } => Some(*caller),
            _ => None,
        })
    }
}

fn script(random: &mut Random) -> Vec<Step> {
    let steps = random.between(3, 6);
    let mut number = random.below(1000) * 100;
    (0..steps)
        .map(|step| {
            number += 1;
            let key = random.chance(60).then_some(number);
            let place = usize::try_from(random.below(6)).unwrap_or_default();
            let wait = u32::try_from(random.below(2)).unwrap_or_default();
            let copies = if random.chance(20) { 3 } else { 1 };
            let what = match random.below(if step == 0 { 40 } else { 100 }) {
                0..40 => What::Create {
                    place,
                    wait,
                    key,
                    copies,
                },
                40..46 => What::OtherBody { place },
                46..56 => What::Repeat,
                56..86 => What::Remove {
                    which: random.next(),
                    wait,
                    key,
                    copies,
                },
                _ => What::Look { which: random.next() },
            };
            Step {
                pause: Duration::from_millis(random.between(0, SPAN / steps)),
                replica: usize::try_from(random.below(2)).unwrap_or_default(),
                what,
            }
        })
        .collect()
}

fn blow(random: &mut Random) -> (Duration, Blow) {
    let replica = usize::try_from(random.below(2)).unwrap_or_default();
    let back_after = Duration::from_millis(random.between(0, 600));
    let blow = match random.below(100) {
        0..35 => Blow::Kill { replica, back_after },
        35..55 => Blow::End { replica, back_after },
        55..80 => Blow::Freeze {
            replica,
            lasts: Duration::from_millis(random.between(200, 2200)),
        },
        _ => Blow::Revoke { caller: 1 },
    };
    (Duration::from_millis(random.between(50, SPAN)), blow)
}

/// A PUT that lands when its sender has given it up, and settled by reads that it came to nothing.
fn late(random: &mut Random) -> Option<(Duration, Fault)> {
    let takes = Duration::from_millis(random.between(1900, 3200));
    let fault = Fault::arm("/dataConnections/", Effect::Delay(takes)).method("PUT");
    let skip = u32::try_from(random.below(4)).unwrap_or_default();
    random.chance(35).then(|| (takes, fault.after(skip).times(1)))
}

fn cut_line(random: &mut Random) -> Option<(Duration, Blow)> {
    let blow = Blow::CutLine {
        replica: usize::try_from(random.below(2)).unwrap_or_default(),
        lasts: Duration::from_millis(random.between(300, 2500)),
    };
    let at = Duration::from_millis(random.between(50, SPAN));
    random.chance(40).then_some((at, blow))
}

fn meddling(random: &mut Random) -> (Duration, Meddling) {
    let place = usize::try_from(random.below(6)).unwrap_or_default();
    let meddling = if random.chance(60) {
        Meddling::Remake { place }
    } else {
        Meddling::Snatch { place }
    };
    (Duration::from_millis(random.below(SPAN)), meddling)
}

fn fault(random: &mut Random) -> Fault {
    let refusal = |status, code: &str, wait: Option<&str>| FaultAnswer {
        status,
        headers: wait
            .map(|wait| ("retry-after".to_owned(), wait.to_owned()))
            .into_iter()
            .collect(),
        body: FaultBody::Json(json!({ "error": { "code": code, "message": "injected" } })),
    };
    let effect = match random.below(9) {
        0 => Effect::ResetBeforeEffect,
        1 => Effect::ResetAfterEffect,
        2 => Effect::Answer(refusal(429, "TooManyRequests", Some("1"))),
        3 => Effect::Answer(refusal(429, "TooManyRequests", None)),
        4 => Effect::Answer(refusal(500, "InternalServerError", None)),
        5 => Effect::AnswerAfterEffect(refusal(500, "InternalServerError", None)),
        6 => Effect::Answer(refusal(409, "ServiceIsInMaintenance", None)),
        7 => Effect::Truncated { keep: 20 },
        _ => Effect::Delay(Duration::from_millis(random.between(50, 1300))),
    };
    let fault = match random.below(10) {
        0..4 => Fault::arm("/dataConnections/", effect).method("PUT"),
        4..6 => Fault::arm("/dataConnections/", effect).method("DELETE"),
        6 => Fault::arm("/dataConnections/", effect).method("GET"),
        7 => Fault::arm("/operation", effect).method("GET"),
        8 => Fault::arm("", effect).method("GET"),
        _ => Fault::entra("/token", effect),
    };
    let (skip, times) = (random.below(3), random.between(1, 3));
    fault
        .after(u32::try_from(skip).unwrap_or_default())
        .times(u32::try_from(times).unwrap_or(1))
}
