//! Lists of records. One statement reads them, and one who created them. They are found by entries that the database keeps for each viewer and each filter: however much
//! there is besides, a page costs the same.

use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{ConnectionWithRole, Creator, Row};
use crate::db::{DbError, operations, principals};
use crate::domain::{ActorId, ConnectionId, DatabaseId, FoundResource, ResourceId, SourceId, TenantId};

/// Which connections a list holds: newest first, each once.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// The viewer, if the service knows them: the connections whose record names them.
    pub viewer: Option<ActorId>,
    /// And all that touch this tenant.
    pub tenant: Option<TenantId>,
    /// And all others that match the filters.
    pub everything: bool,
    /// Only those of this database.
    pub database: Option<&'a DatabaseId>,
    /// Only those from this resource.
    pub source: Option<&'a SourceId>,
    /// Only those whose last change no read has confirmed or ruled out yet: as [`State::Unsettled`](crate::domain::State) is
    /// derived.
    pub unsettled: bool,
    /// Only those made before this one.
    pub before: Option<ConnectionId>,
    /// At most so many.
    pub limit: u32,
}

/// A page of a list.
#[derive(Debug)]
pub struct Listed {
    /// Its connections, without those that this version cannot read.
    pub connections: Vec<ConnectionWithRole>,
    /// The page's last connection, if there is another page.
    pub next: Option<ConnectionId>,
}

/// The most connections that a page can hold, and the one after them, which shows that there is another page. The statement says the
/// same number.
const MAX_ROWS: i64 = 201;

/// The connections of a list. Without a filter `everything` counts for nothing: no caller sees everything. A record that this version
/// cannot read, since another one wrote it, is logged and left out: it must not hide the others.
///
/// Each viewer's entries are read from the primary key alone, in its order, as many as are needed. A plan that is made before the
/// values are known expects a tenth of what a limit of unknown size stands before, which is why a known one stands inside. Whatever
/// a person made or took part in is among their own entries, so their part in a page's connections is among what was read.
pub async fn list(db: &mut PgConnection, selection: &Selection<'_>) -> Result<Listed, DbError> {
    // One more than requested shows whether there is another page.
    let limit = i64::from(selection.limit) + 1;
    if limit > MAX_ROWS {
        return Err(DbError::Internal(format!("a page of {}", selection.limit)));
    }
    let is_filtered = selection.database.is_some() || selection.source.is_some() || selection.unsettled;
    let all = if selection.everything && is_filtered {
        // Whatever else the caller sees is part of it.
        Some(Uuid::nil())
    } else {
        selection.tenant.map(TenantId::uuid)
    };
    let filters = [
        selection.database.map(DatabaseId::resource),
        selection.source.map(SourceId::resource),
    ];
    let rows = select!(
        part: "page.part",
        creator: "null::jsonb",
        from: ("(select v.connection_id, min(v.part) as part from (
                (select * from (
                    select e.connection_id, e.part from connection_list_entries e
                    where e.unsettled = $5 and e.viewer = $2 and e.list_key = $6 and e.connection_id < $1
                    order by e.connection_id desc limit 201
                ) w limit $4)
                union all
                (select * from (
                    select e.connection_id, e.part from connection_list_entries e
                    where e.unsettled = $5 and e.viewer = $3 and e.list_key = $6 and e.connection_id < $1
                    order by e.connection_id desc limit 201
                ) w limit $4)
            ) v group by v.connection_id order by v.connection_id desc limit $4) page
            cross join lateral (select * from connections k where k.id = page.connection_id limit 1) c"),
        "order by page.connection_id desc",
        // Ids are UUIDv7, so their order is the order of creation. Always a bound, so that each page begins inside the index.
        selection.before.map_or(Uuid::max(), ConnectionId::uuid),
        all,
        selection.viewer.map(ActorId::uuid),
        limit,
        selection.unsettled,
        list_key(&filters)
    );
    let mut rows = rows.fetch_all(&mut *db).await?;
    let length = usize::try_from(selection.limit).unwrap_or(usize::MAX);
    let is_last = rows.len() <= length;
    rows.truncate(length);
    let next = rows
        .last()
        .filter(|_| !is_last)
        .map(|row| ConnectionId::new(row.id));
    let mut connections: Vec<ConnectionWithRole> = rows.into_iter().filter_map(readable).collect();
    add_creators(db, &mut connections).await?;
    Ok(Listed { connections, next })
}

/// Adds who created the connections: one statement for all, since most pages have few creators.
async fn add_creators(db: &mut PgConnection, connections: &mut [ConnectionWithRole]) -> Result<(), DbError> {
    let mut ids: Vec<Uuid> = connections
        .iter()
        .map(|found| found.record.created_by.uuid())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let known = principals::identify(db, &ids).await?;
    for found in connections {
        found.record.creator = known.get(&found.record.created_by).cloned();
    }
    Ok(())
}

/// A record, unless this version cannot read it.
fn readable(row: Row) -> Option<ConnectionWithRole> {
    let id = row.id;
    row.found()
        .inspect_err(|error| tracing::error!(connection.id = %id, %error, "a list leaves out a record that cannot be read"))
        .ok()
}

/// As `list_key` in the database.
fn list_key(filters: &[Option<&ResourceId>]) -> Uuid {
    let ids: Vec<&str> = filters.iter().flatten().map(|id| id.canonical()).collect();
    let digest: [u8; 32] = Sha256::digest(ids.join("\n")).into();
    let [first, ..] = digest.as_chunks::<16>().0 else {
        return Uuid::nil();
    };
    Uuid::from_bytes(*first)
}
