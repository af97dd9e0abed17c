//! What callers were refused: anyone who can't be served now is told so, and each other no has its reason in the history.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::history::record::{Call, History, Operation, Reply, Wish};

pub(super) fn check(history: &History, found: &mut Vec<String>) {
    let mut without_reason = BTreeSet::new();
    for call in &history.calls {
        if let Some(reply) = call.reply.as_ref().filter(|reply| !reply.is_taken_on())
            && !has_reason(history, call, reply)
        {
            let wish = match call.wish {
                Wish::Create { .. } => "create",
                Wish::Remove { .. } => "removal",
                Wish::Look { .. } => "look",
                Wish::Continue { .. } => "continuation",
            };
            without_reason.insert(format!(
                "a {wish} of {} was refused without a reason: {} {}",
                call.who, reply.status, reply.code
            ));
        }
    }
    found.extend(without_reason);
}

fn has_reason(history: &History, call: &Call, reply: &Reply) -> bool {
    let others = || history.calls.iter().map(|other| (other, &other.wish));
    match (reply.status, reply.code.as_str(), &call.wish) {
        // Never 4xx for an outage, and never without telling when to ask again (docs/api.md).
        (503, ..) => reply.retry_after.is_some(),
        (401 | 403, ..) => history.revoked.contains(&call.who),
        (409, "changeInProgress", _) => true,
        (429, "tooManyRequests", _) => reply.retry_after.is_some(),
        (409, "nameTaken" | "drifted" | "contested" | "connectionExists", Wish::Create { arm_id, .. })
            if history.is_meddled_with(arm_id) =>
        {
            true
        }
        (409, "drifted" | "contested", Wish::Remove { connection, .. }) => history
            .connection(*connection)
            .is_some_and(|row| history.is_meddled_with(&row.arm_id)),
        (409, "connectionExists", Wish::Create { arm_id, .. }) if failed_and_open(history, arm_id, call) => true,
        (409, "connectionExists" | "nameTaken", Wish::Create { arm_id, .. }) => others()
            .any(|(other, wish)| {
                other.who != call.who && matches!(wish, Wish::Create { arm_id: theirs, .. } if theirs == arm_id)
            }),
        (422, "idempotencyKeyReused", Wish::Create { key: Some(key), body, .. }) => {
            others().any(|(other, wish)| {
                other.who == call.who
                    && matches!(wish, Wish::Create { key: Some(used), body: before, .. } if used == key && before != body)
            })
        }
        (404, "notFound", Wish::Look { operation } | Wish::Continue { operation }) => {
            history.operation(*operation).is_none()
        }
        (404, "notFound", Wish::Remove { connection, .. }) => history.connection(*connection).is_none(),
        _ => false,
    }
}

/// Whether a create of this name had failed, and its record was open: Azure may hold what it was to make.
fn failed_and_open(history: &History, arm_id: &str, call: &Call) -> bool {
    let was_open = |closed_at: Option<DateTime<Utc>>| closed_at.is_none_or(|closed_at| closed_at > call.at);
    history
        .connections
        .iter()
        .filter(|row| row.arm_id == arm_id && was_open(row.closed_at))
        .any(|row| {
            let create =
                |operation: &&Operation| operation.connection_id == row.id && operation.kind == "create";
            history
                .operations
                .iter()
                .find(create)
                .is_some_and(|operation| operation.phase == "failed")
        })
}
