//! What the emulator costs, as the binary that people run: how long a start takes, and the CPU time of its process per
//! call, under load from here over kept-alive TLS. Prints a table and how many limits were kept; ends with 1 when one
//! is missed.
//!
//! `cargo bench --package azure-emulator --bench cost`, on Linux: CPU time is read from /proc. Times of a start are
//! wall-clock times, which a busy machine stretches without end: what is held against the limit there is the CPU time that
//! the start took, and a tenth of the fastest start's wall-clock time. CPU times are nearly the same on a busy machine.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table on the terminal is what this makes"
)]

mod calls;
mod process;
mod table;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use calls::{Client, Kind};
use process::Process;
use table::{Row, median};

/// Starts that are measured.
const STARTS: usize = 15;
/// More calls than the journal keeps, so that the last figures are those of a full one.
const FILLING: usize = 20_000;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let rows = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(measure()));
    match rows {
        Ok(rows) => {
            print!("{}", table::render(&rows));
            let failed = rows.iter().filter(|row| row.misses()).count();
            let passed = rows.iter().filter(|row| row.is_limited()).count() - failed;
            println!("{passed} passed, {failed} failed");
            ExitCode::from(u8::from(failed > 0))
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> anyhow::Result<Vec<Row>> {
    let mut rows = starts().await?;
    let process = Process::start()?;
    let client = Client::new(&process).await?;
    for (kind, calls, limit) in [
        (Kind::OnBehalfOf, 2000, Some(2.0)),
        (Kind::ClientCredentials, 2000, Some(2.0)),
        (Kind::Connection, 4000, Some(0.5)),
        (Kind::ConnectionWithAuxiliary, 4000, Some(0.5)),
        (Kind::Connections, 4000, Some(0.5)),
        (Kind::Challenge, 4000, None),
    ] {
        rows.push(load(&process, &client, kind, calls, limit, kind.name()).await?);
    }
    client.run(Kind::Challenge, FILLING).await?;
    let again = "ARM read: a data connection, 20,000 calls later";
    rows.push(load(&process, &client, Kind::Connection, 4000, Some(0.5), again).await?);
    rows.push(Row::new("memory at the end", "MB", process.memory()?, None));
    Ok(rows)
}

/// CPU time per call of one kind.
async fn load(
    process: &Process,
    client: &Client,
    kind: Kind,
    calls: u32,
    limit: Option<f64>,
    name: &str,
) -> anyhow::Result<Row> {
    // Connections and caches stand before the count begins.
    client.run(kind, 100).await?;
    let (before, began) = (process.cpu()?, Instant::now());
    client.run(kind, calls as usize).await?;
    let (spent, took) = (process.cpu()?.saturating_sub(before), began.elapsed());
    let row = Row::new(name, "ms CPU", millis(spent) / f64::from(calls), limit);
    Ok(row.with_note(format!("{:.0} calls/s", f64::from(calls) / took.as_secs_f64())))
}

/// Starts, one after the other.
async fn starts() -> anyhow::Result<Vec<Row>> {
    let (mut ready, mut answered, mut token, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let process = Process::start()?;
        cpu.push(millis(process.cpu_of_start()?));
        ready.push(millis(process.ready));
        let client = calls::transport()?;
        client
            .get(process.metadata_url())
            .send()
            .await?
            .error_for_status()?;
        answered.push(millis(process.began.elapsed()));
        calls::user_token(&client, &process).await?;
        token.push(millis(process.began.elapsed()));
    }
    let row = |name, values: &mut Vec<f64>| {
        let middle = median(values);
        let (best, worst) = (least(values), values.iter().copied().fold(0.0, f64::max));
        Row::new(name, "ms", middle, None).with_note(format!("{best:.0} to {worst:.0} of {STARTS} starts"))
    };
    let took = "CPU time of a start until it says where it listens";
    let stretched = least(&ready) / 10.0;
    let start = Row::new(took, "ms", median(&mut cpu), Some(150.0));
    let judged = median(&mut cpu).max(stretched);
    Ok(vec![
        row("start until it says where it listens", &mut ready),
        row("start until the first answer", &mut answered),
        row("start until the first token", &mut token),
        start.judged_by(judged),
    ])
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
