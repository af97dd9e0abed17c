//! One replica: the real program as a child process, which can be killed, frozen and woken, and is gone with this process.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::Settings;

/// How long a replica may take to come up, on a machine with much else to do.
const COMES_UP: Duration = Duration::from_secs(60);
/// How often a child is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// The signal of `abort` (POSIX; 6 on every architecture of Linux).
const SIGABRT: i32 = 6;
/// How many lines of its log tell how it ended.
const LAST_LINES: usize = 15;
/// How many lines of its log are kept.
const LINES: usize = 1000;

/// What is started.
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) file: PathBuf,
    pub(super) settings: Settings,
    pub(super) points: String,
}

/// A running process of the service.
pub struct Replica {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<VecDeque<String>>>,
    /// Whether it was asked to end, and not killed before it had.
    asked_to_end: bool,
}

impl Launch {
    /// `setpriv` has the kernel kill the child with the thread that started it, and is the child after that.
    fn command(&self, at: Option<SocketAddr>) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&self.program)
            .args(["serve", "--log", "tenant_bridge=info,warn", "--config"])
            .arg(&self.file)
            .envs(self.settings.variables())
            .env("TENANT_BRIDGE_FAILURE_POINTS", &self.points)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if let Some(address) = at {
            command.env("TENANT_BRIDGE__SERVER__LISTEN", address.to_string());
        }
        command
    }
}

impl Replica {
    pub(super) async fn start(launch: Launch, at: Option<SocketAddr>) -> anyhow::Result<Self> {
        let mut child = launch.command(at).spawn().context("no setpriv")?;
        let log = Arc::default();
        let (told, mut address) = watch::channel(None);
        let stderr = child.stderr.take().context("no log")?;
        keep(stderr, Arc::clone(&log), told);
        let found = tokio::time::timeout(COMES_UP, address.wait_for(Option::is_some)).await;
        let found = found.ok().and_then(Result::ok).and_then(|address| *address);
        let mut replica = Self {
            child,
            address: found.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            log,
            asked_to_end: false,
        };
        if found.is_none() {
            replica.kill()?;
            bail!("a replica did not come up: {:?}", replica.log());
        }
        Ok(replica)
    }

    /// Where it serves.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The end of its log.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().cloned().collect()
    }

    /// The last lines of its log, which tell how it ended.
    #[must_use]
    pub fn last_lines(&self) -> Vec<String> {
        let mut log = self.log();
        log.split_off(log.len().saturating_sub(LAST_LINES))
    }

    /// Whether it has ended by itself, or of a failure point.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it has ended; `None` if it hasn't in this time.
    pub async fn wait(&mut self, longest: Duration) -> anyhow::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + longest;
        loop {
            let ended = self.ended()?;
            if ended.is_some() || Instant::now() >= deadline {
                return Ok(ended);
            }
            sleep(LOOK).await;
        }
    }

    /// Kills it as a power cut would (SIGKILL): nothing is handed over. One that is dead already stays so.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if self.ended()?.is_none() {
            self.asked_to_end = false;
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Freezes it in the middle of whatever it does (SIGSTOP).
    ///
    /// # Errors
    /// When it is gone.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal("-STOP")
    }

    /// Wakes it again (SIGCONT).
    ///
    /// # Errors
    /// When it is gone.
    pub fn wake(&self) -> anyhow::Result<()> {
        self.signal("-CONT")
    }

    /// Asks it to end in order (SIGTERM), once: at a second time it would stop at once. Wait for it with
    /// [`Replica::wait_as_asked`].
    ///
    /// # Errors
    /// When it is gone.
    pub fn ask_to_end(&mut self) -> anyhow::Result<()> {
        if !self.asked_to_end {
            self.signal("-TERM")?;
            self.asked_to_end = true;
        }
        Ok(())
    }

    /// Waits until it has ended as it was to: with success, if it was asked to end; in any way, if it was killed.
    ///
    /// # Errors
    /// When it was asked to end and has not in this time, or not with success; with the end of its log.
    pub async fn wait_as_asked(&mut self, longest: Duration) -> anyhow::Result<()> {
        let ended = self.wait(longest).await?;
        if !self.asked_to_end || ended.is_some_and(|status| status.success()) {
            return Ok(());
        }
        let last = self.last_lines();
        match ended {
            Some(status) => bail!("asked to end, it did so with {status}: {last:?}"),
            None => bail!("asked to end, it has not within {longest:?}: {last:?}"),
        }
    }

    fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([signal, &id])
            .status()
            .context("no kill")?;
        if !sent.success() {
            bail!("no process {id} to send {signal}");
        }
        Ok(())
    }

    /// Makes sure that it is dead.
    pub(super) fn bury(mut self) -> anyhow::Result<()> {
        if self.ended()?.is_none() {
            self.kill()?;
        }
        Ok(())
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // One that was waited for is gone.
        let _ = self.kill();
    }
}

/// Whether a process ended as the failure point `abort` ends it, and not by an error or a signal from outside.
pub(crate) fn is_abort(status: ExitStatus) -> bool {
    status.signal() == Some(SIGABRT)
}

/// Keeps the log as it comes, in a thread, since reading waits; and tells the address once it is in there.
fn keep(stderr: ChildStderr, log: Arc<Mutex<VecDeque<String>>>, told: watch::Sender<Option<SocketAddr>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let value: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(address) = value.get("server.address").and_then(Value::as_str) {
                told.send_replace(address.parse().ok());
            }
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            if log.len() == LINES {
                log.pop_front();
            }
            log.push_back(line);
        }
    });
}
