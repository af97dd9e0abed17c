//! What a review of issue 11, items 1 to 3 and 18, found.

use std::time::Duration;

use azure_emulator::{Effect, Fault, how_to};
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::{sleep, timeout};

use super::{active, delete_by_hand, make, ours_but, remove_matching, tag, theirs};
use crate::support::{Answer, App, Portal, connect, data_connection, own_server, request};

fn nothing() -> Effect {
    Effect::json(
        404,
        json!({ "error": { "code": "ResourceNotFound", "message": "not there yet" } }),
    )
}

fn reads(effect: Effect) -> Fault {
    Fault::arm("/dataConnections/telemetry?", effect).method("GET")
}

/// ARM refuses deletions, as a lock does.
fn locked(app: &App) {
    let locked = json!({ "error": { "code": "ScopeLocked", "message": "locked" } });
    app.emulator
        .inject(Fault::arm("/dataConnections/telemetry", Effect::json(409, locked)).method("DELETE"));
}

async fn over_theirs(app: &App) -> (Portal, Answer) {
    let portal = app.how_to_portal();
    make(app, &theirs());
    app.emulator.inject(reads(nothing()));
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(
        created.text("/lastOperation/error/code"),
        "contested",
        "{}",
        created.body
    );
    (portal, created)
}

/// Reads lag: what was there before the proof of absence is not shown for a moment after our PUT either.
#[tokio::test]
async fn a_contested_create_that_lagging_reads_do_not_show_is_not_closed() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    make(&app, &theirs());
    app.operations_take(Duration::from_millis(500));
    app.emulator.inject(reads(nothing()).times(8));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let operation = portal.follow(created.text("/lastOperation/id")).await;
    assert_eq!(app.calls("PUT", "telemetry")[0].status, 200);
    assert!(app.at_arm("telemetry").is_some());
    let closed: bool = app.scalar("select closed_at is not null from connections").await;
    let recheck: bool = app.scalar("select recheck_at is not null from connections").await;
    assert!(
        !closed,
        "closed, to be looked at again: {recheck}, although Azure took the PUT: {}",
        operation.body
    );
    assert_eq!(
        portal.connection(created.text("/id")).await.text("/state"),
        "unsettled"
    );
}

#[tokio::test]
async fn what_replaced_ours_is_not_called_active_after_a_refused_removal_of_it() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.text("/id");
    make(&app, &theirs());
    let refused = portal.remove(id).await;
    refused.is_problem(409, "drifted");
    assert_eq!(portal.connection(id).await.text("/state"), "missing");
    locked(&app);
    let again = remove_matching(&portal, id, &tag(&refused)).await;
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1, "{}", again.body);
    assert_eq!(portal.connection(id).await.text("/state"), "missing");
    app.finish().await;
}

#[tokio::test]
async fn a_contested_connection_stays_contested_after_a_refused_removal_of_it() {
    let app = App::hurried().await;
    let (portal, created) = over_theirs(&app).await;
    let id = created.text("/id");
    let seen = portal.connection(id).await;
    make(
        &app,
        &ours_but(|properties| properties["tableName"] = "Alarms".into()),
    );
    let refused = remove_matching(&portal, id, &tag(&seen)).await;
    refused.is_problem(409, "contested");
    // Azure takes it, and then it comes to nothing.
    app.hold_operations();
    let call = portal
        .call(http::Method::DELETE, &format!("/v1/connections/{id}"))
        .header("prefer", "wait=0")
        .header("if-match", tag(&refused));
    let asked = portal.send(call).await;
    app.wait_for_calls("DELETE", "telemetry", 1).await;
    app.wait_until("select exists (select from operations where kind = 'remove' and phase = 'accepted')")
        .await;
    let failure = azure_emulator::resources::Failure {
        code: "BadRequest".to_owned(),
        message: "no".to_owned(),
    };
    app.operations_take(Duration::from_millis(60));
    app.emulator
        .edit(|world| world.fail_operations(&failure, |_| true));
    portal.follow(asked.text("/lastOperation/id")).await;
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    // Who names nothing deletes nothing.
    let bare = portal.remove(id).await;
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1, "{}", bare.body);
    bare.is_problem(409, "contested");
    app.finish().await;
}

#[tokio::test]
async fn what_is_found_of_a_contested_connection_tells_its_differences() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    make(&app, &theirs());
    app.hold_operations();
    app.emulator.inject(reads(nothing()));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    // They put theirs back.
    let change = Map::from_iter([("consumerGroup".to_owned(), json!("cg1"))]);
    app.emulator
        .edit(|world| world.set_data_connection_members(&data_connection("telemetry"), &change))
        .expect("members");
    app.release_operations();
    let operation = portal.follow(created.text("/lastOperation/id")).await;
    assert_eq!(operation.text("/error/code"), "contested", "{}", operation.body);
    let connection = portal.connection(created.text("/id")).await;
    assert_eq!(connection.text("/found/resource/properties/consumerGroup"), "cg1");
    assert_eq!(
        connection.body["found"]["differences"],
        json!(["/properties/consumerGroup"])
    );
    app.finish().await;
}

/// An unsettled one whose parent can't be found may stand all the same.
#[tokio::test]
async fn an_unconfirmed_connection_whose_parent_is_not_found_stays_unsettled() {
    let app = App::hurried().await;
    let (portal, created) = over_theirs(&app).await;
    let id = created.text("/id");
    let seen = portal.connection(id).await;
    assert_eq!(seen.text("/state"), "unsettled");
    let moved = json!({ "error": { "code": "SubscriptionNotFound", "message": "moved" } });
    app.emulator.inject(reads(Effect::json(404, moved)).always());
    let removal = remove_matching(&portal, id, &tag(&seen)).await;
    assert_eq!(
        removal.text("/lastOperation/error/code"),
        "parentMissing",
        "{}",
        removal.body
    );
    let connection = portal.connection(id).await;
    assert!(app.at_arm("telemetry").is_some());
    assert_eq!(
        connection.text("/state"),
        "unsettled",
        "`failed` means: was never made"
    );
    app.finish().await;
}

/// One person named what is to be deleted, and their token went; another, who named nothing, lends theirs.
#[tokio::test]
async fn nobody_deletes_with_a_bare_request_what_another_named() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.text("/id");
    make(&app, &theirs());
    let refused = portal.remove(id).await;
    refused.is_problem(409, "drifted");
    let denied = json!({ "error": { "code": "AuthorizationFailed", "message": "no" } });
    app.emulator.inject(reads(Effect::json(403, denied)).always());
    let call = portal
        .call(http::Method::DELETE, &format!("/v1/connections/{id}"))
        .header("prefer", "wait=0")
        .header("if-match", tag(&refused));
    let asked = portal.send(call).await;
    let path = format!("/v1/operations/{}", asked.text("/lastOperation/id"));
    portal
        .wait_for(&path, |body| body["status"] == "awaitingCaller")
        .await;
    app.emulator.clear_faults();
    let other = app.signed_in("acc3@domain1.com");
    let bare = other.remove(id).await;
    assert!(
        app.calls("DELETE", "telemetry").is_empty(),
        "{} {}",
        bare.status,
        bare.body
    );
}

/// Who named somebody else's means that, and not ours that was restored since.
#[tokio::test]
async fn who_named_what_was_found_deletes_nothing_else() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.text("/id");
    make(&app, &theirs());
    let refused = portal.remove(id).await;
    refused.is_problem(409, "drifted");
    make(&app, &ours_but(|_| ()));
    let answer = remove_matching(&portal, id, &tag(&refused)).await;
    assert!(
        app.calls("DELETE", "telemetry").is_empty(),
        "{} {}",
        answer.status,
        answer.body
    );
    app.finish().await;
}

/// Whoever may delete data connections need not be allowed to read databases.
#[tokio::test]
async fn a_removal_that_may_not_read_the_database_is_not_stuck() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    delete_by_hand(&app);
    let denied = json!({ "error": { "code": "AuthorizationFailed", "message": "no" } });
    let there = format!("{}?", how_to::DATABASE);
    app.emulator.inject(
        Fault::arm(&there, Effect::json(403, denied))
            .method("GET")
            .always(),
    );
    let asked = portal.remove_waiting(created.text("/id"), 0).await;
    let path = format!("/v1/operations/{}", asked.text("/lastOperation/id"));
    let told = portal.wait_for(&path, |body| {
        ["awaitingCaller", "failed", "succeeded"]
            .iter()
            .any(|status| body["status"] == *status)
    });
    let told = timeout(Duration::from_secs(10), told).await;
    let now = portal.get(&path).await;
    assert!(
        told.is_ok(),
        "for ten seconds it asked again and again: {}",
        now.body
    );
}

/// Without a service identity, which is the default, nobody moves the schedule on.
#[tokio::test]
async fn nothing_is_asked_again_and_again_where_the_service_has_no_identity() {
    let app = App::start().await;
    let rate = async || {
        let query = "select xact_commit from pg_stat_database where datname = current_database()";
        sleep(Duration::from_secs(2)).await;
        let before: i64 = app.scalar(query).await;
        sleep(Duration::from_secs(4)).await;
        let after: i64 = app.scalar(query).await;
        after - before
    };
    let idle = rate().await;
    app.as_owner(
        "update schedules set due_at = now() + interval '1 hour' where name = 'recheckClosedCreates'",
    )
    .await;
    let without = rate().await;
    assert!(
        idle <= without + 20,
        "{idle} transactions in 4 s, and {without} where that schedule is not due"
    );
    app.finish().await;
}

/// Who made a data connection is nobody's to keep: the names of people stand in an erasable table alone.
#[tokio::test]
async fn snapshots_name_no_people() {
    let app = App::hurried_with(|config| config.arm.kusto_api_version = "2025-02-14".to_owned()).await;
    let (_, _) = active(&app).await;
    let snapshot: Value = app
        .scalar("select snapshot from connection_revisions where snapshot is not null")
        .await;
    assert!(!snapshot.to_string().contains("createdBy\""), "{snapshot}");
    app.finish().await;
}

async fn run(db: &mut PgConnection, statements: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
        .execute(db)
        .await
        .map(drop)
}

fn migration(number: &str) -> String {
    let entries = std::fs::read_dir("migrations").expect("migrations");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    names.sort();
    let of = names.iter().find(|name| {
        name.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(number))
    });
    std::fs::read_to_string(of.expect("a migration")).expect("its text")
}

const A: &str = "'0196b000-0000-7000-8000-000000000001'";

fn recorded(number: u8) -> String {
    let id = format!("'0196b000-0000-7000-8000-0000000000{number:02}'");
    let arm = format!(
        "/subscriptions/s/resourcegroups/g/providers/microsoft.kusto/clusters/c/databases/d/dataconnections/n{number}"
    );
    format!(
        "insert into connections (id, arm_id, arm_id_written, name, target_tenant_id, source_tenant_id, database_id, source_kind,
            source_id, consumer_group, location, request_hash, created_by, created_at, desired, observed, observed_at)
         values ({id}, '{arm}', '{arm}', 'n{number}', {A}, {A}, 'd', 'eventHub', 'h', 'g', 'l', '', {A}, now(), 'present', 'unknown', now());
         insert into operations (id, connection_id, kind, phase, person_id, app_id, correlation_id, body, api_version, created_at,
            due_at, deadline_at)
         values ({id}, {id}, 'create', 'queued', {A}, {A}, {A}, '{{}}', 'v', now(), now(), now());"
    )
}

/// A database as the previous version left it, with one record.
async fn of_the_version_before(server: &dev_postgres::Server) -> (dev_postgres::Database, PgConnection) {
    let database = server.create_database("tb_review").await.expect("a database");
    let mut owner = connect(&database.owner_url).await;
    for number in 1..=10 {
        run(&mut owner, &migration(&format!("{number:04}")))
            .await
            .expect("a migration");
    }
    let grants = format!(
        "grant select, insert, update on all tables in schema public to \"{}\"",
        database.serving_role
    );
    run(&mut owner, &grants).await.expect("grants");
    run(&mut owner, &recorded(11)).await.expect("a record");
    (database, owner)
}

#[tokio::test]
async fn a_replica_of_the_version_before_records_creates_between_migrations_and_grants() {
    let server = own_server().await;
    let (database, mut owner) = of_the_version_before(&server).await;
    run(&mut owner, &migration("0011")).await.expect("the migration");
    let mut serving = connect(&database.serving_url).await;
    let recorded = run(&mut serving, &recorded(12)).await;
    assert!(recorded.is_ok(), "{recorded:?}");
}

#[tokio::test]
async fn the_migration_and_a_change_that_is_being_committed_end_both() {
    let server = own_server().await;
    let (database, mut owner) = of_the_version_before(&server).await;
    let mut serving = connect(&database.serving_url).await;
    // As every commit of a step does: the lock first, the rest then.
    run(&mut serving, "begin; select id from connections for update")
        .await
        .expect("a lock");
    let text = format!("begin; {}; commit", migration("0011"));
    let migrating = tokio::spawn(async move { run(&mut owner, &text).await });
    sleep(Duration::from_millis(700)).await;
    let committed = run(
        &mut serving,
        "update connections set observed = 'present'; update operations set phase = 'accepted'; commit",
    )
    .await;
    let migrated = timeout(Duration::from_secs(20), migrating)
        .await
        .expect("an end")
        .expect("no panic");
    assert!(
        committed.is_ok() && migrated.is_ok(),
        "{committed:?} {migrated:?}"
    );
}

/// A create that got no answer and whose effect no read shows while its request may live: the record is closed as failed.
async fn closed_in_doubt(app: &App, wanted: &Value, effect: Effect) -> (Portal, Answer) {
    app.emulator
        .inject(Fault::arm("/dataConnections/", effect).method("PUT"));
    let portal = app.how_to_portal();
    let created = portal.create_waiting(wanted, 0).await;
    let operation = portal.follow(created.text("/lastOperation/id")).await;
    assert_eq!(operation.text("/status"), "failed", "{}", operation.body);
    let connection = portal.connection(created.text("/id")).await;
    assert_eq!(connection.text("/state"), "failed", "{}", connection.body);
    (portal, created)
}

fn unanswered() -> Effect {
    Effect::AnswerAfterEffect(azure_emulator::FaultAnswer {
        status: 503,
        ..azure_emulator::FaultAnswer::default()
    })
}

async fn appear(app: &App) {
    app.emulator.edit(|world| {
        world.set_read_lag(Duration::ZERO);
        world.finish_operations(|_| true);
    });
    app.visible("telemetry").await;
    app.as_owner("update connections set recheck_at = now() where recheck_at is not null")
        .await;
}

/// The removal was sent and carried out: what has the name later was made by somebody else.
#[tokio::test]
async fn a_repeat_of_a_removal_that_was_carried_out_deletes_nothing_more() {
    let app = App::hurried().await;
    app.operations_take(Duration::from_millis(2500));
    app.emulator
        .edit(|world| world.set_read_lag(Duration::from_millis(500)));
    let (portal, created) = closed_in_doubt(&app, &request("telemetry"), unanswered()).await;
    app.operations_take(Duration::from_millis(60));
    appear(&app).await;
    let id = created.text("/id");
    assert_eq!(portal.remove(id).await.text("/state"), "removed");
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    // Somebody makes one by hand that is the same.
    make(&app, &ours_but(|_| ()));
    let again = portal.remove(id).await;
    assert_eq!(
        app.calls("DELETE", "telemetry").len(),
        1,
        "{} {}",
        again.status,
        again.body
    );
    assert_eq!(again.text("/state"), "removed", "{}", again.body);
    app.finish().await;
}

/// Two creates of a name ended in doubt; the first is what was carried out.
#[tokio::test]
async fn every_former_record_of_a_name_is_looked_at_by_the_next_who_asks() {
    let app = App::hurried().await;
    app.operations_take(Duration::from_secs(8));
    app.emulator
        .edit(|world| world.set_read_lag(Duration::from_secs(8)));
    let (portal, first) = closed_in_doubt(&app, &request("telemetry"), unanswered()).await;
    let mut other = request("telemetry");
    other["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    closed_in_doubt(&app, &other, Effect::ResetBeforeEffect).await;
    appear(&app).await;
    let again = portal.create(&request("telemetry")).await;
    assert_eq!(
        portal.connection(first.text("/id")).await.text("/state"),
        "unsettled",
        "{} {}",
        again.status,
        again.body
    );
    app.finish().await;
}

/// An answer about another resource says nothing about this one.
#[tokio::test]
async fn an_answer_about_another_resource_is_no_answer() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.text("/id");
    let mut others = theirs();
    others["id"] = data_connection("another").into();
    others["name"] = "adx1/telemetry/another".into();
    app.emulator.inject(reads(Effect::json(200, others)).times(2));
    let answer = portal.remove(id).await;
    assert_eq!(
        (answer.status, answer.text("/state")),
        (200, "removed"),
        "{}",
        answer.body
    );
    app.finish().await;
}

/// The same for the next one.
#[tokio::test]
async fn the_migration_of_the_lists_and_a_change_that_is_being_committed_end_both() {
    let server = own_server().await;
    let (database, mut owner) = of_the_version_before(&server).await;
    run(&mut owner, &migration("0011")).await.expect("the migration");
    let mut serving = connect(&database.serving_url).await;
    run(
        &mut serving,
        "begin; select id from connections for update; update operations set phase = 'accepted'",
    )
    .await
    .expect("a lock");
    let text = format!("begin; {}; commit", migration("0012"));
    let migrating = tokio::spawn(async move { run(&mut owner, &text).await });
    sleep(Duration::from_millis(700)).await;
    let committed = run(
        &mut serving,
        "update connections set observed = 'present'; commit",
    )
    .await;
    let migrated = timeout(Duration::from_secs(20), migrating)
        .await
        .expect("an end")
        .expect("no panic");
    assert!(
        committed.is_ok() && migrated.is_ok(),
        "{committed:?} {migrated:?}"
    );
}

/// The outcome became unknown to a replica of the version before, which wrote nothing of that down.
#[tokio::test]
async fn a_create_that_was_in_doubt_before_this_version_is_looked_at_again() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator
        .inject(Fault::arm("/dataConnections/", Effect::ResetBeforeEffect).method("PUT"));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_until("select phase = 'settling' from operations").await;
    app.as_owner("update connections set recheck_step = null").await;
    portal.follow(created.text("/lastOperation/id")).await;
    let due: bool = app
        .scalar("select closed_at is not null and recheck_at is not null from connections")
        .await;
    assert!(due);
    app.finish().await;
}
