//! One change at a time: of a data connection, and of a cluster, which refuses others meanwhile.

use chrono::TimeDelta;

use crate::history::record::{Change, ChangeKind, History, Owner, Sent};

use super::sends::name;

/// `worker.max_request_lifetime` of histories.
const REQUEST_LIFE: TimeDelta = TimeDelta::milliseconds(1500);

pub(super) fn check(history: &History, found: &mut Vec<String>) {
    let mut changes: Vec<&Change> = history.changes.iter().collect();
    changes.sort_by_key(|change| change.started);
    for (place, change) in changes.iter().enumerate() {
        // A stranger may have made one after the read that found the name free (`strangers`).
        let before = history.owner(&change.arm_id, change.started);
        let is_excused = matches!(before, Some(Owner::Stranger(_))) || is_late(history, change);
        if change.kind == ChangeKind::Update && !is_excused {
            found.push(format!(
                "{} was put over one that was there",
                name(&change.arm_id)
            ));
        }
        let same = |other: &&&Change| cluster(&other.arm_id) == cluster(&change.arm_id);
        let earlier = changes.iter().take(place).filter(same);
        let overlapping = earlier.filter(|other| other.ended > change.started);
        for other in overlapping.filter(|other| !is_late(history, other) && !is_late(history, change)) {
            found.push(format!(
                "two changes of a cluster at once: {:?} {} from {} to {}, and {:?} {} at {}",
                other.kind,
                name(&other.arm_id),
                other.started,
                other.ended,
                change.kind,
                name(&change.arm_id),
                change.started
            ));
        }
    }
}

/// Whether a change was carried out later than its request may live. For that long it keeps its cluster and its name, and what comes
/// next goes on then: a setting that is too short can't be made up for.
fn is_late(history: &History, change: &Change) -> bool {
    let method = match change.kind {
        ChangeKind::Create | ChangeKind::Update => "PUT",
        ChangeKind::Delete => "DELETE",
    };
    let mut sent = history.sent.iter().filter(|sent| {
        sent.method == method
            && sent.arm_id == change.arm_id
            && (sent.at..=sent.answered_at).contains(&change.started)
            && is_taken(sent)
    });
    sent.next_back()
        .is_some_and(|sent| change.started - sent.at > REQUEST_LIFE)
}

/// Whether ARM began to carry it out.
const fn is_taken(sent: &Sent) -> bool {
    matches!(sent.status, 200..=202)
}

fn cluster(arm_id: &str) -> &str {
    arm_id.split("/databases/").next().unwrap_or(arm_id)
}
