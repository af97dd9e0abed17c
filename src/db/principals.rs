//! Who stands behind a pseudonym.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::db::DbError;
use crate::domain::{ActorId, Person};

/// The pseudonym of a person, if they were ever recorded.
pub async fn find(db: &mut PgConnection, person: Person) -> Result<Option<ActorId>, DbError> {
    let id = sqlx::query_scalar!(
        "select id from people where tenant_id = $1 and object_id = $2",
        person.tenant.uuid(),
        person.object.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(ActorId::new))
}

/// The pseudonym of a person, who is recorded under `fresh` if they are new.
pub async fn ensure(
    db: &mut PgConnection,
    person: Person,
    fresh: Uuid,
    now: DateTime<Utc>,
) -> Result<ActorId, DbError> {
    if let Some(known) = find(&mut *db, person).await? {
        return Ok(known);
    }
    // A concurrent request may have recorded them since; the update that changes nothing returns its row.
    let id = sqlx::query_scalar!(
        "insert into people (id, tenant_id, object_id, first_seen_at) values ($1, $2, $3, $4)
         on conflict (tenant_id, object_id) do update set tenant_id = excluded.tenant_id
         returning id",
        fresh,
        person.tenant.uuid(),
        person.object.uuid(),
        now
    )
    .fetch_one(db)
    .await?;
    Ok(ActorId::new(id))
}
