//! The log of the unit tests: one subscriber for all of them at its most talkative level, read by the test's own thread.
//! A subscriber a test would be simpler, but `tracing` caches for each event the interest of the first thread that met it.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

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

/// Starts to keep the log.
pub(crate) fn start() {
    STARTED.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_thread_names(true)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(|| Memory)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    });
}

/// What this thread logged. A `#[tokio::test]` runs on one thread, and so do the tasks it spawns.
pub(crate) fn of_this_thread() -> String {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    // The harness names a test's thread after the test.
    let thread = std::thread::current();
    let mark = format!(" {} ", thread.name().expect("a test's thread has a name"));
    let text = String::from_utf8_lossy(&lines);
    text.lines()
        .filter(|line| line.contains(&mark))
        .flat_map(|line| [line, "\n"])
        .collect()
}
