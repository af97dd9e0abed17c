//! One change at a time: of a data connection, and of a cluster, which refuses others meanwhile.

use crate::history::record::{Change, ChangeKind, History, Owner};

use super::sends::name;

pub(super) fn check(history: &History, found: &mut Vec<String>) {
    let mut changes: Vec<&Change> = history.changes.iter().collect();
    changes.sort_by_key(|change| change.started);
    for (place, change) in changes.iter().enumerate() {
        // A stranger may have made one after the read that found the name free (`strangers`).
        let before = history.owner(&change.arm_id, change.started);
        if change.kind == ChangeKind::Update && !matches!(before, Some(Owner::Stranger(_))) {
            found.push(format!(
                "{} was put over one that was there",
                name(&change.arm_id)
            ));
        }
        let same = |other: &&&Change| cluster(&other.arm_id) == cluster(&change.arm_id);
        let earlier = changes.iter().take(place).filter(same);
        for other in earlier.filter(|other| other.ended > change.started) {
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

fn cluster(arm_id: &str) -> &str {
    arm_id.split("/databases/").next().unwrap_or(arm_id)
}
