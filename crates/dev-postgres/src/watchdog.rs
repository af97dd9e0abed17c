//! The shell that watches over a private server, and the few words spoken with it.
//!
//! A plain child would outlive a killed parent, and a parent-death signal follows the thread that
//! asked for it, which in tests is not the one that ends last. So a shell in a session of its own
//! reads from a pipe whose other end only this process holds: the system closes it when the
//! process ends, in whatever way. The script is `watchdog.sh`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use crate::account::Account;
use crate::error::Error;
use crate::place;
use crate::session;

const SCRIPT: &str = include_str!("watchdog.sh");

/// Environment that the server's programs may need; everything else, `PG…` above all, is theirs
/// to find out themselves.
const PASSED_ON: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// How often another port, or the same port again, is tried.
const ATTEMPTS: usize = 10;

/// A private server and the shell that ends it. Dropping it ends the server, removes the folder
/// and waits for both, which takes about a tenth of a second.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
    /// `None` once the end was announced.
    tell: Option<ChildStdin>,
    hear: BufReader<ChildStdout>,
    folder: PathBuf,
    port: u16,
}

impl Watchdog {
    /// Makes the folder and starts the server; blocks for about a second.
    pub(crate) fn start(bin: &Path, account: &Account, durable: bool, password: &str) -> Result<Self, Error> {
        let parent = place::parent_folder(account)?;
        let mut command = session::shell(SCRIPT);
        command
            .arg(bin)
            .arg(&parent)
            .arg(account.owner.as_deref().unwrap_or_default())
            .arg(if durable { "yes" } else { "no" })
            .args(&account.prefix)
            .env_clear()
            .envs(session::passed_on(&PASSED_ON))
            // What the programs write is looked at here, so it must not depend on the locale.
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut shell = command.spawn().map_err(Error::process("starting sh"))?;
        let (Some(tell), Some(hear)) = (shell.stdin.take(), shell.stdout.take()) else {
            return Err(Error::Ended);
        };
        let mut watchdog = Self {
            shell,
            tell: Some(tell),
            hear: BufReader::new(hear),
            folder: PathBuf::new(),
            port: 0,
        };
        watchdog.make(password)?;
        watchdog.up_somewhere()?;
        Ok(watchdog)
    }

    /// The port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The folder that is removed with the server.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Process id of the server, or `None` while it is down.
    pub(crate) fn process_id(&self) -> Option<u32> {
        let file = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok()
    }

    /// Throws everybody out, stops the server and keeps its files.
    pub(crate) fn down(&mut self) -> Result<(), Error> {
        match self.ask("down")?.as_str() {
            "down" => Ok(()),
            _ => Err(self.gave("postgres")),
        }
    }

    /// Starts the server again on its port.
    pub(crate) fn up(&mut self) -> Result<(), Error> {
        for _ in 1..ATTEMPTS {
            if self.up_on(self.port)? {
                return Ok(());
            }
            // A killed server's last backends need a moment to go, and refuse a new one until then.
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        Err(self.gave("postgres"))
    }

    /// Ends server and folder, and waits until both are gone. Again: nothing happens.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        drop(self.tell.take());
        self.shell
            .wait()
            .map_err(Error::process("waiting for the server's end"))?;
        // Only a shell that was killed itself leaves it.
        if self.folder.is_absolute() && self.folder.exists() {
            std::fs::remove_dir_all(&self.folder).map_err(Error::process("removing the server's folder"))?;
        }
        Ok(())
    }

    fn make(&mut self, password: &str) -> Result<(), Error> {
        let answer = self.ask(password)?;
        let (word, folder) = answer.split_once(' ').unwrap_or((&answer, ""));
        self.folder = PathBuf::from(folder);
        match word {
            "made" => Ok(()),
            _ => Err(self.gave("initdb")),
        }
    }

    fn up_somewhere(&mut self) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            self.port = place::free_port()?;
            if self.up_on(self.port)? {
                return Ok(());
            }
            // Somebody took the port between the look and the start: the only failure that
            // another attempt can mend.
            if !self.log().contains("could not bind") {
                break;
            }
        }
        Err(self.gave("postgres"))
    }

    fn up_on(&mut self, port: u16) -> Result<bool, Error> {
        Ok(self.ask(&format!("up {port}"))? == "up")
    }

    fn ask(&mut self, line: &str) -> Result<String, Error> {
        let tell = self.tell.as_mut().ok_or(Error::Ended)?;
        writeln!(tell, "{line}").map_err(Error::process("telling the watchdog"))?;
        let mut answer = String::new();
        self.hear
            .read_line(&mut answer)
            .map_err(Error::process("hearing from the watchdog"))?;
        Ok(answer.trim_end().to_owned())
    }

    fn log(&self) -> String {
        std::fs::read(self.folder.join("log"))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    fn gave(&self, program: &'static str) -> Error {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.len().saturating_sub(20);
        Error::Gave {
            program,
            log: lines.get(last..).unwrap_or_default().join("\n"),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!(error = %error, "a private Postgres may not have ended");
        }
    }
}
