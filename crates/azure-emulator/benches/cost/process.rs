//! The emulator as a process of its own, and what the system says of it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

/// How often a second Linux counts CPU time for readers of /proc, on every architecture (`man 5 proc_pid_stat`).
const TICKS_PER_SECOND: u64 = 100;

/// A running emulator with the built-in seed; it ends with this value.
pub(crate) struct Process {
    child: Child,
    /// When it was started.
    pub(crate) began: Instant,
    /// How long it took to say where it listens.
    pub(crate) ready: Duration,
    /// The three listeners, without slashes at the end.
    pub(crate) entra: String,
    pub(crate) arm: String,
    pub(crate) admin: String,
    /// Its CA, in a temporary file.
    ca_file: String,
}

impl Process {
    /// Starts the binary that cargo built with this benchmark.
    pub(crate) fn start() -> anyhow::Result<Process> {
        let began = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_azure-emulator"))
            .args(["--json", "--operation-ms", "0"])
            .env("RUST_LOG", "info")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting the emulator")?;
        // It writes a line per call, as it does for people; somebody has to take them.
        let log = BufReader::new(child.stderr.take().context("no log")?);
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let ready = began.elapsed();
        let told: Value = serde_json::from_str(&line).context("the emulator ended before it listened")?;
        let text = |name: &str| {
            let text = told.get(name).and_then(Value::as_str);
            text.map(|text| text.trim_end_matches('/').to_owned())
                .with_context(|| format!("no {name} in: {line}"))
        };
        Ok(Process {
            began,
            ready,
            entra: text("entra")?,
            arm: text("arm")?,
            admin: text("admin")?,
            ca_file: text("caFile")?,
            child,
        })
    }

    /// The first page that clients of the login host read.
    pub(crate) fn metadata_url(&self) -> String {
        format!("{}/domain1.com/v2.0/.well-known/openid-configuration", self.entra)
    }

    /// CPU time of all its threads so far, in user and kernel mode; good to 10 ms.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        self.cpu_of("stat")
    }

    /// The same of its first thread alone, which does what a start has to do; others make keys ahead meanwhile.
    pub(crate) fn cpu_of_start(&self) -> anyhow::Result<Duration> {
        self.cpu_of(&format!("task/{}/stat", self.child.id()))
    }

    fn cpu_of(&self, file: &str) -> anyhow::Result<Duration> {
        let text = self.proc(file)?;
        // Fields are counted after the name, which may hold spaces: 14 and 15 of all are the 12th and 13th there.
        let (_, fields) = text.rsplit_once(") ").context("an odd /proc/…/stat")?;
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u64>);
        let ticks: u64 = ticks.sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// Resident memory in MB.
    pub(crate) fn memory(&self) -> anyhow::Result<f64> {
        let text = self.proc("status")?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line
            .and_then(|line| line.split_whitespace().next())
            .context("no VmRSS")?;
        Ok(kilobytes.parse::<f64>()? / 1024.0)
    }

    fn proc(&self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // It was not asked to end, so it took nothing away.
        let _ = std::fs::remove_file(&self.ca_file);
    }
}
