//! The built program as a process of its own, for what a process has only one of: metrics, traces, signals. It runs beside the
//! test's service, as another replica.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tempfile::TempDir;

use super::database::holds;
use super::{App, eventually};

/// `tenant-bridge serve`.
pub(crate) struct Program {
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    _folder: TempDir,
}

impl App {
    /// Starts the program with these settings in the section `telemetry`, and waits until it is ready.
    pub(crate) async fn program(&self, telemetry: &str) -> Program {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, self.emulator.ca_pem()).expect("a file");
        let settings = sandbox::settings(&self.emulator, &self.database.serving_url);
        let file = folder.path().join("tenant-bridge.toml");
        let text = format!(
            "{settings}\n[upstream]\nca_file = \"{}\"\n[telemetry]\n{telemetry}\n",
            authority.display()
        );
        std::fs::write(&file, text).expect("a file");
        let mut child = serve(&file);
        let lines = Arc::default();
        keep(child.stderr.take().expect("its log"), Arc::clone(&lines));
        let program = Program {
            child,
            lines,
            _folder: folder,
        };
        program.logged("server.address").await;
        program
    }
}

/// The program, where cargo built it. When these tests run from a copy, a variable of the same name tells where it is.
#[expect(
    clippy::disallowed_methods,
    reason = "of where these tests run, not of the service"
)]
pub(crate) fn program() -> Command {
    let copied = std::env::var_os("CARGO_BIN_EXE_tenant-bridge");
    Command::new(copied.unwrap_or_else(|| env!("CARGO_BIN_EXE_tenant-bridge").into()))
}

/// Talkative about itself, so that what may be exported and logged at all is.
fn serve(file: &Path) -> Child {
    program()
        .args(["serve", "--log", "tenant_bridge=trace,info", "--config"])
        .arg(file)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Keeps the log as it comes, in a thread: reading waits.
fn keep(log: ChildStderr, lines: Arc<Mutex<Vec<Value>>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}

impl Program {
    /// Where it takes requests.
    pub(crate) async fn address(&self) -> SocketAddr {
        self.logged("server.address").await
    }

    /// Where it serves metrics.
    pub(crate) async fn metrics_address(&self) -> SocketAddr {
        self.logged("metrics.address").await
    }

    fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The address in this field of its log, waiting for it.
    async fn logged(&self, field: &str) -> SocketAddr {
        let found = eventually(async || {
            let lines = self.lines();
            lines.iter().find_map(|line| line[field].as_str()?.parse().ok())
        });
        let found = found.await;
        found.unwrap_or_else(|| panic!("no {field} in {:?}", self.lines()))
    }

    /// Ends it in order with a signal, and looks for the tokens in its log.
    pub(crate) async fn stop(mut self, tokens: &[String]) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.expect("kill").success());
        let ended = eventually(async || self.child.try_wait().expect("a child"));
        let status = ended.await.expect("it ends");
        assert!(status.success(), "{status}: {:?}", self.lines());
        let log = format!("{:?}", self.lines());
        assert!(
            !tokens.iter().any(|token| holds(&log, token)),
            "a token in its log"
        );
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Of a test that failed; one that was stopped is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
