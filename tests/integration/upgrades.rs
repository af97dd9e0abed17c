//! Migrations while replicas of the previous version serve: they keep recording, and neither side waits for the other forever.

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::join;
use tokio::time::timeout;

use crate::support::{PATIENCE, connect, eventually, own_server};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

async fn run(db: &mut PgConnection, statements: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
        .execute(db)
        .await
        .map(drop)
}

/// The statements of a migration as they are run: in a transaction, unless it says otherwise.
fn migration(version: i64) -> String {
    let of_version = MIGRATIONS.iter().find(|migration| migration.version == version);
    let found = of_version.expect("a migration");
    if found.no_tx {
        found.sql.as_str().to_owned()
    } else {
        format!("begin; {}; commit", found.sql.as_str())
    }
}

/// Runs the migrations after one, up to and without another.
async fn migrate_between(owner: &mut PgConnection, after: i64, until: i64) {
    for each in MIGRATIONS.iter().map(|migration| migration.version) {
        if after < each && each < until {
            run(owner, &migration(each)).await.expect("a migration");
        }
    }
}

const ACTOR: &str = "'0196b000-0000-7000-8000-000000000001'";

const SECOND_REVISION: &str =
    "insert into connection_revisions (connection_id, number, configuration, sent, api_version)
    select id, 2, '{}', '{}', 'v' from connections";

/// Statements of the version before 11 that record a create.
fn recorded(number: u8) -> String {
    let id = format!("'0196b000-0000-7000-8000-0000000000{number:02}'");
    let arm = format!(
        "/subscriptions/s/resourcegroups/g/providers/microsoft.kusto/clusters/c/databases/d/dataconnections/n{number}"
    );
    format!(
        "insert into connections (id, arm_id, arm_id_written, name, target_tenant_id, source_tenant_id, database_id, table_name,
            data_format, source_kind, source_id, consumer_group, location, request_hash, created_by, created_at, desired, observed,
            observed_at)
         values ({id}, '{arm}', '{arm}', 'n{number}', {ACTOR}, {ACTOR}, 'd', 'Events', 'JSON', 'eventHub', 'h', 'g', 'l', '', {ACTOR}, now(), 'present', 'unknown', now());
         insert into operations (id, connection_id, kind, phase, person_id, app_id, correlation_id, body, api_version, created_at,
            due_at, deadline_at)
         values ({id}, {id}, 'create', 'queued', {ACTOR}, {ACTOR}, {ACTOR}, '{{}}', 'v', now(), now(), now());"
    )
}

/// A database as the version before migration 11 left it, with one record.
async fn of_the_version_before(server: &dev_postgres::Server) -> (dev_postgres::Database, PgConnection) {
    let database = server.create_database("tb_upgrade").await.expect("a database");
    let mut owner = connect(&database.owner_url).await;
    for version in 1..=10 {
        run(&mut owner, &migration(version)).await.expect("a migration");
    }
    let grants = format!(
        "grant select, insert, update on all tables in schema public to \"{}\"",
        database.serving_role
    );
    run(&mut owner, &grants).await.expect("grants");
    run(&mut owner, &recorded(11)).await.expect("a record");
    (database, owner)
}

/// Waits until a statement in this database waits for a lock.
async fn wait_for_a_blocked_statement(database: &dev_postgres::Database) {
    let mut watcher = connect(&database.owner_url).await;
    let blocked = eventually(async || {
        let query = "select exists (select from pg_locks where not granted)";
        let blocked: bool = sqlx::query_scalar(query)
            .fetch_one(&mut watcher)
            .await
            .expect("an answer");
        blocked.then_some(())
    });
    assert!(blocked.await.is_some(), "the migration waits for nothing");
}

/// Begins a change as a replica does, runs the migration until it waits for that, and commits the change: both must end.
async fn migrates_beside_a_change(version: i64, begun: &str, rest: &str) {
    let server = own_server().await;
    let (database, mut owner) = of_the_version_before(&server).await;
    migrate_between(&mut owner, 10, version).await;
    let mut serving = connect(&database.serving_url).await;
    run(&mut serving, begun).await.expect("a lock");
    let migration = migration(version);
    let ends = timeout(PATIENCE, async {
        join!(run(&mut owner, &migration), async {
            wait_for_a_blocked_statement(&database).await;
            run(&mut serving, rest).await
        })
    });
    let (migrated, committed) = ends.await.expect("both end");
    assert!(
        committed.is_ok() && migrated.is_ok(),
        "{committed:?} {migrated:?}"
    );
}

#[tokio::test]
async fn a_replica_of_the_previous_version_records_creates_between_migrations_and_grants() {
    let server = own_server().await;
    let (database, mut owner) = of_the_version_before(&server).await;
    run(&mut owner, &migration(11)).await.expect("the migration");
    let mut serving = connect(&database.serving_url).await;
    let recorded = run(&mut serving, &recorded(12)).await;
    assert!(recorded.is_ok(), "{recorded:?}");
}

/// As every commit of a step does: the connection's lock first, the changes afterwards.
#[tokio::test]
async fn the_migration_of_revisions_and_a_change_that_is_being_committed_both_end() {
    migrates_beside_a_change(
        11,
        "begin; select id from connections for update",
        "update connections set observed = 'present'; update operations set phase = 'accepted'; commit",
    )
    .await;
}

#[tokio::test]
async fn the_migration_of_lists_and_a_change_that_is_being_committed_both_end() {
    migrates_beside_a_change(
        12,
        "begin; select id from connections for update; update operations set phase = 'accepted'",
        "update connections set observed = 'present'; commit",
    )
    .await;
}

#[tokio::test]
async fn the_migration_of_resources_and_a_change_that_is_being_committed_both_end() {
    migrates_beside_a_change(
        17,
        "begin; select id from connections for update; update operations set phase = 'accepted'",
        "update connections set observed = 'present'; commit",
    )
    .await;
}

#[tokio::test]
async fn the_migration_of_the_ledgers_tenants_and_a_change_that_is_being_committed_both_end() {
    migrates_beside_a_change(
        19,
        "begin; update operations set phase = 'accepted';
         insert into ledger_events (id, occurred_at, kind, details) values (gen_random_uuid(), now(), 'k', '{}')",
        "update connections set observed = 'present'; commit",
    )
    .await;
}

#[tokio::test]
async fn the_migration_of_parts_in_lists_and_a_change_that_is_being_committed_both_end() {
    migrates_beside_a_change(
        20,
        "begin; select id from connections for update; update operations set phase = 'accepted'",
        &format!("{SECOND_REVISION}; update connections set observed = 'present'; commit"),
    )
    .await;
}

#[tokio::test]
async fn the_migration_of_the_revisions_index_and_a_change_that_is_being_committed_both_end() {
    migrates_beside_a_change(
        21,
        &format!("begin; select id from connections for update; {SECOND_REVISION}"),
        "update operations set phase = 'accepted'; update connections set observed = 'present'; commit",
    )
    .await;
}

#[tokio::test]
async fn the_migration_of_the_ledgers_partitions_and_a_change_that_is_being_committed_both_end() {
    migrates_beside_a_change(
        42,
        "begin; update operations set phase = 'accepted';
         insert into ledger_events (id, occurred_at, kind, details) values (gen_random_uuid(), now(), 'k', '{}')",
        "update connections set observed = 'present';
         insert into ledger_events (id, occurred_at, kind, details) values (gen_random_uuid(), now(), 'k', '{}'); commit",
    )
    .await;
}

/// A change is being committed: what was recorded before is listed meanwhile without keeping leases from being renewed, and of the
/// two the second one finds what the first has left.
#[tokio::test]
async fn to_list_what_was_recorded_before_waits_for_one_connection_and_keeps_no_lease_from_being_renewed() {
    let server = own_server().await;
    let (database, mut owner) = of_the_version_before(&server).await;
    migrate_between(&mut owner, 10, 22).await;
    run(&mut owner, "update operations set phase = 'settling'")
        .await
        .expect("an operation of unknown outcome");
    let unsettled = "select count(*) from connection_list_entries where unsettled";
    let before: i64 = sqlx::query_scalar(unsettled)
        .fetch_one(&mut owner)
        .await
        .expect("a list");
    assert!(before > 0);
    let mut serving = connect(&database.serving_url).await;
    let mut another = connect(&database.serving_url).await;
    // The connection's state is decided, so it leaves the list of what is unsettled; somebody joins it.
    let begun = format!(
        "begin; select id from connections for no key update;
         update operations set phase = 'succeeded'; update connections set observed = 'present', confirmed_at = now();
         insert into connection_people (connection_id, person_id, part, app_id) select id, {ACTOR}, 'participant', id from connections"
    );
    run(&mut serving, &begun).await.expect("a change");
    let mut renewed = connect(&database.serving_url).await;
    run(&mut renewed, &recorded(12)).await.expect("another record");
    let listing = migration(22);
    let ends = timeout(PATIENCE, async {
        join!(run(&mut owner, &listing), async {
            wait_for_a_blocked_statement(&database).await;
            run(
                &mut another,
                "set lock_timeout = '5s';
                 update operations set lease_until = now() where id in (select id from connections where name = 'n12')",
            )
            .await
            .expect("a lease");
            run(&mut serving, "commit").await
        })
    });
    let (listed, committed) = ends.await.expect("both end");
    assert!(listed.is_ok() && committed.is_ok(), "{listed:?} {committed:?}");
    let left: i64 = sqlx::query_scalar(unsettled)
        .fetch_one(&mut owner)
        .await
        .expect("a list");
    assert_eq!(left, 0);
    let parts: Vec<(String, i64)> = sqlx::query_as(
        "select e.part, count(*) from connection_list_entries e join connections c on c.id = e.connection_id
         where c.name = 'n11' and e.part is not null group by 1",
    )
    .fetch_all(&mut owner)
    .await
    .expect("a list");
    assert_eq!(parts, [("participant".to_owned(), 4)]);
}

#[tokio::test]
async fn events_are_appended_with_their_tenants_between_migrations_and_grants_and_before_old_ones_have_theirs()
 {
    let server = own_server().await;
    let (database, mut owner) = of_the_version_before(&server).await;
    let column_by_column = format!(
        "revoke insert on ledger_events from \"{role}\";
         grant insert (id, occurred_at, kind, connection_id, target_tenant_id, source_tenant_id, details) on ledger_events to \"{role}\";
         insert into ledger_events (id, occurred_at, kind, target_tenant_id, details)
         values (gen_random_uuid(), now(), 'of before', {ACTOR}, '{{}}')",
        role = database.serving_role
    );
    run(&mut owner, &column_by_column).await.expect("grants");
    migrate_between(&mut owner, 10, 24).await;
    let mut serving = connect(&database.serving_url).await;
    // While old events are being changed, replicas of either version append.
    let open = migration(24).replace("; commit", "");
    run(&mut owner, &open).await.expect("a migration");
    for (columns, values) in [
        ("target_tenant_id", ACTOR.to_owned()),
        (
            "target_tenant_id, tenant_ids",
            format!("{ACTOR}, array[{ACTOR}::uuid]"),
        ),
    ] {
        let appended = format!(
            "set lock_timeout = '5s'; insert into ledger_events (id, occurred_at, kind, details, {columns})
             values (gen_random_uuid(), now(), 'k', '{{}}', {values})"
        );
        run(&mut serving, &appended).await.expect("an event");
    }
    run(&mut owner, "commit").await.expect("the migration ends");
    let tenants: Vec<String> = sqlx::query_scalar("select distinct tenant_ids::text from ledger_events")
        .fetch_all(&mut owner)
        .await
        .expect("the ledger");
    assert_eq!(tenants, [format!("{{{}}}", ACTOR.trim_matches('\''))]);
}

/// What a connection is listed by, its settings, and the tenants of an event: recorded before the migration, after it by a replica of the previous
/// version.
#[tokio::test]
async fn what_the_previous_version_records_is_listed_as_what_was_recorded_before() {
    let server = own_server().await;
    let (database, mut owner) = of_the_version_before(&server).await;
    let event = |number: u8| {
        format!(
            "insert into ledger_events (id, occurred_at, kind, connection_id, target_tenant_id, source_tenant_id, details)
             select id, now(), 'k', id, target_tenant_id, source_tenant_id, '{{}}' from connections where name = 'n{number}';
             insert into connection_people (connection_id, person_id, part, app_id)
             select id, {ACTOR}, 'actor', id from connections where name = 'n{number}';"
        )
    };
    run(&mut owner, &event(11)).await.expect("an event");
    migrate_between(&mut owner, 10, i64::MAX).await;
    let mut serving = connect(&database.serving_url).await;
    run(&mut serving, &(recorded(12) + &event(12)))
        .await
        .expect("as before");
    for (what, each) in [
        (
            "select array_agg(row(r.role, r.resource_id, r.tenant_id)::text order by r.role) from connection_resources r
             where r.connection_id = c.id",
            3,
        ),
        (
            "select array_agg(row(e.unsettled, e.viewer, e.list_key, e.part)::text order by e.viewer, e.list_key)
             from connection_list_entries e where e.connection_id = c.id",
            // Everybody, the tenant of both sides, which is the actor here; all, a database, a source, both.
            2 * 4,
        ),
        (
            "select array_agg(row(v.number, v.configuration)::text) from connection_revisions v where v.connection_id = c.id
                and v.configuration = '{\"table\": \"Events\", \"dataFormat\": \"JSON\"}'",
            1,
        ),
        (
            "select array_agg(e.tenant_ids::text) from ledger_events e where e.connection_id = c.id",
            1,
        ),
    ] {
        let query = format!("select ({what}) from connections c order by c.name");
        let of_each: Vec<Vec<String>> = sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_all(&mut owner)
            .await
            .expect("rows");
        let [before, after] = &of_each[..] else {
            panic!("two connections: {of_each:?}")
        };
        assert_eq!(before, after);
        assert_eq!(before.len(), each, "{before:?}");
    }
}
