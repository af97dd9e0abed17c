//! The replicas that live. An operation whose tokens a living replica has is left to it.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::DbError;
use super::pool::autocommit;

/// For how long a replica that was not heard of is remembered, in seconds.
const FORGOTTEN_AFTER: f64 = 86_400.0;

/// Says that a replica lives, and will for so long.
pub async fn heartbeat(db: &mut PgConnection, replica: Uuid, life: Duration) -> Result<(), DbError> {
    let statement = sqlx::query!(
        "with gone as (delete from replicas where alive_until < now() - make_interval(secs => $3))
         insert into replicas (id, alive_until) values ($1, now() + make_interval(secs => $2))
         on conflict (id) do update set alive_until = excluded.alive_until",
        replica,
        life.as_secs_f64(),
        FORGOTTEN_AFTER
    )
    .execute(db);
    autocommit("say that a replica lives", statement).await?;
    Ok(())
}

/// Says that a replica has stopped, so that others resume its operations at once.
pub async fn deregister(db: &mut PgConnection, replica: Uuid) -> Result<(), DbError> {
    let statement = sqlx::query!("delete from replicas where id = $1", replica).execute(&mut *db);
    autocommit("say that a replica has stopped", statement).await?;
    super::cluster_locks::notify_queue(db).await
}
