//! Whether each caller's creates came in order, and callers in turns.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::history::{History, Operation, Who};

/// How many turns another caller may have between two of one who waits. Two replicas do not hear of each turn at the same moment.
const MOST_TURNS: usize = 3;

/// A create's way through the queue.
struct Way {
    person: Uuid,
    /// When it was recorded as waiting; nothing if it never had to.
    queued: Option<DateTime<Utc>>,
    /// When it was first sent, in the ledger's order.
    sent: Option<(i64, DateTime<Utc>)>,
    asked: Uuid,
}

/// Judges it, and tells what was measured.
pub(super) fn judge(history: &History, bereft: &Who, found: &mut Vec<String>) -> String {
    let is_bereft = |row: &Operation| history.person(row.person_id).as_ref() == Some(bereft);
    let (theirs, others): (Vec<&Operation>, Vec<&Operation>) =
        history.operations.iter().partition(|row| is_bereft(row));
    for row in &others {
        if row.phase != "succeeded" {
            found.push(format!("{} of {} ended as {}", row.id, row.person_id, row.phase));
        }
    }
    let waiting = theirs.iter().filter(|row| !row.is_over()).count();
    let failed = theirs.iter().filter(|row| row.phase == "failed").count();
    if waiting == 0 {
        found.push("nothing waits for the one whose tokens died: they died too late".to_owned());
    }
    let ways: Vec<Way> = history.operations.iter().map(|row| way(history, row)).collect();
    let inversions = inversions(&ways, found);
    let (turns, longest) = turns(&ways);
    if turns > MOST_TURNS {
        found.push(format!(
            "another caller had {turns} turns between two of one who waited"
        ));
    }
    let count = |kind: &str| history.events.iter().filter(|event| event.kind == kind).count();
    let put_off = count("change.putOff");
    if put_off == 0 {
        found.push("the cluster was never busy: nothing was put off".to_owned());
    }
    format!(
        "{} ended well, {waiting} await the caller without tokens ({failed} of theirs failed); put off {put_off} times, sent again {} times; \
         out of order {inversions}; at most {turns} turns of another between two of one who waited; longest wait in the queue {:.1} s",
        others.iter().filter(|row| row.phase == "succeeded").count(),
        count("create.repeated"),
        longest
    )
}

fn way(history: &History, row: &Operation) -> Way {
    let first = |kind: &str| history.events_of(row.id).find(|event| event.kind == kind);
    Way {
        person: row.person_id,
        queued: first("create.queued").map(|event| event.committed_at),
        sent: first("create.intended").map(|event| (event.sequence, event.committed_at)),
        asked: row.id,
    }
}

/// How often a caller's later create was sent before an earlier one.
fn inversions(ways: &[Way], found: &mut Vec<String>) -> usize {
    let mut of: BTreeMap<Uuid, Vec<(Uuid, i64)>> = BTreeMap::new();
    for way in ways {
        if let Some((sequence, _)) = way.sent {
            of.entry(way.person).or_default().push((way.asked, sequence));
        }
    }
    let mut inversions = 0;
    for (person, mut creates) in of {
        // Ids are made in the order of asking.
        creates.sort_unstable();
        for pair in creates.windows(2) {
            if let [(_, earlier), (id, later)] = pair
                && later < earlier
            {
                inversions += 1;
                found.push(format!(
                    "{id} of {person} was sent before one that was asked for earlier"
                ));
            }
        }
    }
    inversions
}

/// How many turns one other caller had at most between two of a caller who waited all that time, and the longest wait in seconds.
fn turns(ways: &[Way]) -> (usize, f64) {
    let mut sent: Vec<(DateTime<Utc>, &Way)> = ways
        .iter()
        .filter_map(|way| way.sent.map(|(_, at)| (at, way)))
        .collect();
    sent.sort_by_key(|(at, _)| *at);
    let (mut most, mut longest) = (0, 0.0_f64);
    for (place, (at, way)) in sent.iter().enumerate() {
        let Some(queued) = way.queued else { continue };
        let waited = (*at - queued).to_std().unwrap_or_default().as_secs_f64();
        longest = longest.max(waited);
        let before = sent.get(..place).unwrap_or_default();
        let last = before
            .iter()
            .rposition(|(_, other)| other.person == way.person)
            .map_or(0, |last| last + 1);
        let mut counts: BTreeMap<Uuid, usize> = BTreeMap::new();
        for (when, other) in before.get(last..).unwrap_or_default() {
            if *when > queued {
                *counts.entry(other.person).or_default() += 1;
            }
        }
        most = most.max(counts.into_values().max().unwrap_or_default());
    }
    (most, longest)
}
