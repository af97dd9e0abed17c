//! The feed: positions that the ledger's events are given after their commit. Added and read, never changed.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::connections::ConnectionRole;
use super::ledger_events::recorded;
use super::{DbError, exactly_one};
use crate::domain::{ActorId, ConnectionId, EventKind, RecordedEvent, TenantId};

/// The channel that notifies replicas that events were given positions.
pub const CHANNEL: &str = "tenant_bridge_feed";

/// The advisory lock of who gives positions: "feed" in ASCII.
const LOCK: i64 = 0x6665_6564;

/// The most events that one transaction gives positions; the statement has the same number.
pub const BATCH: usize = 500;

/// How many positions one statement looks through for what a caller may see; the statement has the same number.
pub const WINDOW: i64 = 1000;

/// The feed as it is now.
#[derive(Debug, Clone, Copy)]
pub struct FeedState {
    /// The epoch that counts.
    pub epoch: i64,
    /// Every event up to this `sequence` has a position, or was never committed.
    pub numbered_up_to: i64,
    /// The last position; 0 if there is none.
    pub head: i64,
}

/// An event as its row has it, also of a kind that this version does not know.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// Its place in the ledger.
    pub sequence: i64,
    /// Its id.
    pub id: Uuid,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// The word of its kind.
    pub kind: String,
    /// Its connection.
    pub connection_id: Option<Uuid>,
    /// Its operation.
    pub operation_id: Option<Uuid>,
    /// Who caused it.
    pub person_id: Option<Uuid>,
    /// The app that acted in their name.
    pub app_id: Option<Uuid>,
    /// The HTTP request it came with.
    pub request_id: Option<String>,
    /// The target's tenant.
    pub target_tenant_id: Option<Uuid>,
    /// The source's tenant.
    pub source_tenant_id: Option<Uuid>,
    /// All tenants that it concerns.
    pub tenant_ids: Vec<Uuid>,
    /// Its details.
    pub details: Value,
    /// Whether it has a position already.
    pub is_numbered: bool,
}

/// Events that are to be given positions, in this order.
#[derive(Debug, Default)]
pub struct NewPositions {
    /// Their places in the ledger.
    pub sequences: Vec<i64>,
    /// When they happened.
    pub occurred_at: Vec<DateTime<Utc>>,
    /// Their hashes.
    pub hashes: Vec<Vec<u8>>,
}

/// Takes the lock of who gives positions until the transaction ends. Returns false while another replica has it. A replica that stops
/// in the middle of the transaction keeps it for two seconds.
///
/// # Errors
/// When the database can't answer.
pub async fn try_lock(db: &mut PgConnection) -> Result<bool, DbError> {
    let locked = sqlx::query_scalar!(
        "select pg_try_advisory_xact_lock($1) and set_config('idle_in_transaction_session_timeout', '2s', true) = '2s'
            as \"locked!\"",
        LOCK
    )
    .fetch_one(db)
    .await?;
    Ok(locked)
}

/// The feed as it is now.
///
/// # Errors
/// When the database can't answer.
pub async fn state(db: &mut PgConnection) -> Result<FeedState, DbError> {
    let state = sqlx::query_as!(
        FeedState,
        "select e.epoch, e.numbered_up_to,
            coalesce((select f.position from feed f where f.epoch = e.epoch order by f.position desc limit 1), 0) as \"head!\"
         from feed_epochs e order by e.epoch desc limit 1"
    )
    .fetch_one(db)
    .await?;
    Ok(state)
}

/// The transactions that write to the ledger now. Each is here from before it draws a `sequence` until what it committed is visible.
///
/// # Errors
/// When the database can't answer.
pub async fn writers(db: &mut PgConnection) -> Result<Vec<String>, DbError> {
    let writers = sqlx::query_scalar!(
        "select virtualtransaction as \"writer!\" from pg_locks
         where locktype = 'relation' and database = (select oid from pg_database where datname = current_database())
            and relation = 'ledger_events'::regclass and mode <> 'AccessShareLock' and granted"
    )
    .fetch_all(db)
    .await?;
    Ok(writers)
}

/// The first [`BATCH`] events whose `sequence` is in one of these ranges, in order.
///
/// # Errors
/// When the database can't answer.
pub async fn stored_events(
    db: &mut PgConnection,
    epoch: i64,
    first: &[i64],
    last: &[i64],
) -> Result<Vec<StoredEvent>, DbError> {
    // The limits are no parameters, and what is looked up for each row is a query of its own: Postgres would else read whole tables.
    let events = sqlx::query_as!(
        StoredEvent,
        "select e.sequence as \"sequence!\", e.id as \"id!\", e.occurred_at as \"occurred_at!\", e.kind as \"kind!\",
            e.connection_id, e.operation_id, e.person_id, e.app_id, e.request_id, e.target_tenant_id, e.source_tenant_id,
            e.tenant_ids as \"tenant_ids!\", e.details as \"details!\",
            (select f.position from feed f where f.epoch = $1 and f.event_sequence = e.sequence) is not null as \"is_numbered!\"
         from (
            select l.* from unnest($2::bigint[], $3::bigint[]) r (first, last)
            cross join lateral (
                select * from ledger_events l where l.sequence between r.first and r.last order by l.sequence limit 500) l
            order by l.sequence limit 500) e
         order by e.sequence",
        epoch,
        first,
        last
    )
    .fetch_all(db)
    .await?;
    Ok(events)
}

/// Gives events the positions after the last one, and records up to where every event has one. Replicas are notified when the
/// transaction is committed.
///
/// # Errors
/// When the database cannot write it.
pub async fn append(
    db: &mut PgConnection,
    state: &FeedState,
    new: &NewPositions,
    hash_version: i16,
    numbered_up_to: i64,
) -> Result<(), DbError> {
    let rows = sqlx::query!(
        "with added as (
            insert into feed (epoch, position, event_sequence, event_occurred_at, hash, hash_version)
            select $1, $2 + n.ordinality, n.sequence, n.occurred_at, n.hash, $6
            from unnest($3::bigint[], $4::timestamptz[], $5::bytea[]) with ordinality n (sequence, occurred_at, hash, ordinality))
         update feed_epochs set numbered_up_to = greatest(numbered_up_to, $7) where epoch = $1",
        state.epoch,
        state.head,
        &new.sequences,
        &new.occurred_at,
        &new.hashes,
        hash_version,
        numbered_up_to
    )
    .execute(&mut *db)
    .await?
    .rows_affected();
    exactly_one("record how far events have positions", rows)?;
    sqlx::query!("select pg_notify($1, '')", CHANNEL)
        .execute(db)
        .await?;
    Ok(())
}

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
    /// Its last position, at most [`WINDOW`] further for a viewer.
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
#[derive(Debug)]
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

/// What a viewer may see in a range of the feed, in order, at most `limit`.
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
    let has_more = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= limit;
    let entries = rows.into_iter().map(|row| {
        Ok(FeedEntry {
            position: row.position,
            part: ConnectionRole::of_word(row.part.as_deref())?,
            recorded: recorded!(row)?,
        })
    });
    readable(entries, has_more)
}

/// What a range of the feed holds of a connection, in order, at most `limit`.
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
         from ledger_events e
         cross join lateral (select * from feed f where f.epoch = $1 and f.event_sequence = e.sequence limit 1) f
         where e.connection_id = $2 and f.position > $3 and f.position <= $4 and e.kind collate \"C\" between $5 and $6
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
    let has_more = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= limit;
    let entries = rows.into_iter().map(|row| {
        Ok(FeedEntry {
            position: row.position,
            part: None,
            recorded: recorded!(row)?,
        })
    });
    readable(entries, has_more)
}

/// The entries up to the first that this version can't read, because a newer one beside it wrote a kind that it does not know: it must
/// not be left out. An error if that is the first of all.
fn readable(
    entries: impl Iterator<Item = Result<FeedEntry, DbError>>,
    has_more: bool,
) -> Result<FeedRead, DbError> {
    let mut readable = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => readable.push(entry),
            Err(error) if readable.is_empty() => return Err(error),
            Err(_) => {
                return Ok(FeedRead {
                    entries: readable,
                    has_more: true,
                });
            }
        }
    }
    Ok(FeedRead {
        entries: readable,
        has_more,
    })
}
