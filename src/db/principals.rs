//! Who stands behind a pseudonym.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::db::DbError;
use crate::domain::{ActorId, KnownPerson, ObjectId, Person, TenantId};

/// The longest name of a user that is kept, in characters; Entra's own limit is 113.
const MAX_USER_NAME: usize = 256;

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

/// Who stands behind these pseudonyms; those that were erased are left out.
pub async fn identify(db: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<ActorId, KnownPerson>, DbError> {
    let rows = sqlx::query!(
        "select id, tenant_id, object_id, user_name from people where id = any($1)",
        ids
    )
    .fetch_all(db)
    .await?;
    let people = rows.into_iter().map(|row| {
        let person = Person {
            tenant: TenantId::new(row.tenant_id),
            object: ObjectId::new(row.object_id),
        };
        let known = KnownPerson {
            person,
            user_name: row.user_name,
        };
        (ActorId::new(row.id), known)
    });
    Ok(people.collect())
}

/// The pseudonym of a person, who is recorded under `fresh` if they are new. A name that differs from the recorded one replaces it.
pub async fn ensure(
    db: &mut PgConnection,
    person: Person,
    user_name: Option<&str>,
    fresh: Uuid,
    now: DateTime<Utc>,
) -> Result<ActorId, DbError> {
    let user_name = user_name.filter(|name| is_plain(name));
    let found = sqlx::query!(
        "select id, user_name from people where tenant_id = $1 and object_id = $2",
        person.tenant.uuid(),
        person.object.uuid()
    )
    .fetch_optional(&mut *db)
    .await?;
    if let Some(known) = found {
        if user_name.is_some() && known.user_name.as_deref() != user_name {
            // No row if the person was erased at the same moment, which is as well.
            sqlx::query!(
                "update people set user_name = $2 where id = $1",
                known.id,
                user_name
            )
            .execute(db)
            .await?;
        }
        return Ok(ActorId::new(known.id));
    }
    // A concurrent request may have recorded them since; the update that changes nothing returns its row.
    let id = sqlx::query_scalar!(
        "insert into people (id, tenant_id, object_id, first_seen_at, user_name) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, object_id) do update set tenant_id = excluded.tenant_id
         returning id",
        fresh,
        person.tenant.uuid(),
        person.object.uuid(),
        now,
        user_name
    )
    .fetch_one(db)
    .await?;
    Ok(ActorId::new(id))
}

/// Whether a name is one that can be shown in a line.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= MAX_USER_NAME && !name.chars().any(char::is_control)
}
