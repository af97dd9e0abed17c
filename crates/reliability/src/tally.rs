//! What came of the trials, and how a command ends.

use std::io::Write as _;
use std::process::ExitCode;

/// How many trials held, what went wrong in the others, and how many could not be tried.
#[derive(Debug, Default)]
pub struct Tally {
    passed: u32,
    failed: Vec<String>,
    skipped: u32,
}

impl Tally {
    /// One more trial, with what went wrong in it, if anything.
    pub fn add(&mut self, name: &str, found: &[String]) {
        if found.is_empty() {
            self.passed += 1;
        } else {
            self.failed.push(format!("{name}: {}", found.join("; ")));
        }
    }

    /// One that can't be tried here.
    pub fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Whether nothing went wrong so far.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failed.is_empty()
    }

    /// Prints what went wrong, how to run the same again, and `N passed, N failed`, with `N skipped` if some were; returns the command's exit code.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn end(&self, again: &str) -> std::io::Result<ExitCode> {
        let mut out = std::io::stdout();
        for failure in &self.failed {
            writeln!(out, "FAILED  {failure}")?;
        }
        writeln!(out, "the same again: cargo reliability {again}")?;
        let skipped = match self.skipped {
            0 => String::new(),
            skipped => format!(", {skipped} skipped"),
        };
        writeln!(
            out,
            "{} passed, {} failed{skipped}",
            self.passed,
            self.failed.len()
        )?;
        Ok(if self.holds() && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
