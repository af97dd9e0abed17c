//! Lists of records. Each list has one statement and one index, which starts from what the one who looks may see and is narrowed
//! down to what is asked for: however much there is besides, a page costs the same.

use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{ConnectionWithRole, Row};
use crate::db::{DbError, operations};
use crate::domain::{ActorId, ConnectionId, DatabaseId, FoundResource, ResourceId, SourceId, TenantId};

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
    /// Only those from this resource.
    pub source: Option<&'a SourceId>,
    /// Only those of which no read has told yet whether a change happened: as [`State::Unsettled`](crate::domain::State) is
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

/// The most connections that a page can hold, and the one after them which tells that there is another page. The statement says the
/// same number.
const MOST: i64 = 201;

/// The statement of one list. `$1` is where the page begins, `$2` and `$3` are the viewers, `$4` how many connections there are to be.
///
/// Each viewer's rows are read in the order of an index, as many as are needed. A plan that is made before the values are known
/// expects a tenth of what a limit of unknown size stands before, which is why a known one stands inside. Whatever a person made or
/// took part in is among their own rows, so their part in a page's connections is among what was read.
macro_rules! list {
    ($which:literal, $filter:literal $(, $argument:expr)*) => {
        select!(
            part: "page.part",
            from: ("(select v.connection_id, min(v.part) as part from (
                    (select * from (
                        select a.connection_id, a.part from connection_viewers a
                        where " + $which + $filter + " and a.viewer = $2 and a.connection_id < $1
                        order by a.connection_id desc limit 201
                    ) w limit $4)
                    union all
                    (select * from (
                        select a.connection_id, a.part from connection_viewers a
                        where " + $which + $filter + " and a.viewer = $3 and a.connection_id < $1
                        order by a.connection_id desc limit 201
                    ) w limit $4)
                ) v group by v.connection_id order by v.connection_id desc limit $4) page
            cross join lateral (select * from connections k where k.id = page.connection_id limit 1) c"),
            "order by page.connection_id desc"
            $(, $argument)*
        )
    };
}

/// One of the four lists of either kind: of all, of a database, of a source, of both.
macro_rules! list_of {
    ($which:literal, $db:expr, $key:expr) => {{
        let Key {
            before,
            viewers,
            limit,
            database,
            source,
        } = $key;
        match (database, source) {
            (None, None) => {
                list!($which, "", before, viewers.0, viewers.1, limit)
                    .fetch_all($db)
                    .await?
            }
            (Some(database), None) => {
                list!(
                    $which,
                    " and a.database_hash = $5",
                    before,
                    viewers.0,
                    viewers.1,
                    limit,
                    database
                )
                .fetch_all($db)
                .await?
            }
            (None, Some(source)) => {
                list!(
                    $which,
                    " and a.source_hash = $5",
                    before,
                    viewers.0,
                    viewers.1,
                    limit,
                    source
                )
                .fetch_all($db)
                .await?
            }
            (Some(database), Some(source)) => {
                list!(
                    $which,
                    " and a.database_hash = $5 and a.source_hash = $6",
                    before,
                    viewers.0,
                    viewers.1,
                    limit,
                    database,
                    source
                )
                .fetch_all($db)
                .await?
            }
        }
    }};
}

/// What the statements are given.
#[derive(Debug, Clone, Copy)]
struct Key {
    before: Uuid,
    viewers: (Option<Uuid>, Option<Uuid>),
    limit: i64,
    database: Option<Uuid>,
    source: Option<Uuid>,
}

/// A page of a list. Without a filter `everything` counts for nothing: nobody sees all there is. A record that this version cannot read,
/// since another one wrote it, is logged and left out: it must not hide the others.
///
/// # Errors
/// When the database can't answer.
pub async fn list(db: &mut PgConnection, selection: &Selection<'_>) -> Result<Listed, DbError> {
    // One more than requested tells whether there is another page.
    let limit = i64::from(selection.limit) + 1;
    if limit > MOST {
        return Err(DbError::Defect(format!("a page of {}", selection.limit)));
    }
    let is_filtered = selection.database.is_some() || selection.source.is_some() || selection.unsettled;
    let all = if selection.everything && is_filtered {
        // Whatever else the caller sees is part of it.
        Some(Uuid::nil())
    } else {
        selection.tenant.map(TenantId::uuid)
    };
    let key = Key {
        // Ids are UUIDv7, so their order is the order of creation. Always a bound, so that each page begins inside the index.
        before: selection.before.map_or(Uuid::max(), ConnectionId::uuid),
        viewers: (all, selection.viewer.map(ActorId::uuid)),
        limit,
        database: selection.database.map(|id| hash_of(id.resource())),
        source: selection.source.map(|id| hash_of(id.resource())),
    };
    let mut rows = if selection.unsettled {
        list_of!("a.unsettled", db, key)
    } else {
        list_of!("not a.unsettled", db, key)
    };
    let length = usize::try_from(selection.limit).unwrap_or(usize::MAX);
    let is_last = rows.len() <= length;
    rows.truncate(length);
    let next = rows
        .last()
        .filter(|_| !is_last)
        .map(|row| ConnectionId::new(row.id));
    let connections = rows.into_iter().filter_map(readable).collect();
    Ok(Listed { connections, next })
}

/// A record, unless this version cannot read it.
fn readable(row: Row) -> Option<ConnectionWithRole> {
    let id = row.id;
    row.found()
        .inspect_err(|error| tracing::error!(connection.id = %id, %error, "a list leaves out a record that cannot be read"))
        .ok()
}

/// As `hash_of_resource` in the database.
fn hash_of(id: &ResourceId) -> Uuid {
    let digest: [u8; 32] = Sha256::digest(id.canonical()).into();
    let [first, ..] = digest.as_chunks::<16>().0 else {
        return Uuid::nil();
    };
    Uuid::from_bytes(*first)
}
