//! Feed: eight writers add events, and hold transactions open at random; three readers follow the feed; a replica is killed, and so is
//! one in the middle of giving positions. Each reader gets each event once, in the same order, and soon.

pub mod agreement;

use std::collections::HashSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use azure_emulator::{MintUserToken, how_to};
use clap::Args;
use futures_util::StreamExt as _;
use futures_util::future::try_join_all;
use http::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::{Instant, sleep, sleep_until};

use crate::stack::{commit, is_abort, seed_of_commit};
use crate::{Client, Ground, Random, Replica, Settings, Stack, Tally};

/// How many write at once.
const WRITERS: u64 = 8;
/// How many events a writer adds in a second: 200 all together.
const EACH_PER_SECOND: u32 = 25;
/// For how long they write.
const WRITING: Duration = Duration::from_secs(6);
/// How many read.
const READERS: usize = 3;
/// How long a reader may take to get everything, after the last event was written.
const READING: Duration = Duration::from_secs(40);
/// How soon 99 of 100 events have their position, after their commit.
const LAG: Duration = Duration::from_secs(1);

/// Which trials.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How many.
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// The first seed; if none is named, one that follows from the commit.
    #[arg(long)]
    from: Option<u64>,
    /// Begin none after so many seconds: as many as fit.
    #[arg(long)]
    seconds: Option<u64>,
    /// How many at once. The lag is of a machine that does nothing else.
    #[arg(long, default_value_t = 1)]
    at_once: usize,
}

/// What came of one trial.
struct Played {
    objections: Vec<String>,
    /// From commit to position, in milliseconds.
    lags: Vec<u64>,
    per_second: f64,
}

/// Plays them, and tells what is wrong with each.
///
/// # Errors
/// When the ground fails.
pub async fn run(ground: &Ground, options: &Options) -> anyhow::Result<ExitCode> {
    ground.tell_commit_times().await?;
    let began = Instant::now();
    let from = match options.from {
        Some(from) => from,
        None => seed_of_commit(&commit()?)?,
    };
    let until = options
        .seconds
        .map(|seconds| began + Duration::from_secs(seconds));
    let in_time = move |_: &u64| until.is_none_or(|until| Instant::now() < until);
    let seeds = (from..from.saturating_add(options.seeds)).take_while(in_time);
    let mut played = futures_util::stream::iter(seeds)
        .map(|seed| async move { (seed, Box::pin(play(ground, seed)).await) })
        .buffer_unordered(options.at_once.max(1));
    let (mut tally, mut lags, mut slowest, mut count) = (Tally::default(), Vec::new(), f64::MAX, 0);
    while let Some((seed, result)) = played.next().await {
        count += 1;
        let again = format!("seed {seed} (again: cargo reliability feed --seeds 1 --from {seed})");
        match result {
            Ok(one) => {
                lags.extend(one.lags);
                slowest = slowest.min(one.per_second);
                tally.add(&again, &one.objections);
            }
            Err(error) => tally.add(&again, &[format!("it could not be played: {error:#}")]),
        }
    }
    lags.sort_unstable();
    let at = |percent: usize| {
        let index = (lags.len() * percent / 100).min(lags.len().saturating_sub(1));
        Duration::from_millis(lags.get(index).copied().unwrap_or(u64::MAX))
    };
    writeln!(
        std::io::stdout(),
        "{count} trials in {:.0} s: {} events, at least {slowest:.0} a second; from commit to position: median {:?}, 99 % {:?}, longest {:?}",
        began.elapsed().as_secs_f64(),
        lags.len(),
        at(50),
        at(99),
        at(100)
    )?;
    let late =
        (at(99) >= LAG).then(|| format!("one event in a hundred has its position only after {:?}", at(99)));
    tally.add("the lag", late.as_slice());
    Ok(tally.end(&format!("feed --seeds {count} --from {from}"))?)
}

async fn play(ground: &Ground, seed: u64) -> anyhow::Result<Played> {
    let random = Random::new(seed);
    let stack = ground.stack(azure_emulator::Options::default()).await?;
    let settings = Settings::hurried();
    let (killed, passing) = (random.of("killed").chance(50), random.of("passing").between(1, 3));
    let point = if killed { "before" } else { "after" };
    let points = format!(
        "commit/number events/{point}=abort@{passing}; when={}",
        stack.file("trigger").display()
    );
    let (sequencer, victim, other) = tokio::try_join!(
        stack.replica(&settings, &points),
        stack.replica(&settings, ""),
        stack.replica(&settings, "")
    )?;
    let addresses = [sequencer.address(), victim.address(), other.address()];
    let expected = AtomicUsize::new(usize::MAX);
    let began = Instant::now();
    let writing = async {
        let writers = (0..WRITERS).map(|number| write(&stack, random.of(&format!("writer {number}"))));
        try_join_all(writers).await?;
        let took = began.elapsed();
        let count = stack
            .database
            .number("select count(*) from ledger_events")
            .await?;
        expected.store(usize::try_from(count)?, Ordering::Relaxed);
        Ok::<_, anyhow::Error>(f64::from(i32::try_from(count)?) / took.as_secs_f64())
    };
    let readers = (0..READERS).map(|number| read(&stack, addresses, number, &expected));
    let deaths = kill(&stack, &settings, random.of("deaths"), (sequencer, victim));
    let (per_second, read, died) = tokio::try_join!(writing, try_join_all(readers), deaths)?;
    let mut objections = agreement::disagreements(&stack).await?;
    if !died {
        objections.push("the one that was to die in the middle of giving positions lived on".to_owned());
    }
    objections.extend(compare(&stack, &read).await?);
    let lags = lags(&stack).await?;
    drop(other);
    stack.stop().await?;
    Ok(Played {
        objections,
        lags,
        per_second,
    })
}

/// What readers got other than each event once in the feed's order.
async fn compare(stack: &Stack, read: &[Vec<String>]) -> anyhow::Result<Vec<String>> {
    let rows = stack
        .database
        .rows("select e.id from feed f join ledger_events e on e.sequence = f.event_sequence order by f.position")
        .await?;
    let id = |row: &Value| {
        row.get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let whole: Vec<String> = rows.iter().map(id).collect();
    let mut found = Vec::new();
    for (number, ids) in read.iter().enumerate() {
        if ids == &whole {
            continue;
        }
        let once: HashSet<&String> = ids.iter().collect();
        let first = ids.iter().zip(&whole).position(|(got, expected)| got != expected);
        found.push(format!(
            "reader {number} got {} events, {} of them different, of {}; the first that is not in its place is number {first:?}",
            ids.len(),
            once.len(),
            whole.len()
        ));
    }
    Ok(found)
}

/// How long each event took from its commit to that of its position, by Postgres's own clock.
async fn lags(stack: &Stack) -> anyhow::Result<Vec<u64>> {
    let rows = stack
        .database
        .rows(
            "select (extract(epoch from pg_xact_commit_timestamp(f.xmin) - pg_xact_commit_timestamp(e.xmin)) * 1000)::bigint as lag
             from feed f join ledger_events e on e.sequence = f.event_sequence",
        )
        .await?;
    let lag = |row: &Value| row.get("lag").and_then(Value::as_i64);
    let lags = rows.iter().map(|row| lag(row).context("no time of a commit"));
    lags.map(|lag| Ok(u64::try_from(lag?).unwrap_or_default()))
        .collect()
}

/// Adds events as the service does, some of them together; some transactions stay open for a while, and some are rolled back.
async fn write(stack: &Stack, mut random: Random) -> anyhow::Result<()> {
    let mut db = PgConnection::connect(stack.database_url().as_str()).await?;
    let began = Instant::now();
    let mut due = began;
    while due < began + WRITING {
        let count = random.between(1, 3);
        let held = random
            .chance(4)
            .then(|| Duration::from_millis(random.between(20, 1500)));
        let end = if random.chance(5) { "rollback" } else { "commit" };
        let adding = adding(count);
        // Where nothing is held, in one message: what the writers cost is not what is tried.
        match held {
            None => run_sql(&mut db, &format!("begin; {adding}; {end}")).await?,
            Some(held) => {
                run_sql(&mut db, &format!("begin; {adding}")).await?;
                sleep(held).await;
                run_sql(&mut db, end).await?;
            }
        }
        if end == "commit" {
            due += Duration::from_secs(1) / EACH_PER_SECOND * u32::try_from(count)?;
        }
        // Who was held comes up with the others again.
        sleep_until(due).await;
    }
    Ok(db.close().await?)
}

async fn run_sql(db: &mut PgConnection, statement: &str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(db)
        .await?;
    Ok(())
}

fn adding(count: u64) -> String {
    format!(
        "insert into ledger_events (id, occurred_at, kind, tenant_ids, details)
         select gen_random_uuid(), clock_timestamp(), 'create.refused', array['{}']::uuid[], '{{}}' from generate_series(1, {count})",
        how_to::DOMAIN1
    )
}

/// Follows the feed, at another replica whenever one does not answer, until there is nothing more; returns the events' ids.
async fn read(
    stack: &Stack,
    addresses: [SocketAddr; 3],
    number: usize,
    expected: &AtomicUsize,
) -> anyhow::Result<Vec<String>> {
    let token = stack.emulator.mint_user_token(&auditor())?;
    let mut places = addresses.into_iter().cycle().skip(number);
    let client = Client::new(places.next().context("no replica")?, &token, None)?;
    let (mut at, mut ids, mut cursor) = (client.clone(), Vec::new(), None);
    let deadline = Instant::now() + WRITING + READING;
    // One read after the last event, to see that none comes twice.
    let mut is_last = false;
    while Instant::now() < deadline {
        let after = cursor
            .as_ref()
            .map(|cursor| format!("&after={cursor}"))
            .unwrap_or_default();
        let call = at.call(Method::GET, &format!("/v1/events?limit=100{after}"));
        match at.send(call.header("prefer", "wait=1")).await {
            Ok(answer) if answer.status == 200 => {
                let events = answer.body.get("value").and_then(Value::as_array);
                let id = |entry: &Value| {
                    entry
                        .pointer("/event/id")
                        .and_then(Value::as_str)
                        .map(str::to_owned)
                };
                ids.extend(events.into_iter().flatten().filter_map(id));
                cursor = Some(answer.text("/cursor").to_owned());
                if is_last {
                    break;
                }
                is_last = ids.len() >= expected.load(Ordering::Relaxed);
            }
            Ok(answer) if answer.status < 500 => {
                ensure!(answer.status == 429, "a reader got {answer:?}");
            }
            _ => {
                at = client.at(places.next().context("no replica")?);
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    Ok(ids)
}

/// A user who reads all events of the first tenant.
fn auditor() -> MintUserToken {
    let mut request = MintUserToken {
        user: "acc1@domain1.com".to_owned(),
        tenant: how_to::DOMAIN1.to_owned(),
        client_app: how_to::PORTAL.to_owned(),
        api: how_to::TENANT_BRIDGE.to_owned(),
        scopes: vec!["Connections.Read".to_owned()],
        ..MintUserToken::default()
    };
    let claims = &mut request.overrides.extra_claims;
    claims.insert("roles".to_owned(), json!(["Auditor"]));
    request
}

/// Lets one replica die in the middle of giving positions, and kills another one at any moment; both come back. Returns whether the first
/// one died where it was to.
async fn kill(
    stack: &Stack,
    settings: &Settings,
    mut random: Random,
    (mut sequencer, mut victim): (Replica, Replica),
) -> anyhow::Result<bool> {
    sleep(Duration::from_millis(random.between(300, 1500))).await;
    std::fs::write(stack.file("trigger"), "")?;
    let ended = sequencer.wait(Duration::from_secs(15)).await?;
    let died = ended.is_some_and(is_abort);
    if ended.is_none() {
        sequencer.kill()?;
    }
    let back = stack.replace(sequencer, settings, "").await?;
    sleep(Duration::from_millis(random.between(200, 1500))).await;
    victim.kill()?;
    let other = stack.replace(victim, settings, "").await?;
    // They serve to the end of the trial.
    sleep(WRITING).await;
    drop((back, other));
    Ok(died)
}
