//! The service's log, kept in memory at its most talkative level.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::database::holds;
use super::eventually;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static STARTED: Once = Once::new();

struct Memory;

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lines().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Memory {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

/// The log from a moment on: what is older can hold nothing of a test that has just begun.
#[derive(Clone, Copy)]
pub(super) struct Since(usize);

/// Starts to keep the log, once for the process.
pub(super) fn start() -> Since {
    STARTED.call_once(|| {
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::new(
                "tenant_bridge=trace,hyper=debug,hyper_util=debug,reqwest=debug,sqlx=debug,info",
            ))
            .with_writer(Memory)
            .init();
    });
    Since(lines().len())
}

fn lines() -> MutexGuard<'static, Vec<u8>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Since {
    /// A copy, since tasks that log wait while the lines are read.
    fn text(self) -> String {
        let bytes = lines().get(self.0..).unwrap_or_default().to_vec();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(super) fn assert_free_of(self, tokens: &[String]) {
        let text = self.text();
        assert!(!text.is_empty(), "no log was kept, so nothing was looked at");
        assert!(
            !tokens.iter().any(|token| holds(&text, token)),
            "a token stands in the log"
        );
    }

    /// How many lines have both texts.
    pub(super) fn count(self, one: &str, other: &str) -> usize {
        let text = self.text();
        let lines = text.lines();
        lines
            .filter(|line| line.contains(one) && line.contains(other))
            .count()
    }

    /// Waits for a line with both texts.
    pub(super) async fn wait_for(self, one: &str, other: &str) {
        let found = eventually(async || (self.count(one, other) > 0).then_some(())).await;
        assert!(found.is_some(), "no line of the log has {one} and {other}");
    }
}
