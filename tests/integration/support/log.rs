//! The service's log, kept in memory at its most talkative level.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::PATIENCE;
use super::database::holds;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static STARTED: Once = Once::new();

struct Memory;

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
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

/// Starts to keep the log, once for the process. Gives how much of it there is already.
pub(super) fn start() -> usize {
    STARTED.call_once(|| {
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::new(
                "tenant_bridge=trace,hyper=debug,hyper_util=debug,reqwest=debug,sqlx=debug,info",
            ))
            .with_writer(Memory)
            .init();
    });
    LINES.lock().unwrap_or_else(PoisonError::into_inner).len()
}

/// Looks for the tokens in what was logged after `since`: none of them was there before.
pub(super) fn assert_free_of(since: usize, tokens: &[String]) {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let text = String::from_utf8_lossy(lines.get(since..).unwrap_or_default());
    assert!(!text.is_empty(), "no log was kept, so nothing was looked at");
    assert!(
        !tokens.iter().any(|token| holds(&text, token)),
        "a token stands in the log"
    );
}

/// Waits for a line with both texts.
pub(super) async fn wait_for(one: &str, other: &str) {
    let deadline = Instant::now() + PATIENCE;
    let logged = || {
        let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&lines);
        text.lines()
            .any(|line| line.contains(one) && line.contains(other))
    };
    while !logged() {
        assert!(
            Instant::now() < deadline,
            "no line of the log has {one} and {other}"
        );
        sleep(Duration::from_millis(25)).await;
    }
}
