//! How records are found: by their id, and by their name at ARM.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::ConnectionRole;
use crate::db::{DbError, operations};
use crate::domain::{
    ActorId, ConnectionId, ConnectionRecord, DataConnectionId, EventKind, FoundResource, KnownPerson,
    ObjectId, Person, Source, Target, TenantId,
};

/// A record, and the viewer's role in it.
#[derive(Debug)]
pub struct ConnectionWithRole {
    /// The record, whole: what of it may be shown is not decided here.
    pub record: ConnectionRecord,
    /// What the record says that they are; nothing if it doesn't name them.
    pub part: Option<ConnectionRole>,
}

struct Row {
    id: Uuid,
    arm_id_written: String,
    name: String,
    target_tenant_id: Uuid,
    source_tenant_id: Uuid,
    database_id: String,
    source_kind: String,
    source_id: String,
    consumer_group: String,
    location: String,
    request_hash: Vec<u8>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    desired: String,
    observed: String,
    observed_at: DateTime<Utc>,
    confirmed_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    version: i32,
    found: Option<Json<FoundResource>>,
    recheck_at: Option<DateTime<Utc>>,
    configuration: Value,
    justification: Option<String>,
    settling: Option<String>,
    part: Option<String>,
    /// Whether it belongs to the page of a list.
    matches: bool,
    /// Whether the list may continue behind it.
    continues: bool,
    creator: Option<Json<Creator>>,
    operation: Option<Json<operations::Row>>,
}

#[derive(Debug, Deserialize)]
struct Creator {
    tenant: Uuid,
    object: Uuid,
    name: Option<String>,
}

/// `select` of [`Row`], with the rest of the statement; the macro needs each as one literal. `from` names the connections `c`, and
/// `part` the viewer's role in each: of two roles, the actor's counts, which is first in the alphabet. `creator` gives who requested
/// it, where that is shown. `listed` is for
/// lists.
///
/// A connection and its operation are read in one statement, since each statement sees its own moment: a record from before a
/// change and an operation from after it would make a state that never was. The operation is the one that waits, else the one
/// under way, else the last; ids alone do not decide, since replicas' clocks differ.
///
/// What belongs to a connection is looked up connection by connection (`lateral … limit 1`), so that no plan reads whole tables for
/// a page, whatever it expects.
macro_rules! select {
    (part: $part:literal, creator: $creator:literal, listed: $listed:literal, from: ($($from:tt)+), $rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            "select c.id, c.arm_id_written, c.name, c.target_tenant_id, c.source_tenant_id, c.database_id,
                c.source_kind, c.source_id, c.consumer_group, c.location, c.request_hash, c.created_by,
                c.created_at, c.desired, c.observed, c.observed_at, c.confirmed_at, c.closed_at,
                c.version, c.found as \"found: Json<FoundResource>\", c.recheck_at,
                coalesce(r.configuration, 'null') as \"configuration!\",
                n.justification as \"justification?\", o.settling as \"settling?\", " + $part + " as \"part?\",
                " + $creator + " as \"creator?: Json<Creator>\", " + $listed + ",
                o.operation as \"operation?: Json<operations::Row>\"
             from " + $($from)* + "
             left join lateral (
                select v.configuration from connection_revisions v where v.connection_id = c.id order by v.number desc limit 1
             ) r on true
             left join lateral (
                select m.justification from connection_notes m where m.connection_id = c.id limit 1
             ) n on true
             left join lateral (
                select operation_record(o) as operation, max(o.kind) filter (where o.phase = 'settling') over () as settling
                from operations o where o.connection_id = c.id
                order by o.phase in ('succeeded', 'failed'), o.phase <> 'queued', o.id desc limit 1
             ) o on true " + $rest
            $(, $argument)*
        )
    };
}

// Below the macro, which it uses.
mod list;

pub use list::{ListScope, Listed, Selection, list};

impl Row {
    fn found(self) -> Result<ConnectionWithRole, DbError> {
        let part = ConnectionRole::of_word(self.part.as_deref())?;
        let record = self.parse()?;
        Ok(ConnectionWithRole { record, part })
    }

    fn parse(self) -> Result<ConnectionRecord, DbError> {
        let (source, settings) = Source::from_record(
            &self.source_kind,
            &self.source_id,
            &self.consumer_group,
            self.configuration,
        )
        .map_err(|error| DbError::Internal(format!("connection {}: {error}", self.id)))?;
        Ok(ConnectionRecord {
            id: ConnectionId::new(self.id),
            arm_id: self.arm_id_written.parse().map_err(DbError::internal)?,
            name: self.name.parse().map_err(DbError::internal)?,
            target_tenant: TenantId::new(self.target_tenant_id),
            source_tenant: TenantId::new(self.source_tenant_id),
            target: Target {
                database: self.database_id.parse().map_err(DbError::internal)?,
                settings,
            },
            source,
            location: self.location,
            request_hash: self.request_hash,
            created_by: ActorId::new(self.created_by),
            creator: self.creator.map(|Json(creator)| KnownPerson {
                person: Person {
                    tenant: TenantId::new(creator.tenant),
                    object: ObjectId::new(creator.object),
                },
                user_name: creator.name,
            }),
            created_at: self.created_at,
            desired: self.desired.parse().map_err(DbError::internal)?,
            observed: self.observed.parse().map_err(DbError::internal)?,
            observed_at: self.observed_at,
            confirmed_at: self.confirmed_at,
            closed_at: self.closed_at,
            version: self.version,
            found: self.found.map(|Json(found)| found),
            recheck_at: self.recheck_at,
            justification: self.justification,
            last_operation: self.operation.map(|Json(row)| row.parse()).transpose()?,
            settling: self
                .settling
                .map(|kind| kind.parse())
                .transpose()
                .map_err(DbError::internal)?,
        })
    }
}

/// The record of a data connection that is not finally absent, without a visibility check.
pub async fn find_open(
    db: &mut PgConnection,
    arm_id: &DataConnectionId,
) -> Result<Option<ConnectionRecord>, DbError> {
    let row = select!(
        part: "null::text",
        creator: "null::jsonb",
        listed: "true as \"matches!\", false as \"continues!\"",
        from: ("connections c"),
        "where c.arm_id = $1 and c.closed_at is null",
        arm_id.resource().canonical()
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::parse).transpose()
}

/// How long ago a removal of a former connection of this name was sent last, if that was within `life` and no answer showed its outcome
/// since. By Postgres's clock and the ledger's order, since replicas' clocks differ.
pub async fn unanswered_removal(
    db: &mut PgConnection,
    arm_id: &DataConnectionId,
    life: Duration,
) -> Result<Option<Duration>, DbError> {
    let seconds = sqlx::query_scalar!(
        "select extract(epoch from clock_timestamp() - max(o.dispatched_at))::float8
         from connections c join operations o on o.connection_id = c.id
         where c.arm_id = $1 and c.closed_at > now() - make_interval(secs => $2)
           and o.kind = 'remove' and o.dispatched_at > now() - make_interval(secs => $2)
           and exists (select from ledger_events e
               where e.connection_id = c.id and e.operation_id = o.id and e.kind = $3
                   and e.sequence > (select max(s.sequence) from ledger_events s
                       where s.connection_id = c.id and s.operation_id = o.id and s.kind = any($4)))",
        arm_id.resource().canonical(),
        life.as_secs_f64(),
        EventKind::OutcomeUnknown.as_str(),
        &[EventKind::RemoveIntended, EventKind::RemoveRepeated].map(|kind| kind.as_str().to_owned())
    )
    .fetch_one(db)
    .await?;
    Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()))
}

/// The most connections that [`readers_beside`] returns; Kusto allows one.
const MAX_READERS: i64 = 3;

/// The open connections of the same cluster that read the same resource with the same consumer group as this one, without a visibility
/// check.
pub async fn readers_beside(
    db: &mut PgConnection,
    record: &ConnectionRecord,
) -> Result<Vec<ConnectionId>, DbError> {
    let cluster = record.target.database.cluster();
    let ids = sqlx::query_scalar!(
        "select r.connection_id from connection_resources r
         join connections c on c.id = r.connection_id
         join connection_resources k on k.connection_id = r.connection_id and k.resource_id = $2
         where r.resource_id = $1 and lower(c.consumer_group) = lower($3) and c.closed_at is null
            and r.connection_id <> $4
         order by r.connection_id desc limit $5",
        record.source.resource().canonical(),
        cluster.resource().canonical(),
        record.source.consumer_group().as_str(),
        record.id.uuid(),
        MAX_READERS
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(ConnectionId::new).collect())
}

/// A connection, without a visibility check.
pub async fn find(db: &mut PgConnection, id: ConnectionId) -> Result<Option<ConnectionRecord>, DbError> {
    let row = select!(
        part: "null::text",
        creator: "null::jsonb",
        listed: "true as \"matches!\", false as \"continues!\"",
        from: ("connections c"),
        "where c.id = $1",
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::parse).transpose()
}

/// A connection, without a visibility check, and this person's role in it.
pub async fn find_with_role(
    db: &mut PgConnection,
    id: ConnectionId,
    viewer: Option<ActorId>,
) -> Result<Option<ConnectionWithRole>, DbError> {
    let row = select!(
        part: "(select min(p.part) from connection_people p where p.connection_id = c.id and p.person_id = $2)",
        creator: "(select jsonb_build_object('tenant', w.tenant_id, 'object', w.object_id, 'name', w.user_name)
                from people w where w.id = c.created_by)",
        listed: "true as \"matches!\", false as \"continues!\"",
        from: ("connections c"),
        "where c.id = $1",
        id.uuid(),
        viewer.map(ActorId::uuid)
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::found).transpose()
}
