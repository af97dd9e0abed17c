//! Lists of records, each by an index that fits what it is narrowed down to.

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Found, Row};
use crate::connection::{ActorId, ConnectionId, DatabaseId, EventHubId, FoundResource, TenantId};
use crate::db::{DbError, operations};

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
    /// Only those of which no read has told yet whether a change happened: as [`State::Unsettled`](crate::connection::State) is
    /// derived.
    pub unsettled: bool,
    /// Only those made before this one.
    pub before: Option<ConnectionId>,
    /// At most so many.
    pub limit: i64,
}

/// The connections of a list. Without a filter `everything` counts for nothing: nobody sees all there is.
///
/// # Errors
/// When the database can't answer.
pub async fn list(db: &mut PgConnection, selection: &Selection<'_>) -> Result<Vec<Found>, DbError> {
    if selection.unsettled {
        return unsettled(db, selection).await;
    }
    let viewer = selection.viewer.map(ActorId::uuid);
    let tenant = selection.tenant.map(TenantId::uuid);
    // Ids are UUIDv7, so their order is the order of creation. Always a bound, so that each page begins inside the index.
    let before = selection.before.map_or(Uuid::max(), ConnectionId::uuid);
    let source = selection.source.map(|id| id.resource().canonical());
    let rows = match (selection.database, source) {
        (Some(database), source) => {
            select!(
                part: "(select min(p.part) from connection_people p where p.connection_id = c.id and p.person_id = $2)",
                "where lower(c.database_id collate \"C\") = $5 and c.id < $1
                    and ($6::text is null or lower(c.source_id collate \"C\") = $6)
                    and ($7 or c.target_tenant_id = $3 or c.source_tenant_id = $3
                        or exists (select from connection_people p where p.connection_id = c.id and p.person_id = $2))
                 order by c.id desc limit $4",
                before,
                viewer,
                tenant,
                selection.limit,
                database.resource().canonical(),
                source,
                selection.everything
            )
            .fetch_all(db)
            .await?
        }
        (None, Some(source)) => {
            select!(
                part: "(select min(p.part) from connection_people p where p.connection_id = c.id and p.person_id = $2)",
                "where lower(c.source_id collate \"C\") = $5 and c.id < $1
                    and ($6 or c.target_tenant_id = $3 or c.source_tenant_id = $3
                        or exists (select from connection_people p where p.connection_id = c.id and p.person_id = $2))
                 order by c.id desc limit $4",
                before,
                viewer,
                tenant,
                selection.limit,
                source,
                selection.everything
            )
            .fetch_all(db)
            .await?
        }
        (None, None) => {
            // Each part walks an index of its own and ends early.
            select!(
                part: "(select min(p.part) from connection_people p where p.connection_id = c.id and p.person_id = $2)",
                "where c.id in (select candidates.id from (
                    (select distinct p.connection_id as id from connection_people p
                        where p.person_id = $2 and p.connection_id < $1 order by 1 desc limit $4)
                    union
                    (select t.id from connections t where $3::uuid is not null and t.target_tenant_id = $3 and t.id < $1 order by t.id desc limit $4)
                    union
                    (select s.id from connections s where $3::uuid is not null and s.source_tenant_id = $3 and s.id < $1 order by s.id desc limit $4)
                 ) candidates order by candidates.id desc limit $4)
                 order by c.id desc",
                before,
                viewer,
                tenant,
                selection.limit
            )
            .fetch_all(db)
            .await?
        }
    };
    rows.into_iter().map(Row::found).collect()
}

/// Those of which no read has told yet whether a change happened: few, whatever else is asked of them.
async fn unsettled(db: &mut PgConnection, selection: &Selection<'_>) -> Result<Vec<Found>, DbError> {
    let rows = select!(
        part: "(select min(p.part) from connection_people p where p.connection_id = c.id and p.person_id = $2)",
        "where c.id in (select u.id from unsettled_connections u) and c.id < $1
            and ($5::text is null or lower(c.database_id collate \"C\") = $5)
            and ($6::text is null or lower(c.source_id collate \"C\") = $6)
            and ($7 or c.target_tenant_id = $3 or c.source_tenant_id = $3
                or exists (select from connection_people p where p.connection_id = c.id and p.person_id = $2))
         order by c.id desc limit $4",
        selection.before.map_or(Uuid::max(), ConnectionId::uuid),
        selection.viewer.map(ActorId::uuid),
        selection.tenant.map(TenantId::uuid),
        selection.limit,
        selection.database.map(|id| id.resource().canonical()),
        selection.source.map(|id| id.resource().canonical()),
        selection.everything
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::found).collect()
}
