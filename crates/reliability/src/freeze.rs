//! Freeze: one of two replicas is frozen (SIGSTOP) in the middle of a change, past its lease, and woken. The other takes over within
//! seconds; the frozen one, once awake, writes nothing to Postgres, and nothing is sent twice.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::time::sleep;
use uuid::Uuid;

use crate::history::collect::undone;
use crate::history::requests::MANY;
use crate::history::scene::{Scene, create, settings};
use crate::history::{History, Operation, Wish, objections};
use crate::{Ground, Tally};

/// How long anything may take.
const LONGEST: Duration = Duration::from_secs(30);
/// How long a takeover may take, with leases of a second.
const TAKEOVER: Duration = Duration::from_secs(10);
/// For how long a woken replica is watched.
const WATCH: Duration = Duration::from_millis(1500);

/// Where a replica is frozen, and what has to have come of it.
struct Moment {
    name: &'static str,
    /// The failure point at which it waits.
    point: &'static str,
    removes: bool,
    /// How many requests to change reach ARM in all.
    sent: usize,
    /// How the operation ends.
    end: &'static str,
}

const MOMENTS: [Moment; 4] = [
    Moment {
        name: "a create, decided on and not sent",
        point: "commit/record create intent/after",
        removes: false,
        sent: 0,
        end: "failed",
    },
    Moment {
        name: "a create, sent, with its answer here",
        point: "arm/PUT data connection/after",
        removes: false,
        sent: 1,
        end: "succeeded",
    },
    Moment {
        name: "a removal, decided on and not sent",
        point: "commit/record removal/after",
        removes: true,
        // The one that took over sends it, with the tokens of the caller who came back.
        sent: 1,
        end: "succeeded",
    },
    Moment {
        name: "a removal, sent, with its answer here",
        point: "arm/DELETE data connection/after",
        removes: true,
        sent: 1,
        end: "succeeded",
    },
];

/// Runs it.
///
/// # Errors
/// When something it needs is missing.
pub async fn run(ground: &Ground) -> anyhow::Result<ExitCode> {
    ground.tell_commit_times().await?;
    let mut tally = Tally::default();
    for moment in &MOMENTS {
        let stack = ground.stack(azure_emulator::Options::default()).await?;
        let (settings, gate) = (settings(), stack.file("gate"));
        let trigger = stack.file("trigger");
        let points = format!(
            "{}=pause:{}; when={}",
            moment.point,
            gate.display(),
            trigger.display()
        );
        let (one, other) = tokio::try_join!(stack.replica(&settings, &points), stack.replica(&settings, ""))?;
        let scene = Scene::of(stack, [one, other], settings)?;
        let found = Box::pin(trial(&scene, moment)).await;
        tally.add(
            moment.name,
            &found.unwrap_or_else(|error| vec![format!("{error:#}")]),
        );
        scene.strike().await?;
    }
    Ok(tally.end("freeze")?)
}

/// What was seen of a freeze.
struct Seen {
    operation: Uuid,
    /// From the freeze to the end of the operation.
    took: Duration,
    /// What was there before it, and when the other replica had ended it.
    before: History,
    settled: History,
    /// The rows of then.
    rows: Rows,
}

/// What a change writes beside the ledger, each row by its table.
type Rows = Vec<(&'static str, Vec<Value>)>;

async fn rows(scene: &Scene) -> anyhow::Result<Rows> {
    let mut rows = Vec::new();
    for (table, order) in [
        ("operations", "id"),
        ("connections", "id"),
        ("cluster_slots", "cluster_id"),
    ] {
        let query = format!("select * from {table} order by {order}");
        rows.push((table, scene.stack().database.rows(&query).await?));
    }
    Ok(rows)
}

async fn trial(scene: &Scene, moment: &Moment) -> anyhow::Result<Vec<String>> {
    let client = scene.client(0)?;
    let mut wish = create(MANY, MANY, None);
    if moment.removes {
        let made = scene.call(&client, 0, 1, wish, 5).await.context("no create")?;
        ensure!(made.status == 201, "the create ended with {made:?}");
        let connection = made.connection.context("no connection")?;
        wish = Wish::Remove {
            connection,
            key: None,
        };
    }
    let before = scene.history().await?;
    std::fs::write(scene.stack().file("trigger"), "")?;
    let asked = scene.call(&client, 0, 0, wish.clone(), 0);
    let (_, seen) = tokio::join!(asked, freeze_and_wake(scene, &wish, before));
    let seen = seen?;
    // Nothing tells that it will write nothing more; it has had time for it by now.
    sleep(WATCH).await;
    let (end, rows) = (scene.history().await?, rows(scene).await?);
    writeln!(
        std::io::stdout(),
        "{}: taken over and ended after {:.1} s",
        moment.name,
        seen.took.as_secs_f64()
    )?;
    Ok(judge(moment, &seen, &end, &rows))
}

async fn freeze_and_wake(scene: &Scene, wish: &Wish, before: History) -> anyhow::Result<Seen> {
    let gate = scene.stack().file("gate");
    until("the replica comes to the point", || async { Ok(gate.exists()) }).await?;
    let frozen = Instant::now();
    let place = scene.replica(0);
    place.lock().await.as_ref().context("no replica")?.freeze()?;
    let operation = undone(scene).await?.into_iter().next();
    let operation = operation.context("no operation under way")?;
    until("the other takes over and ends it", || {
        come_back(scene, &operation, wish)
    })
    .await?;
    let took = frozen.elapsed();
    let (settled, rows) = (scene.history().await?, rows(scene).await?);
    // It goes on where it was: at the point, which lets it pass at once.
    std::fs::remove_file(&gate)?;
    place.lock().await.as_ref().context("no replica")?.wake()?;
    until("the woken one serves", || serves(scene)).await?;
    Ok(Seen {
        operation: operation.id,
        took,
        before,
        settled,
        rows,
    })
}

fn judge(moment: &Moment, seen: &Seen, end: &History, rows: &Rows) -> Vec<String> {
    let mut found = objections(end);
    if seen.took > TAKEOVER {
        found.push(format!("taken over only after {:?}", seen.took));
    }
    let written = seen.settled.events.len();
    if end.events.len() != written {
        found.push(format!("the woken one wrote: {:?}", end.events.get(written..)));
    }
    for ((table, before), (_, after)) in seen.rows.iter().zip(rows) {
        if before != after {
            found.push(format!(
                "the woken one changed {table} from {before:?} to {after:?}"
            ));
        }
    }
    let row = end.operation(seen.operation);
    if row.is_none_or(|row| row.phase != moment.end) {
        found.push(format!("it ended as {row:?}"));
    }
    let sent = end.sent.len() - seen.before.sent.len();
    if sent != moment.sent {
        found.push(format!("{sent} requests were sent instead of {}", moment.sent));
    }
    found
}

/// The caller continues the operation at the replica that serves, and repeats a removal, which makes nothing new. Returns whether it
/// is over.
async fn come_back(scene: &Scene, row: &Operation, wish: &Wish) -> anyhow::Result<bool> {
    let (client, operation) = (scene.client(0)?, row.id);
    scene.call(&client, 0, 1, Wish::Continue { operation }, 0).await;
    if let Wish::Remove { .. } = wish {
        scene.call(&client, 0, 1, wish.clone(), 0).await;
    }
    is_over(scene, operation).await
}

async fn is_over(scene: &Scene, operation: Uuid) -> anyhow::Result<bool> {
    Ok(undone(scene).await?.iter().all(|row| row.id != operation))
}

async fn serves(scene: &Scene) -> anyhow::Result<bool> {
    let operation = Uuid::nil();
    let reply = scene
        .call(&scene.client(0)?, 0, 0, Wish::Look { operation }, 0)
        .await;
    Ok(reply.is_some())
}

/// Waits until something holds.
pub(crate) async fn until<F>(what: &str, holds: impl Fn() -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<bool>>,
{
    let deadline = Instant::now() + LONGEST;
    while Instant::now() < deadline {
        if holds().await? {
            return Ok(());
        }
        sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{what}: not within {LONGEST:?}")
}
