//! The feed: positions that the ledger's events are given after their commit. Added and read, never changed.

mod read;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

pub use read::{
    FeedEntry, FeedRange, FeedRead, FeedViewer, WINDOW, WINDOW_OF_CONNECTIONS, of_connection, of_person,
    of_viewer,
};

use super::{DbError, exactly_one};

/// The channel that notifies replicas that events were given positions.
pub const CHANNEL: &str = "tenant_bridge_feed";

/// The advisory lock of who gives positions: "feed" in ASCII.
const LOCK: i64 = 0x6665_6564;

/// The most events that one transaction gives positions; the statement has the same number.
pub const BATCH: usize = 500;

/// A place in the feed. A later one is greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedPosition {
    /// The epoch of the position.
    pub epoch: i64,
    /// The position; 0 before the first one.
    pub position: i64,
}

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

impl FeedState {
    /// The last position.
    #[must_use]
    pub const fn last(&self) -> FeedPosition {
        FeedPosition {
            epoch: self.epoch,
            position: self.head,
        }
    }
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
    /// Their connections.
    pub connections: Vec<Option<Uuid>>,
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

/// The transactions that write to the ledger now. Each is here from before it draws a `sequence` until what it committed is visible: it
/// holds this lock on the table, or on a partition, since before. Maintenance holds other ones.
///
/// # Errors
/// When the database can't answer.
pub async fn writers(db: &mut PgConnection) -> Result<Vec<String>, DbError> {
    let writers = sqlx::query_scalar!(
        "select virtualtransaction as \"writer!\" from pg_locks
         where locktype = 'relation' and database = (select oid from pg_database where datname = current_database())
            and relation in (select relid from pg_partition_tree('ledger_events'::regclass))
            and mode = 'RowExclusiveLock' and granted"
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
            insert into feed (epoch, position, event_sequence, event_occurred_at, connection_id, hash, hash_version)
            select $1, $2 + n.ordinality, n.sequence, n.occurred_at, n.connection_id, n.hash, $6
            from unnest($3::bigint[], $4::timestamptz[], $5::bytea[], $8::uuid[])
                with ordinality n (sequence, occurred_at, hash, connection_id, ordinality))
         update feed_epochs set numbered_up_to = greatest(numbered_up_to, $7) where epoch = $1",
        state.epoch,
        state.head,
        &new.sequences,
        &new.occurred_at,
        &new.hashes,
        hash_version,
        numbered_up_to,
        &new.connections as &[Option<Uuid>]
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
