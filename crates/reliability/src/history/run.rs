//! The command: seeds one after the other, some at once, each on a stack of its own.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::StreamExt as _;
use futures_util::future::try_join_all;

use super::plan::Plan;
use super::scene::{Scene, settings};
use super::{Call, History, Reply, Wish, act, chaos, ending, objections, strangers};
use crate::feed::agreement::disagreements;
use crate::stack::{commit, seed_of_commit};
use crate::{Ground, Tally};

/// Which histories.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How many.
    #[arg(long, default_value_t = 15)]
    seeds: u64,
    /// The first seed; if none is named, one that follows from the commit.
    #[arg(long)]
    from: Option<u64>,
    /// Begin none after so many seconds: as many as fit.
    #[arg(long)]
    seconds: Option<u64>,
    /// How many at once.
    #[arg(long, default_value_t = 3)]
    at_once: usize,
}

/// What came of one.
struct Played {
    seed: u64,
    objections: Vec<String>,
    calls: usize,
    answered: usize,
    /// Creates and removals that were taken on.
    taken_on: usize,
    requests: usize,
    operations: usize,
    /// What strangers made.
    meddled: usize,
    drifted: usize,
    contested: usize,
    /// Creates that were seen after their record had been closed.
    late: usize,
}

/// Plays them, and tells what is wrong with each.
///
/// # Errors
/// When a history can't be played at all.
pub async fn run(ground: &Ground, options: &Options) -> anyhow::Result<ExitCode> {
    ground.tell_commit_times().await?;
    let began = Instant::now();
    let from = match options.from {
        Some(from) => from,
        None => seed_of_commit(&commit()?)?,
    };
    let last = from.saturating_add(options.seeds);
    let mut out = std::io::stdout();
    writeln!(out, "seeds {from} to {}", last.saturating_sub(1))?;
    let until = options
        .seconds
        .map(|seconds| began + Duration::from_secs(seconds));
    let in_time = move |_: &u64| until.is_none_or(|until| Instant::now() < until);
    let mut played = futures_util::stream::iter((from..last).take_while(in_time))
        .map(|seed| async move { (seed, play(ground, seed).await) })
        .buffer_unordered(options.at_once.max(1));
    let mut tally = Tally::default();
    let mut all = Played::nothing(from);
    let mut count = 0;
    while let Some((seed, result)) = played.next().await {
        count += 1;
        let one = result.unwrap_or_else(|error| Played {
            objections: vec![format!("it could not be played: {error:#}")],
            ..Played::nothing(seed)
        });
        for objection in &one.objections {
            writeln!(out, "seed {seed}: {objection}")?;
        }
        all.add(&one);
        tally.add(
            &format!(
                "seed {} (again: cargo reliability history --seeds 1 --from {})",
                one.seed, one.seed
            ),
            &one.objections,
        );
    }
    let took = began.elapsed();
    writeln!(
        out,
        "{count} histories in {:.0} s: {} calls ({} answered), {} operations, {} requests to change; strangers made {} data connections, {} operations ended as drifted and {} as contested; {} creates landed when their records were closed",
        took.as_secs_f64(),
        all.calls,
        all.answered,
        all.operations,
        all.requests,
        all.meddled,
        all.drifted,
        all.contested,
        all.late
    )?;
    tally.add("something happens in them", &all.lacks());
    Ok(tally.end(&format!("history --seeds {count} --from {from}"))?)
}

impl Played {
    const fn nothing(seed: u64) -> Self {
        Self {
            seed,
            objections: Vec::new(),
            calls: 0,
            answered: 0,
            taken_on: 0,
            requests: 0,
            operations: 0,
            meddled: 0,
            drifted: 0,
            contested: 0,
            late: 0,
        }
    }

    fn add(&mut self, one: &Self) {
        self.calls += one.calls;
        self.answered += one.answered;
        self.taken_on += one.taken_on;
        self.requests += one.requests;
        self.operations += one.operations;
        self.meddled += one.meddled;
        self.drifted += one.drifted;
        self.contested += one.contested;
        self.late += one.late;
    }

    /// What came of a history, and what is wrong with it.
    fn of(seed: u64, history: &History, objections: Vec<String>) -> Self {
        let ended_as = |code: &str| {
            let operations = history.operations.iter();
            operations.filter(|row| row.code() == Some(code)).count()
        };
        let events = history.events.iter();
        let calls = history.calls.iter();
        Self {
            seed,
            drifted: ended_as("drifted"),
            contested: ended_as("contested"),
            late: events.filter(|event| event.kind == "create.appeared").count(),
            objections,
            calls: history.calls.len(),
            answered: calls.clone().filter(|call| call.reply.is_some()).count(),
            taken_on: calls.filter(|call| is_taken_on(call)).count(),
            requests: history.sent.len(),
            operations: history.operations.len(),
            meddled: history.strangers.len(),
        }
    }

    /// What never happened. A service that refuses everything breaks no promise.
    fn lacks(&self) -> Vec<String> {
        [
            ("change was taken on", self.taken_on),
            ("operation was recorded", self.operations),
            ("request to change reached Azure", self.requests),
        ]
        .into_iter()
        .filter(|(_, count)| *count == 0)
        .map(|(what, _)| format!("no {what}"))
        .collect()
    }
}

fn is_taken_on(call: &Call) -> bool {
    matches!(call.wish, Wish::Create { .. } | Wish::Remove { .. })
        && call.reply.as_ref().is_some_and(Reply::is_taken_on)
}

async fn play(ground: &Ground, seed: u64) -> anyhow::Result<Played> {
    let plan = Plan::of(seed);
    let options = azure_emulator::Options {
        operation_duration: plan.change_takes,
        read_lag: plan.reads_lag,
        ..azure_emulator::Options::default()
    };
    let scene = Scene::over_lines(ground, options, settings()).await?;
    for fault in &plan.faults {
        scene.stack().emulator.inject(fault.clone());
    }
    let callers = (0..).zip(plan.scripts.clone());
    let callers = callers.map(|(caller, script)| act::play(scene.clone(), caller, script));
    let blows = chaos::play(scene.clone(), plan.chaos.clone());
    let others = strangers::play(scene.clone(), plan.strangers.clone());
    tokio::try_join!(try_join_all(callers), blows, others)?;
    let mut revoked = BTreeSet::new();
    if let Some(caller) = plan.bereft() {
        revoked.insert(scene.person(caller)?.1.clone());
    }
    let gone = if plan.stays_away {
        revoked.clone()
    } else {
        BTreeSet::new()
    };
    ending::come_to_an_end(&scene, &gone).await?;
    if let Some(takes) = plan.latest {
        ending::see_late_effects(&scene, &gone, takes).await?;
    }
    if !plan.strangers.is_empty() {
        ending::remove_what_strangers_made(&scene, &gone).await?;
    }
    let history = History {
        revoked,
        gone,
        ..scene.history().await?
    };
    let mut objections = objections(&history);
    objections.extend(disagreements(scene.stack()).await?);
    if !objections.is_empty() {
        scene
            .keep(&format!("history-{seed}"), &history, &format!("{plan:#?}"))
            .await?;
    }
    let played = Played::of(seed, &history, objections);
    tokio::time::timeout(Duration::from_secs(20), scene.strike()).await??;
    Ok(played)
}
