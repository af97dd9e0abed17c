//! The ledger's partitions, what may be done with them, and what goes with time.

use std::time::Duration;

use azure_emulator::how_to;
use http::Method;
use serde_json::Value;
use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::support::{App, connect, request};

const DAY: Duration = Duration::from_secs(86_400);

/// The code of the error with which a statement fails.
async fn error_code(db: &mut PgConnection, statement: &str) -> String {
    let error = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(db)
        .await
        .expect_err(statement);
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.expect("an error of Postgres").into_owned()
}

/// Adds an event of the first tenant, this long from now.
fn event(after: &str) -> String {
    format!(
        "insert into ledger_events (id, occurred_at, kind, request_id, tenant_ids, details)
         values (gen_random_uuid(), now() + interval '{after}', 'create.refused', '{after}', array['{}']::uuid[], '{{}}');",
        how_to::DOMAIN1
    )
}

#[tokio::test]
async fn partitions_are_there_for_the_months_to_come_and_an_event_of_any_time_is_recorded() {
    let app = App::hurried().await;
    for after in ["1 month", "2 months", "-3 years", "3 years"] {
        app.as_owner(&event(after)).await;
    }
    let strays: Vec<String> = app
        .scalar("select array_agg(request_id) from ledger_events_other")
        .await;
    assert_eq!(strays, ["3 years"]);
    app.wait_until("select count(*) = 4 from feed").await;
    // What is missing is made.
    app.as_owner(
        "do $$ begin execute format('drop table ledger_events_%s', to_char(now() + interval '1 month', 'YYYYMM')); end $$;
         update schedules set due_at = now() where name = 'keepLedgerPartitions'",
    )
    .await;
    let other = app.replica().await;
    app.wait_until(
        "select to_regclass('ledger_events_' || to_char(now() + interval '1 month', 'YYYYMM')) is not null",
    )
    .await;
    other.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn the_serving_role_can_drop_no_event_that_has_to_stay_and_change_none_in_any_partition() {
    let app = App::hurried().await;
    let mut serving = connect(&app.database.serving_url).await;
    for statement in [
        "drop table ledger_events_before",
        "alter table ledger_events detach partition ledger_events_before",
        "select * from ledger_events_before",
        "insert into ledger_events_other (sequence, id, occurred_at, kind, details) values (1, gen_random_uuid(), now(), 'k', '{}')",
        "delete from ledger_events_other",
        "update ledger_policy set minimum_age = '31 days'",
    ] {
        assert_eq!(error_code(&mut serving, statement).await, "42501", "{statement}");
    }
    for statement in [
        "select drop_ledger_partitions('364 days')",
        "select make_ledger_partition((now() + interval '2 years')::date)",
        "select make_ledger_partition((now() - interval '2 months')::date)",
    ] {
        assert_eq!(error_code(&mut serving, statement).await, "P0001", "{statement}");
    }
    let role = &app.database.serving_role;
    for (right, table) in [
        ("update", "ledger_events_before"),
        ("delete", "ledger_events_other"),
        ("update (hash)", "feed"),
        ("update", "ledger_policy"),
    ] {
        app.as_owner(&format!("grant {right} on {table} to {role}")).await;
        let error = app.start_another(|_| {}).await.expect_err("it must not start");
        assert!(
            error.to_string().contains("may change the ledger"),
            "{right} on {table}: {error}"
        );
        app.as_owner(&format!("revoke {right} on {table} from {role}"))
            .await;
    }
    app.replica().await.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn a_month_goes_when_all_of_it_is_older_than_it_is_kept_and_the_feed_goes_on_after_it() {
    let mut app = App::hurried_with(|config| config.ledger.upkeep.retention = DAY * 730).await;
    app.as_owner(&event("-5 years")).await;
    app.as_owner(&event("3 years")).await;
    app.wait_until("select count(*) = 2 from feed").await;
    app.stop_service().await;
    // As if the first partition had ended long ago.
    app.as_owner(
        "alter table ledger_events detach partition ledger_events_before;
         do $$ begin
             execute format('alter table ledger_events attach partition ledger_events_before for values from (minvalue) to (%L)',
                 now() - interval '3 years');
         end $$;
         update schedules set due_at = now() where name = 'keepLedgerPartitions'",
    )
    .await;
    app.start_service().await;
    app.wait_until("select to_regclass('ledger_events_before') is null")
        .await;
    app.wait_for_log("a partition of the ledger is dropped", "ledger_events_before")
        .await;
    let auditor = app.token_with_roles("acc7@domain1.com", how_to::DOMAIN1, &["Auditor"]);
    let feed = app.portal().with_token(&auditor).get("/v1/events").await;
    let events = feed.body["value"].as_array().expect("events");
    let left: Vec<&Value> = events.iter().map(|entry| &entry["event"]["requestId"]).collect();
    assert_eq!(left, ["3 years"]);
    assert_eq!(feed.body["value"][0]["position"], 2);
    app.finish().await;
}

#[tokio::test]
async fn a_requests_body_goes_with_time_and_what_was_sent_stays_with_the_connection() {
    let mut app = App::hurried().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app.stop_service().await;
    app.as_owner("update schedules set due_at = now() where name = 'dropOperationBodies'")
        .await;
    app.start_service().await;
    app.wait_until("select due_at > now() from schedules where name = 'dropOperationBodies'")
        .await;
    let kept = "select body is not null from operations";
    assert!(app.scalar::<bool>(kept).await);
    app.stop_service().await;
    app.as_owner(
        "update operations set finished_at = now() - interval '91 days';
         update schedules set due_at = now() where name = 'dropOperationBodies'",
    )
    .await;
    app.start_service().await;
    app.wait_until("select body is null and body_hash is not null from operations")
        .await;
    let sent: Value = app.scalar("select sent from connection_revisions").await;
    assert!(sent["properties"].is_object(), "{sent}");
    let portal = app.how_to_portal();
    let path = format!("/v1/operations/{}", created.text("/lastOperation/id"));
    let operation = portal.send(portal.call(Method::GET, &path)).await;
    assert_eq!(
        operation.text("/requestHash"),
        created.text("/lastOperation/requestHash")
    );
    let removed = portal.remove(created.text("/id")).await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    app.finish().await;
}
