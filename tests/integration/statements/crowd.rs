//! Many connections of others, beside one that was really made.

use azure_emulator::how_to;
use sqlx::{AssertSqlSafe, PgConnection};

/// Who made all of the crowd.
const OWNER: &str = "0e000000-0000-7000-8000-000000000001";
/// Who took part in the three oldest.
const GUEST: &str = "0e000000-0000-7000-8000-000000000002";
/// Who has nothing.
const STRANGER: &str = "0e000000-0000-7000-8000-000000000003";
/// Whom Azure or a role allows the whole of what a filter selects.
const ALLOWED: &str = "00000000-0000-0000-0000-000000000000";

/// Somebody looks at a list.
pub(super) struct Look {
    /// Who and at what.
    pub(super) name: String,
    /// What the statement is given.
    pub(super) values: String,
    /// How many connections they are to find.
    pub(super) rows: u64,
}

/// What a list is narrowed down to: its name, the ids, and which of the two parts of the crowd it leaves.
struct Filter {
    name: String,
    ids: String,
    leaves: (bool, bool),
}

/// Three quarters are of the made one's database and source; the fourth is of another database and another source, so that one
/// of each have nothing in common. Every twentieth is unsettled.
pub(super) struct Crowd {
    size: u32,
    tenant: String,
}

impl Crowd {
    pub(super) async fn beside(db: &mut PgConnection) -> Self {
        let tenant = sqlx::query_scalar("select target_tenant_id::text from connections");
        Self {
            size: 0,
            tenant: tenant.fetch_one(db).await.expect("a connection"),
        }
    }

    /// Adds connections, older than the one that was made, each with its people, its note, its operation and with that its revision,
    /// its events and a key. `vacuum` notes rows as visible to all only once their commit is in the log, so the commit waits for that.
    pub(super) async fn grow_to(&mut self, db: &mut PgConnection, size: u32) {
        let statements = format!(
            "set synchronous_commit = on;
             create temporary table crowd as
             select i, ('01800000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid as id
             from generate_series({from}, {size}) i;
             insert into connections (id, arm_id, arm_id_written, name, target_tenant_id, source_tenant_id, database_id,
                table_name, mapping_name, data_format, source_kind, source_id, consumer_group, location, request_hash,
                created_by, created_at, desired, observed, observed_at, confirmed_at)
             select n.id, c.arm_id || n.i, c.arm_id_written, c.name, target_tenant_id, source_tenant_id,
                case when n.i % 4 = 0 then database_id || '2' else database_id end, table_name, mapping_name, data_format,
                source_kind, case when n.i % 4 = 0 then source_id || '2' else source_id end, consumer_group, location,
                request_hash, '{OWNER}', created_at, desired, case when n.i % 20 in (1, 4) then 'unknown' else observed end,
                observed_at, confirmed_at
             from crowd n, (select * from connections order by id desc limit 1) c;
             insert into connection_people (connection_id, person_id, part, app_id)
             select id, '{OWNER}'::uuid, 'actor', id from crowd
             union all select id, '{GUEST}'::uuid, 'participant', id from crowd where i <= 3;
             insert into connection_notes (connection_id, justification, salt) select id, 'for the forecast', '\\x00' from crowd;
             insert into people (id, tenant_id, object_id, first_seen_at) select id, id, id, now() from crowd;
             insert into operations (id, connection_id, kind, phase, person_id, app_id, correlation_id, body, body_hash,
                api_version, absence_seen_at, created_at, dispatched_at, finished_at, deadline_at, due_at)
             select n.id, n.id, kind, phase, '{OWNER}', app_id, correlation_id, body, body_hash, api_version,
                absence_seen_at, created_at, dispatched_at, finished_at, deadline_at, due_at
             from crowd n, (select * from operations order by id desc limit 1) o;
             insert into ledger_events (id, occurred_at, kind, connection_id, operation_id, person_id, details)
             select id, now(), 'createIntended', id, id, '{OWNER}', '{{}}' from crowd;
             -- The service has nothing to do with them.
             select pg_advisory_xact_lock(x'66656564'::bigint);
             insert into feed (epoch, position, event_sequence, event_occurred_at, connection_id, hash, hash_version)
             select f.epoch, f.last + row_number() over (order by e.sequence), e.sequence, e.occurred_at, e.connection_id, sha256(''), 1
             from ledger_events e, (select epoch, (select coalesce(max(position), 0) from feed) as last from feed_epochs) f
             where not exists (select from feed n where n.event_sequence = e.sequence);
             update feed_epochs set numbered_up_to = (select max(sequence) from ledger_events);
             insert into idempotency_keys (person_id, app_id, route, key_hash, body_hash, connection_id, operation_id, began)
             select id, id, '', '', '', id, id, true from crowd;
             drop table crowd",
            from = self.size + 1,
        );
        sqlx::raw_sql(AssertSqlSafe(statements))
            .execute(&mut *db)
            .await
            .expect("the owner may");
        sqlx::raw_sql("vacuum analyze connections, connection_people, connection_resources, connection_list_entries, connection_notes,
            connection_revisions, people, operations, ledger_events, feed, idempotency_keys")
            .execute(db)
            .await
            .expect("the owner may");
        self.size = size;
    }

    /// Everybody who may look at a list, at each that there is.
    pub(super) fn looks(&self) -> Vec<Look> {
        let role = format!("'{}'", self.tenant);
        let allowed = format!("'{ALLOWED}'");
        let mut looks = Vec::new();
        for is_unsettled in [false, true] {
            let viewers = [
                ("denied, with nothing", "null", STRANGER, 0),
                (
                    "denied, with the oldest",
                    "null",
                    GUEST,
                    if is_unsettled { 1 } else { 3 },
                ),
                ("denied, with all", "null", OWNER, PAGE),
                ("allowed by a role", &role, STRANGER, PAGE),
                ("allowed, with nothing", &allowed, STRANGER, PAGE),
                ("allowed, with all", &allowed, OWNER, PAGE),
            ];
            let kind = if is_unsettled { "unsettled" } else { "any" };
            for Filter { name, ids, leaves } in &filters() {
                for (who, first, second, rows) in &viewers {
                    // The oldest are of the first part.
                    let is_empty = if *rows < PAGE {
                        !leaves.0
                    } else {
                        !leaves.0 && !leaves.1
                    };
                    looks.push(Look {
                        name: format!("{who}: {name}, {kind}"),
                        values: format!(
                            "'ffffffff-ffff-ffff-ffff-ffffffffffff', {first}, '{second}', {PAGE}, {is_unsettled},
                            list_key(array[{ids}]::text[])"
                        ),
                        rows: if is_empty { 0 } else { *rows },
                    });
                }
            }
        }
        looks
    }
}

/// One more than a page that nobody asked a size for holds: it tells whether there is another.
const PAGE: u64 = 51;

/// All, of a database, of a source, of both.
fn filters() -> Vec<Filter> {
    let of = |name: &str, ids: &[&str], leaves| Filter {
        name: name.to_owned(),
        ids: ids.join(", "),
        leaves,
    };
    let id = |id: &str, suffix: &str| format!("lower('{id}{suffix}')");
    let mut filters = vec![of("all", &[], (true, true))];
    for (suffix, leaves) in [
        ("", (true, false)),
        ("2", (false, true)),
        ("none", (false, false)),
    ] {
        let (database, source) = (id(how_to::DATABASE, suffix), id(how_to::HUB1, suffix));
        filters.push(of(&format!("database {suffix:?}"), &[&database], leaves));
        filters.push(of(&format!("source {suffix:?}"), &[&source], leaves));
        filters.push(of(&format!("both {suffix:?}"), &[&database, &source], leaves));
    }
    let (database, source) = (id(how_to::DATABASE, ""), id(how_to::HUB1, "2"));
    filters.push(of(
        "of one and of the other",
        &[&database, &source],
        (false, false),
    ));
    filters
}
