//! Lists of records. One statement reads them all, from entries that the database keeps for each viewer and each filter: however much
//! there is besides, a page costs the same.

use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{ConnectionWithRole, Row};
use crate::db::{DbError, operations};
use crate::domain::{ActorId, ConnectionId, DatabaseId, EventHubId, FoundResource, ResourceId, TenantId};

/// Which connections a list holds: newest first, each once.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// Who looks, if the service knows them: the connections whose record names them.
    pub viewer: Option<ActorId>,
    /// And all that touch this tenant.
    pub tenant: Option<TenantId>,
    /// And all others that the filters leave, whoever they are of.
    pub everything: bool,
    /// Only those of this database.
    pub database: Option<&'a DatabaseId>,
    /// Only those from this event hub.
    pub source: Option<&'a EventHubId>,
    /// Only those of which no read has told yet whether a change happened: as [`State::Unsettled`](crate::domain::State) is
    /// derived.
    pub unsettled: bool,
    /// Only those made before this one.
    pub before: Option<ConnectionId>,
    /// At most so many.
    pub limit: i64,
}

/// The most connections that a page can hold, and the one after them which tells that there is another page. The statement says the
/// same number.
const MOST: i64 = 201;

/// The connections of a list. Without a filter `everything` counts for nothing: nobody sees all there is.
///
/// Each viewer's entries are read in the order of the primary key, as many as are needed. A plan that is made before the values are
/// known expects a tenth of what a limit of unknown size stands before, which is why a known one stands inside. Whatever a person
/// made or took part in is among their own entries, so their part in a page's connections is among what was read.
///
/// # Errors
/// When the database can't answer.
pub async fn list(
    db: &mut PgConnection,
    selection: &Selection<'_>,
) -> Result<Vec<ConnectionWithRole>, DbError> {
    if selection.limit > MOST {
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
        selection.source.map(EventHubId::resource),
    ];
    let rows = select!(
        part: "page.part",
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
        selection.limit,
        selection.unsettled,
        list_key(&filters)
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::found).collect()
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
