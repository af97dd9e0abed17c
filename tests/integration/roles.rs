//! The two database roles, and what the ledger says of people: nothing.

use azure_emulator::how_to;
use serde_json::json;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use tenant_bridge::app::StartError;

use crate::support::{App, admin_url, connect, migrate, request};

async fn refused(db: &mut PgConnection, statement: &str) {
    let error = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(db)
        .await
        .expect_err("it may not");
    let code = error.as_database_error().and_then(DatabaseError::code);
    assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
}

#[tokio::test]
async fn the_serving_role_can_add_to_the_ledger_and_change_nothing_in_it() {
    let app = App::hurried().await;
    app.how_to_portal().create(&request("telemetry")).await;
    let mut serving = connect(&app.database.serving_url).await;
    for statement in [
        "update ledger_events set details = '{}'",
        "delete from ledger_events",
        "truncate ledger_events",
        "drop table ledger_events",
        "alter table ledger_events add column more text",
        "create trigger other before insert on ledger_events for each row execute function suppress_redundant_updates_trigger()",
        "insert into ledger_events (sequence, id, occurred_at, kind, details) overriding system value
            values (1, gen_random_uuid(), now(), 'create.intended', '{}')",
        "update feed set hash = ''",
        "delete from feed",
        "truncate feed",
        "insert into feed_epochs (epoch) values (1)",
        "select begin_feed_epoch()",
        "update feed_epochs set epoch = 0",
        "update operations set body = '{}'",
        "update connections set request_hash = ''",
        "delete from operations",
        "delete from connections",
        "delete from people",
        "update connection_people set part = 'actor'",
        "update connection_resources set tenant_id = gen_random_uuid()",
        "delete from connection_resources",
        "update connection_notes set justification = ''",
        "update idempotency_keys set operation_id = gen_random_uuid()",
        "delete from schedules",
        "insert into _sqlx_migrations values (99, 'x', now(), true, '', 0)",
        "create table mine (id int)",
        "create temporary table mine (id int)",
    ] {
        refused(&mut serving, statement).await;
    }
    app.finish().await;
}

/// What the serving role may do with columns, other than read them: table, right, columns.
async fn column_rights(app: &App) -> Vec<PgRow> {
    let mut owner = connect(&app.database.owner_url).await;
    sqlx::query(
        "select table_name::text, privilege_type::text, string_agg(column_name::text, ' ' order by column_name::text)
         from information_schema.column_privileges where grantee = $1 and privilege_type <> 'SELECT'
         group by 1, 2 order by 1, 2",
    )
    .bind(&app.database.serving_role)
    .fetch_all(&mut owner)
    .await
    .expect("the grants")
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn the_serving_role_may_change_what_moves_on_and_nothing_that_proves_something() {
    let app = App::hurried().await;
    let rows = column_rights(&app).await;
    let rights: Vec<String> = rows
        .iter()
        .filter(|row| row.get::<&str, _>(1) == "UPDATE")
        .map(|row| format!("{}: {}", row.get::<&str, _>(0), row.get::<&str, _>(2)))
        .collect();
    assert_eq!(
        rights,
        [
            "cluster_slots: held_until not_before operation_id round",
            "connection_list_entries: part",
            "connection_listings: part shelf tags",
            "connection_revisions: confirmed_at snapshot",
            "connection_viewers: part",
            "connections: closed_at confirmed_at desired found observed observed_at recheck_at recheck_step version",
            "feed_epochs: numbered_up_to",
            "operations: absence_seen_at absent_reads arm_operation_url attempts awaiting_claims awaiting_tenant_id \
             continued_app continued_by deadline_at dispatched_at dispatches due_at error finished_at holder lease_token \
             lease_until phase turn",
            "people: tenant_id user_name",
            "replicas: alive_until",
            "schedules: due_at succeeded_at",
        ]
    );
    let writes: Vec<&str> = rows
        .iter()
        .filter(|row| row.get::<&str, _>(1) == "INSERT")
        .map(|row| row.get(0))
        .collect();
    assert_eq!(
        writes,
        [
            "cluster_slots",
            "connection_list_entries",
            "connection_listings",
            "connection_notes",
            "connection_people",
            "connection_resources",
            "connection_revisions",
            "connection_viewers",
            "connections",
            "feed",
            "idempotency_keys",
            "ledger_events",
            "operations",
            "people",
            "replicas"
        ]
    );
    let more: Vec<String> = app
        .scalar(
            "select array_agg(distinct table_name || ': ' || privilege_type) from information_schema.role_table_grants
             where grantee like '%_serving' and privilege_type not in ('SELECT', 'INSERT')",
        )
        .await;
    // Nothing more may be done with a whole table than to take something off a list, to forget a key, or a replica that is gone.
    assert_eq!(
        more,
        [
            "connection_list_entries: DELETE",
            "connection_viewers: DELETE",
            "idempotency_keys: DELETE",
            "replicas: DELETE"
        ]
    );
    app.finish().await;
}

#[tokio::test]
async fn the_service_does_not_start_as_somebody_who_can_change_the_ledger() {
    let app = App::hurried().await;
    let owner = app.database.owner_url.clone();
    let superuser = admin_url(&app.database).await;
    for url in [owner, superuser] {
        let started = app
            .start_another(|config| config.database.pool.url = url.as_str().into())
            .await;
        let error = started.expect_err("it must not start");
        assert!(matches!(error, StartError::Schema(_)), "{error}");
        assert!(error.to_string().contains("may change the ledger"), "{error}");
    }
    // Nor as the serving role, once somebody gave it more.
    let role = &app.database.serving_role;
    for right in ["update", "delete", "truncate", "update (details)", "trigger"] {
        app.as_owner(&format!("grant {right} on ledger_events to {role}"))
            .await;
        let error = app.start_another(|_| {}).await.expect_err("it must not start");
        assert!(
            error.to_string().contains("may change the ledger"),
            "{right}: {error}"
        );
        app.as_owner(&format!("revoke {right} on ledger_events from {role}"))
            .await;
    }
    app.replica().await.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn the_service_starts_on_a_schema_that_has_all_it_needs_and_takes_nothing_away() {
    let app = App::hurried().await;
    app.as_owner(
        "create table kept as select * from _sqlx_migrations order by version desc limit 1;
         delete from _sqlx_migrations where version in (select version from kept)",
    )
    .await;
    let pending = app
        .start_another(|_| {})
        .await
        .expect_err("a migration is pending");
    assert!(
        pending.to_string().contains("run `tenant-bridge migrate`"),
        "{pending}"
    );
    app.as_owner(
        "insert into _sqlx_migrations select * from kept;
         update kept set version = 9998, description = 'order'; insert into _sqlx_migrations select * from kept",
    )
    .await;
    // A newer version's, which only adds: this one may be started anew beside it.
    app.replica().await.stop().await;
    app.as_owner(
        "update kept set version = 9999, description = 'contract order'; insert into _sqlx_migrations select * from kept",
    )
    .await;
    let taken_away = app
        .start_another(|_| {})
        .await
        .expect_err("a migration takes something away");
    assert!(taken_away.to_string().contains("9999"), "{taken_away}");
    app.as_owner("delete from _sqlx_migrations where version > 9000; drop table kept")
        .await;
    // To migrate once more changes nothing.
    migrate(&app.database).await;
    app.replica().await.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn the_ledger_names_no_person_and_quotes_no_justification() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let mut wanted = request("telemetry");
    wanted["justification"] = json!("For the team of the long name, ticket SESAME");
    // ARM's own sentence about this failure names the caller.
    app.emulator
        .edit(|world| world.remove_table(how_to::DATABASE, "Events"))
        .expect("a table");
    portal.create(&wanted).await;
    app.emulator
        .edit(|world| world.set_table(how_to::DATABASE, "Events", &["EventsMapping"]))
        .expect("a database");
    let created = portal.create(&wanted).await;
    let second = app.signed_in("acc4@domain1.com").create(&request("other")).await;
    assert_eq!(second.status, 403, "{}", second.body);
    portal.remove(created.text("/id")).await;

    let ledger: String = app
        .scalar("select string_agg(e::text, E'\\n') from ledger_events e")
        .await;
    assert!(ledger.lines().count() >= 8, "{ledger}");
    // None of them could stand in an id or a hash by chance.
    for trace in ["@domain", "Account ", "0acc000", "SESAME", "long name"] {
        assert!(!ledger.contains(trace), "the ledger holds {trace}: {ledger}");
    }
    // What stands for the justification is a hash of it with a salt that is kept elsewhere.
    assert!(ledger.contains("justificationHash"));
    let salted: bool = app
        .scalar(
            "select bool_and(e.details->>'justificationHash'
                = encode(sha256(n.salt || convert_to(n.justification, 'UTF8')), 'hex'))
             from connection_notes n join ledger_events e using (connection_id) where e.kind = 'create.intended'",
        )
        .await;
    assert!(salted);
    app.finish().await;
}
