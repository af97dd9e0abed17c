//! What came of the trials, and how a command ends.

use std::io::Write as _;
use std::process::ExitCode;

/// How many trials held, and what went wrong in the others.
#[derive(Debug, Default)]
pub struct Tally {
    passed: u32,
    failed: Vec<String>,
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

    /// Whether nothing went wrong so far.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failed.is_empty()
    }

    /// Prints what went wrong, how to run the same again, and `N passed, N failed`; gives the command's exit code.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn end(&self, again: &str) -> std::io::Result<ExitCode> {
        let mut out = std::io::stdout();
        for failure in &self.failed {
            writeln!(out, "FAILED  {failure}")?;
        }
        writeln!(out, "the same again: cargo reliability {again}")?;
        writeln!(out, "{} passed, {} failed", self.passed, self.failed.len())?;
        Ok(if self.holds() && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
