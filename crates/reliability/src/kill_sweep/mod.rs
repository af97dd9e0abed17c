//! The kill sweep: at every failure point of every operation the real program is aborted and started again; then ARM, the records
//! and the ledger must agree, with no orphan, no lost acknowledgement and no deletion of what is somebody else's.

mod lane;
mod play;
mod scenario;
mod table;

use std::collections::VecDeque;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::{Args, ValueEnum};
use tokio::task::JoinSet;

use crate::stack::{commit, seed_of_commit};
use crate::{Ground, Random, Tally};
use lane::{Identity, Lane, Outcome, Trial};
use scenario::Scenario;
use table::Table;

/// How often a point is tried at which the replica doesn't die.
const TRIES: u32 = 3;

/// After how many trials it is told how far it is.
const PROGRESS: usize = 100;

/// Which of the service's own identities are tried.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Choice {
    /// None: it settles with its callers' tokens.
    None,
    /// One that may read at the target.
    Target,
    /// One that may read at the target and at the source.
    Both,
    /// All that there are.
    All,
}

/// How to sweep.
#[derive(Debug, Args)]
pub struct Options {
    /// How many rounds: the first tries each point at its first and last passing, later ones at any.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// The number of the first round, to go on with a sweep of the same seed.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    from: u32,
    /// What is left to chance: ARM's delays, callers, keys, the order of trials, and at which passing a later round kills. If none
    /// is named, one that follows from the commit.
    #[arg(long)]
    seed: Option<u64>,
    /// Begin no trial after so many seconds: as many trials as fit, in an order by chance.
    #[arg(long)]
    seconds: Option<u64>,
    /// The service's own identity.
    #[arg(long, value_enum, default_value_t = Choice::All)]
    identity: Choice,
    /// Only operations whose name contains this, such as `remove`.
    #[arg(long, default_value = "")]
    operation: String,
    /// Only points whose name contains this, such as `arm/PUT`.
    #[arg(long, default_value = "")]
    point: String,
    /// How many stacks work side by side.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    lanes: u32,
}

impl Options {
    fn identities(&self) -> Vec<Identity> {
        match self.identity {
            Choice::None => vec![Identity::None],
            Choice::Target => vec![Identity::Target],
            Choice::Both => vec![Identity::Both],
            Choice::All => vec![Identity::None, Identity::Target, Identity::Both],
        }
    }

    fn again(&self, seed: u64) -> String {
        let named = |name: &str, text: &str| match text {
            "" => String::new(),
            text => format!(" --{name} '{text}'"),
        };
        let identity = self.identity.to_possible_value();
        let identity = identity.map_or_else(String::new, |value| value.get_name().to_owned());
        format!(
            "kill-sweep --rounds {} --from {} --seed {} --identity {identity} --lanes {}{}{}",
            self.rounds,
            self.from,
            seed,
            self.lanes,
            named("operation", &self.operation),
            named("point", &self.point)
        )
    }
}

/// Trials and what came of them, in the order in which they ended.
type Done = Vec<(Trial, Outcome)>;

/// Numbers trials, each with chance of its own.
struct Planner {
    random: Random,
    trials: u32,
    /// Whether those of one identity come one after the other, which spares restarts, or in any order.
    by_identity: bool,
}

impl Planner {
    fn number(&mut self) -> u32 {
        self.trials += 1;
        self.trials
    }

    /// Each operation once without a death, to see which points it passes.
    fn discovery(&mut self, identities: &[Identity]) -> Vec<Trial> {
        let mut trials = Vec::new();
        for &identity in identities {
            for scenario in Scenario::ALL {
                trials.push(Trial {
                    number: self.number(),
                    round: 0,
                    identity,
                    scenario,
                    attempt: 1,
                    point: None,
                    random: self.random.of(scenario.name()).of(identity.name()),
                });
            }
        }
        trials
    }

    /// A death at each point that was passed, in any order.
    fn round(&mut self, round: u32, found: &Done) -> Vec<Trial> {
        let mut trials = Vec::new();
        for (origin, outcome) in found {
            for (point, count) in &outcome.passed {
                let seed = self.random.of(&format!("{round}/{}/{point}", origin.name()));
                for nth in passings(round, origin.identity, *count, &mut seed.clone()) {
                    trials.push(Trial {
                        number: self.number(),
                        round,
                        point: Some((point.clone(), nth)),
                        random: seed.of(&nth.to_string()),
                        ..origin.clone()
                    });
                }
            }
        }
        self.random.of(&format!("order of {round}")).shuffle(&mut trials);
        // A replica that is ready for the next trial has its settings already.
        if self.by_identity {
            trials.sort_by_key(|trial| trial.identity);
        }
        trials
    }

    /// The same point for a trial whose replica lived, with other chances. The last time at any passing up to the one that didn't come:
    /// it may be passed less often than when it was recorded.
    fn retry(&mut self, trial: &Trial) -> Trial {
        let (attempt, mut random) = (trial.attempt + 1, trial.random.of("retry"));
        let mut point = trial.point.clone();
        if let Some((_, nth)) = &mut point
            && attempt == TRIES
        {
            *nth = u32::try_from(random.between(1, u64::from(*nth))).unwrap_or(1);
        }
        Trial {
            number: self.number(),
            attempt,
            point,
            random,
            ..trial.clone()
        }
    }
}

/// Runs the sweep and prints a table.
///
/// # Errors
/// When there is nothing to sweep, or what it stands on breaks down.
pub async fn run(options: &Options, ground: &Ground) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout();
    let seed = match options.seed {
        Some(seed) => seed,
        None => seed_of_commit(&commit()?)?,
    };
    let until = options.seconds.map(Duration::from_secs);
    let until = until.map(|time| Instant::now() + time);
    writeln!(out, "kill sweep, seed {seed}")?;
    let (mut tally, mut table) = (Tally::default(), Table::default());
    let mut planner = Planner {
        random: Random::new(seed),
        by_identity: until.is_none(),
        trials: 0,
    };
    let mut discovery = planner.discovery(&options.identities());
    discovery.retain(|trial| trial.scenario.name().contains(&options.operation));
    ensure!(
        !discovery.is_empty(),
        "no operation has '{}' in its name",
        options.operation
    );
    let found = work(ground, options.lanes, discovery, None).await?;
    for (trial, outcome) in &found {
        tally.add(&trial.name(), &outcome.found);
    }
    let last = options.from + options.rounds - 1;
    for round in options.from..=last {
        let began = Instant::now();
        let mut trials = planner.round(round, &found);
        let wanted = |point: &(String, u32)| point.0.contains(&options.point);
        trials.retain(|trial| trial.point.as_ref().is_some_and(wanted));
        ensure!(
            !trials.is_empty(),
            "no point that was passed has '{}' in its name",
            options.point
        );
        table.plan(&trials);
        let mut count = 0;
        while !trials.is_empty() {
            let mut lived = Vec::new();
            for (trial, outcome) in work(ground, options.lanes, trials, until).await? {
                count += 1;
                tally.add(&trial.name(), &outcome.found);
                table.add(&trial, &outcome);
                if !outcome.died && outcome.found.is_empty() && trial.attempt < TRIES {
                    lived.push(planner.retry(&trial));
                }
            }
            trials = lived;
        }
        let seconds = began.elapsed().as_secs();
        writeln!(out, "round {round} of {last}: {count} trials in {seconds} s")?;
    }
    write!(out, "{}", table.text())?;
    // A sample says nothing of how many points are never reached.
    if options.point.is_empty() && until.is_none() {
        tally.add("enough deaths", &table.shortfalls());
    }
    Ok(tally.end(&options.again(seed))?)
}

/// At which passings of a point, which was passed so often, a round kills: in the first, at the first passing, and without an identity,
/// which changes what is done afterwards alone, at the last one too.
fn passings(round: u32, identity: Identity, count: u32, random: &mut Random) -> Vec<u32> {
    if round > 1 {
        let nth = random.between(1, u64::from(count));
        return vec![u32::try_from(nth).unwrap_or(1)];
    }
    if identity != Identity::None || count == 1 {
        return vec![1];
    }
    vec![1, count]
}

/// Runs trials side by side, each lane one after the other, and begins none after `until`.
async fn work(
    ground: &Ground,
    lanes: u32,
    trials: Vec<Trial>,
    until: Option<Instant>,
) -> anyhow::Result<Done> {
    let queue = VecDeque::from(trials);
    let (queue, done) = (Arc::new(Mutex::new(queue)), Arc::new(Mutex::new(Vec::new())));
    let mut set = JoinSet::new();
    for _ in 0..lanes {
        set.spawn(drain(
            ground.clone(),
            Arc::clone(&queue),
            Arc::clone(&done),
            until,
        ));
    }
    while let Some(ended) = set.join_next().await {
        ended??;
    }
    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
    let mut done = std::mem::take(&mut *done);
    done.sort_by_key(|(trial, _): &(Trial, Outcome)| trial.number);
    Ok(done)
}

async fn drain(
    ground: Ground,
    queue: Arc<Mutex<VecDeque<Trial>>>,
    done: Arc<Mutex<Done>>,
    until: Option<Instant>,
) -> anyhow::Result<()> {
    let pop = || {
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = until.is_some_and(|until| Instant::now() >= until);
        queue.pop_front().filter(|_| !is_over)
    };
    let Some(mut current) = pop() else {
        return Ok(());
    };
    let mut lane = Lane::open(&ground).await?;
    loop {
        let next = pop();
        let outcome = match lane.run(&current, next.as_ref()).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome {
                found: vec![format!("{error:#}")],
                ..Outcome::default()
            },
        };
        if !outcome.found.is_empty() {
            let _ = writeln!(std::io::stderr(), "{}: {:?}", current.name(), outcome.found);
            // What is wrong here would be found in the next trial again.
            lane.close().await?;
            lane = Lane::open(&ground).await?;
        }
        let mut ended = done.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push((current, outcome));
        if ended.len().is_multiple_of(PROGRESS) {
            let _ = writeln!(std::io::stderr(), "{} trials", ended.len());
        }
        drop(ended);
        match next {
            Some(next) => current = next,
            None => break,
        }
    }
    lane.close().await
}
