//! What came of each operation's trials, as a table.

use std::collections::BTreeMap;
use std::time::Duration;

use super::lane::{Outcome, Trial};
use super::scenario::Scenario;

/// At how many of ten points the replica has to die at least, of an operation with an identity. On a busy machine chance has more to
/// say: about a poll more or less, a lease that has to be renewed, who comes first.
const LEAST_DEATHS: u32 = 7;

/// The row of a trial's operation.
fn row_of(trial: &Trial) -> String {
    format!("{:<8} {}", trial.identity.name(), trial.scenario.name())
}

/// What came of each operation's trials.
#[derive(Default)]
pub(super) struct Table {
    rows: BTreeMap<String, Row>,
    /// The points of each row, and whether the replica ever died there.
    reached: BTreeMap<(String, String), bool>,
    /// In how many trials a stranger wanted the name, and in how many they got it.
    wanted: u32,
    taken: u32,
}

#[derive(Default)]
struct Row {
    /// Passings of points at which it is to die.
    points: u32,
    trials: u32,
    deaths: u32,
    wrong: u32,
    slowest: Duration,
}

impl Table {
    /// What a round is to try.
    pub(super) fn plan(&mut self, trials: &[Trial]) {
        for trial in trials {
            self.rows.entry(row_of(trial)).or_default().points += 1;
        }
    }

    pub(super) fn add(&mut self, trial: &Trial, outcome: &Outcome) {
        self.wanted += u32::from(trial.scenario == Scenario::CreateTaken);
        self.taken += u32::from(outcome.taken);
        let name = row_of(trial);
        if let Some((point, _)) = &trial.point {
            *self.reached.entry((name.clone(), point.clone())).or_default() |= outcome.died;
        }
        let row = self.rows.entry(name).or_default();
        row.trials += 1;
        row.deaths += u32::from(outcome.died);
        row.wrong += u32::from(!outcome.found.is_empty());
        row.slowest = row.slowest.max(outcome.settled);
    }

    /// Operations that live on where they should die: what is recorded of their points is no longer what they pass. And names that
    /// no stranger ever got.
    pub(super) fn shortfalls(&self) -> Vec<String> {
        let lives = |row: &Row| row.deaths * 10 < row.points * LEAST_DEATHS;
        let few = self.rows.iter().filter(|(_, row)| lives(row));
        let few = few.map(|(name, row)| format!("{name}: {} deaths at {} points", row.deaths, row.points));
        let never = (self.wanted > 0 && self.taken == 0)
            .then(|| format!("no stranger got a name in {} trials", self.wanted));
        few.chain(never).collect()
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "\n{:<45} {:>7} {:>7} {:>7} {:>7} {:>14}\n",
            "identity operation", "points", "trials", "deaths", "wrong", "slowest settle"
        );
        for (name, row) in &self.rows {
            let line = format!(
                "{name:<45} {:>7} {:>7} {:>7} {:>7} {:>12.1} s\n",
                row.points,
                row.trials,
                row.deaths,
                row.wrong,
                row.slowest.as_secs_f64()
            );
            text.push_str(&line);
        }
        for ((row, point), _) in self.reached.iter().filter(|(_, reached)| !**reached) {
            text.push_str(&format!("never died there: {row}, {point}\n"));
        }
        text
    }
}
