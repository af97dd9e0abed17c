//! Whether the feed holds every event of the ledger exactly once.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::Stack;

/// How long events may take to be given positions, on a machine with much else to do.
const LONGEST: Duration = Duration::from_secs(20);

/// How the two compare, in the epoch that counts.
const COMPARED: &str = "select
    (select count(*) from ledger_events e where not exists (
        select from feed f where f.epoch = s.epoch and f.event_sequence = e.sequence and f.event_occurred_at = e.occurred_at))
        as missing,
    (select count(*) from feed f where f.epoch = s.epoch and not exists (
        select from ledger_events e where e.sequence = f.event_sequence and e.occurred_at = f.event_occurred_at))
        as strange,
    (select count(*) - count(distinct event_sequence) from feed f where f.epoch = s.epoch) as repeated,
    (select coalesce(max(position), 0) - count(*) from feed f where f.epoch = s.epoch) as skipped,
    (select count(*) from feed f where f.epoch = s.epoch and (length(hash) <> 32 or hash_version <> 1)) as without_hash
    from (select max(epoch) as epoch from feed_epochs) s";

/// Waits until every event has a position, and returns in what the feed and the ledger differ, a sentence each. To be asked when
/// nothing is under way any more, and a replica serves.
///
/// # Errors
/// When the database can't answer.
pub async fn disagreements(stack: &Stack) -> anyhow::Result<Vec<String>> {
    let deadline = Instant::now() + LONGEST;
    loop {
        let rows = stack.database.rows(COMPARED).await?;
        let of = |name: &str| {
            let row = rows.first().and_then(|row| row.get(name));
            row.and_then(Value::as_i64).unwrap_or(-1)
        };
        if of("missing") != 0 && Instant::now() < deadline {
            sleep(Duration::from_millis(50)).await;
            continue;
        }
        let sentences = [
            ("missing", "events of the ledger are not in the feed"),
            ("strange", "positions of the feed are of no event"),
            ("repeated", "events are in the feed twice"),
            ("skipped", "positions were left out"),
            ("without_hash", "positions have no hash"),
        ];
        let wrong = sentences.into_iter().map(|(name, what)| (of(name), what));
        return Ok(wrong
            .filter(|(count, _)| *count != 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect());
    }
}
