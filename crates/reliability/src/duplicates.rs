//! Duplicates: many copies of one create by one actor at once, over two replicas. Exactly one PUT, one record, one operation.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::history::requests::MANY;
use crate::history::scene::{Scene, create, settings};
use crate::history::{Reply, Wish, objections};
use crate::{Client, Ground, Tally};

/// How long all copies may take to get their answers.
const LONGEST: Duration = Duration::from_secs(300);

/// The first wait before asking again.
const PAUSE: Duration = Duration::from_millis(500);

/// How many copies.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How many copies of each create.
    #[arg(long, default_value_t = 1000)]
    copies: usize,
    /// How many of them are under way at once.
    #[arg(long, default_value_t = 250)]
    at_once: usize,
    /// The leases. So many copies at once keep a replica from renewing a short one, and then a create may come to nothing before it
    /// is sent; asked for again without a key, it is another one.
    #[arg(long, default_value = "15s")]
    lease: String,
}

/// Runs it without a key, and with one.
///
/// # Errors
/// When something it needs is missing.
pub async fn run(ground: &Ground, options: &Options) -> anyhow::Result<ExitCode> {
    ground.tell_commit_times().await?;
    let mut tally = Tally::default();
    for (name, key) in [
        ("without a key", None),
        ("with a key", Some("the-key".to_owned())),
    ] {
        let settings = settings()
            .with("worker.lease", &options.lease)
            .with("database.max_connections", "10");
        let scene = Scene::set(ground, azure_emulator::Options::default(), settings).await?;
        let found = trial(&scene, options, create(MANY, MANY, key)).await;
        tally.add(name, &found.unwrap_or_else(|error| vec![format!("{error:#}")]));
        scene.strike().await?;
    }
    let Options {
        copies,
        at_once,
        lease,
    } = options;
    Ok(tally.end(&format!(
        "duplicates --copies {copies} --at-once {at_once} --lease {lease}"
    ))?)
}

async fn trial(scene: &Scene, options: &Options, wish: Wish) -> anyhow::Result<Vec<String>> {
    let client = scene.client(0)?;
    let began = Instant::now();
    let asked = (0..options.copies).map(|copy| insist(scene, &client, copy, &wish));
    let asked = futures_util::stream::iter(asked).buffer_unordered(options.at_once.max(1));
    let replies: Vec<(Reply, u32)> = tokio::time::timeout(LONGEST, asked.try_collect())
        .await
        .with_context(|| format!("no end; {}", refusals(scene)))??;
    let took = began.elapsed();
    let history = scene.history().await?;
    let mut found = objections(&history);
    let named = |of: fn(&Reply) -> Option<uuid::Uuid>| {
        replies
            .iter()
            .map(|(reply, _)| of(reply))
            .collect::<BTreeSet<_>>()
    };
    let (operations, connections) = (named(|reply| reply.operation), named(|reply| reply.connection));
    if operations.contains(&None) || connections.contains(&None) {
        found.push("an answer names no operation or no connection".to_owned());
    }
    let puts = history.sent.iter().filter(|sent| sent.method == "PUT").count();
    for (what, number) in [
        ("PUTs", puts),
        ("operations in the answers", operations.len()),
        ("connections in the answers", connections.len()),
        ("recorded operations", history.operations.len()),
        ("recorded connections", history.connections.len()),
    ] {
        if number != 1 {
            found.push(format!("{number} {what}"));
        }
    }
    ensure!(replies.len() == options.copies, "not all were answered");
    writeln!(
        std::io::stdout(),
        "{} copies in {:.1} s: {puts} PUT, {} connection, {} operation; {} had to ask again: {}",
        replies.len(),
        took.as_secs_f64(),
        history.connections.len(),
        history.operations.len(),
        replies.iter().filter(|(_, again)| *again > 0).count(),
        refusals(scene)
    )?;
    Ok(found)
}

/// What else than success was answered, and how often.
fn refusals(scene: &Scene) -> String {
    let mut counts: BTreeMap<(u16, String), usize> = BTreeMap::new();
    for call in scene.calls().iter() {
        let reply = call.reply.clone().unwrap_or_default();
        if !reply.is_taken_on() {
            *counts.entry((reply.status, reply.code)).or_default() += 1;
        }
    }
    format!("{counts:?}")
}

/// Asks until the service takes it on, less and less often: it may be too busy for so many, and then says so with a 503. Returns the
/// answer, and how often it was asked again.
async fn insist(scene: &Scene, client: &Client, copy: usize, wish: &Wish) -> anyhow::Result<(Reply, u32)> {
    let mut again = 0;
    loop {
        let reply = scene.call(client, 0, copy % 2, wish.clone(), 2).await;
        match reply {
            Some(reply) if reply.is_taken_on() => return Ok((reply, again)),
            Some(reply) => ensure!(
                reply.status == 503,
                "a copy was refused: {} {}",
                reply.status,
                reply.code
            ),
            None => {}
        }
        again += 1;
        let spread = Duration::from_millis(u64::try_from(copy % 100).unwrap_or_default() * 20);
        tokio::time::sleep(PAUSE * again.min(10) + spread).await;
    }
}
