//! Reads of the feed: what a viewer may see in a range of positions.

use sqlx::PgConnection;

use crate::db::DbError;
use crate::db::connections::ConnectionRole;
use crate::db::ledger_events::recorded;
use crate::domain::{ActorId, ConnectionId, EventKind, RecordedEvent, TenantId};

/// How many positions one statement looks through for what a caller may see; the statement has the same number.
pub const WINDOW: i64 = 1000;

/// The same where it looks through those of certain connections only.
pub const WINDOW_OF_CONNECTIONS: i64 = 20_000;

/// Whose events are read from the feed.
#[derive(Debug, Clone, Copy)]
pub struct FeedViewer {
    /// Those of connections whose actor or participant this person is.
    pub person: Option<ActorId>,
    /// Those that concern this tenant.
    pub tenant: Option<TenantId>,
}

/// A range of the feed: positions after the first up to the second one.
#[derive(Debug, Clone, Copy)]
pub struct FeedRange {
    /// The epoch.
    pub epoch: i64,
    /// The last position before it.
    pub after: i64,
    /// Its last position, at most a window further.
    pub up_to: i64,
}

/// An event with its position.
#[derive(Debug, Clone)]
pub struct FeedEntry {
    /// Its position.
    pub position: i64,
    /// What the viewer is to its connection.
    pub part: Option<ConnectionRole>,
    /// The event.
    pub recorded: RecordedEvent,
}

/// What was read of a range.
#[derive(Debug, Default)]
pub struct FeedRead {
    /// The events, in order.
    pub entries: Vec<FeedEntry>,
    /// Whether the range may hold more after them.
    pub has_more: bool,
}

/// The words between which the kinds are that are asked for.
fn kinds(kind: Option<EventKind>) -> (&'static str, &'static str) {
    // Every kind's word is of small letters and full stops.
    kind.map_or(("", "~"), |kind| (kind.as_str(), kind.as_str()))
}

/// What was read, of rows in order; `part` is the viewer's part in their connection.
macro_rules! read {
    ($rows:ident, $limit:ident, |$row:ident| $part:expr) => {{
        let has_more = i64::try_from($rows.len()).unwrap_or(i64::MAX) >= $limit;
        let entries = $rows.into_iter().map(|$row| {
            Ok(FeedEntry {
                position: $row.position,
                part: $part,
                recorded: recorded!($row),
            })
        });
        let entries = entries.collect::<Result<_, DbError>>()?;
        Ok(FeedRead { entries, has_more })
    }};
}

/// What a viewer may see in a range of the feed, a [`WINDOW`] at most, in order, at most `limit`. Looks at everybody's events.
///
/// # Errors
/// When the database can't answer.
pub async fn of_viewer(
    db: &mut PgConnection,
    range: FeedRange,
    viewer: FeedViewer,
    kind: Option<EventKind>,
    limit: i64,
) -> Result<FeedRead, DbError> {
    let (first, last) = kinds(kind);
    let rows = sqlx::query!(
        "select f.position, e.sequence, e.id, e.occurred_at, e.kind, e.connection_id, e.operation_id, e.person_id, e.app_id,
            e.request_id, e.target_tenant_id, e.source_tenant_id, e.details,
            (select min(p.part) from connection_people p where p.connection_id = e.connection_id and p.person_id = $6) as part
         from (
            select * from feed where epoch = $1 and position > $2 and position <= $3 order by position limit 1000) f
         cross join lateral (
            select * from ledger_events e where e.sequence = f.event_sequence and e.occurred_at = f.event_occurred_at limit 1) e
         where e.kind collate \"C\" between $4 and $5
            and ((select min(p.part) from connection_people p where p.connection_id = e.connection_id and p.person_id = $6)
                    is not null
                or e.tenant_ids @> array[$7::uuid])
         order by f.position limit $8",
        range.epoch,
        range.after,
        range.up_to,
        first,
        last,
        viewer.person.map(ActorId::uuid),
        viewer.tenant.map(TenantId::uuid),
        limit
    )
    .fetch_all(db)
    .await?;
    read!(rows, limit, |row| ConnectionRole::of_word(row.part.as_deref())?)
}

/// What a range of the feed, a [`WINDOW_OF_CONNECTIONS`] at most, holds of a person's connections, in order, at most `limit`. Looks at
/// these only.
///
/// # Errors
/// When the database can't answer.
pub async fn of_person(
    db: &mut PgConnection,
    range: FeedRange,
    person: ActorId,
    kind: Option<EventKind>,
    limit: i64,
) -> Result<FeedRead, DbError> {
    let (first, last) = kinds(kind);
    let rows = sqlx::query!(
        "select f.position, e.sequence, e.id, e.occurred_at, e.kind, e.connection_id, e.operation_id, e.person_id, e.app_id,
            e.request_id, e.target_tenant_id, e.source_tenant_id, e.details, f.part
         from (
            select n.position, n.event_sequence, n.event_occurred_at, p.part
            from (select connection_id, min(part) as part from connection_people where person_id = $4 group by connection_id) p
            cross join lateral (
                select * from feed n
                where n.epoch = $1 and n.connection_id = p.connection_id and n.position > $2 and n.position <= $3
                order by n.position limit 20000) n
            order by n.position) f
         cross join lateral (
            select * from ledger_events e where e.sequence = f.event_sequence and e.occurred_at = f.event_occurred_at limit 1) e
         where e.kind collate \"C\" between $5 and $6
         order by f.position limit $7",
        range.epoch,
        range.after,
        range.up_to,
        person.uuid(),
        first,
        last,
        limit
    )
    .fetch_all(db)
    .await?;
    read!(rows, limit, |row| ConnectionRole::of_word(row.part.as_deref())?)
}

/// What a range of the feed, a [`WINDOW_OF_CONNECTIONS`] at most, holds of a connection, in order, at most `limit`.
///
/// # Errors
/// When the database can't answer.
pub async fn of_connection(
    db: &mut PgConnection,
    range: FeedRange,
    connection: ConnectionId,
    kind: Option<EventKind>,
    limit: i64,
) -> Result<FeedRead, DbError> {
    let (first, last) = kinds(kind);
    let rows = sqlx::query!(
        "select f.position, e.sequence, e.id, e.occurred_at, e.kind, e.connection_id, e.operation_id, e.person_id, e.app_id,
            e.request_id, e.target_tenant_id, e.source_tenant_id, e.details
         from (
            select * from feed n
            where n.epoch = $1 and n.connection_id = $2 and n.position > $3 and n.position <= $4
            order by n.position limit 20000) f
         cross join lateral (
            select * from ledger_events e where e.sequence = f.event_sequence and e.occurred_at = f.event_occurred_at limit 1) e
         where e.kind collate \"C\" between $5 and $6
         order by f.position limit $7",
        range.epoch,
        connection.uuid(),
        range.after,
        range.up_to,
        first,
        last,
        limit
    )
    .fetch_all(db)
    .await?;
    read!(rows, limit, |row| None)
}
