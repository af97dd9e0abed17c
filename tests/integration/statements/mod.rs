//! What the service's statements cost: those of `.sqlx`, which are the ones that the macros compiled, explained by Postgres with
//! many rows that are none of the caller's business; and the lists, measured as the service reads them.

mod crowd;

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use tenant_bridge::db::connections::{ListScope, Listed, Selection, list};
use tenant_bridge::domain::{ListFilter, ListOrder, ListPosition};
use uuid::Uuid;

use crate::support::{App, connect, request};
use crowd::{Condition, Crowd, LISTED, Viewer, conditions, filter_of};

/// A statement that the service was compiled with.
struct Statement {
    text: String,
    parameters: usize,
}

/// All of them. Which folder they are in is known when the tests run: they may run from a copy.
#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells the folder of the sources, which is no configuration"
)]
fn statements() -> Vec<Statement> {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("the crate's folder");
    let files = std::fs::read_dir(format!("{folder}/.sqlx")).expect("the statements");
    let mut all: Vec<Statement> = files
        .map(|file| {
            let text = std::fs::read_to_string(file.expect("a file").path()).expect("its text");
            let described: Value = serde_json::from_str(&text).expect("JSON");
            let parameters = described["describe"]["parameters"]["Left"].as_array();
            Statement {
                text: described["query"].as_str().expect("a statement").to_owned(),
                parameters: parameters.expect("its parameters").len(),
            }
        })
        .collect();
    all.sort_by(|one, other| one.text.cmp(&other.text));
    all
}

/// Whether a plan is made anew for the values at hand, or once for all values, as Postgres may do from the sixth time on.
const PLANS: [&str; 2] = ["force_custom_plan", "force_generic_plan"];

/// What Postgres says of a statement with these values.
async fn explain(
    db: &mut PgConnection,
    (statement, values): (&Statement, &str),
    plan: &str,
    options: &str,
) -> Value {
    let setting = format!("deallocate all; set plan_cache_mode = {plan}");
    sqlx::raw_sql(AssertSqlSafe(setting))
        .execute(&mut *db)
        .await
        .expect("a setting");
    let prepare = format!("prepare explained as {}", statement.text);
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut *db)
        .await
        .expect("it is prepared");
    let values = if values.is_empty() {
        String::new()
    } else {
        format!("({values})")
    };
    let explain = format!("explain ({options}, format json) execute explained{values}");
    let row = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(db).await;
    let said: Value = row.expect("it is explained").get(0);
    said[0]["Plan"].clone()
}

/// The buffers of tables and indexes that were read in this database, wherever they were.
async fn buffers(db: &mut PgConnection, reader: &mut PgConnection) -> i64 {
    sqlx::raw_sql("select pg_stat_force_next_flush()")
        .execute(db)
        .await
        .expect("it is reported");
    let read = "select sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0)
            + coalesce(toast_blks_read + toast_blks_hit + tidx_blks_read + tidx_blks_hit, 0))::bigint
        from pg_statio_user_tables";
    sqlx::query_scalar(read)
        .fetch_one(reader)
        .await
        .expect("a number")
}

/// A page of a list as the service reads it.
async fn page(
    db: &mut PgConnection,
    (viewer, scope): (Viewer, Option<ListScope<'_>>),
    filter: &ListFilter,
    after: Option<ListPosition>,
) -> Listed {
    let selection = Selection {
        viewer: Some(viewer.person()),
        scope,
        filter,
        after,
        limit: PAGE,
    };
    list(db, &selection).await.expect("a page")
}

/// What a page holds unless it is requested otherwise.
const PAGE: u32 = 50;

fn ids(listed: &Listed) -> Vec<Uuid> {
    let connections = listed.connections.iter();
    connections.map(|found| found.record.id.uuid()).collect()
}

/// Each condition alone, each pair of them, many together, and none; in both orders.
fn filters(conditions: &[Condition]) -> Vec<(Vec<&Condition>, ListFilter)> {
    let mut sets: Vec<Vec<&Condition>> = vec![Vec::new()];
    for (index, one) in conditions.iter().enumerate() {
        sets.push(vec![one]);
        sets.extend(conditions.iter().skip(index + 1).map(|other| vec![one, other]));
    }
    let together = |names: &[&str]| {
        let all = conditions.iter();
        all.filter(|condition| names.contains(&condition.name)).collect()
    };
    for (cluster, database, source) in [
        ("cluster", "database", "hub"),
        ("cluster 2", "database 2", "namespace 2"),
    ] {
        let most = [
            "state active",
            "kind",
            "tenant",
            cluster,
            database,
            source,
            "name",
        ];
        sets.push(together(&most));
        sets.push(together(&[&most[..], &["mine", "finished too"]].concat()));
    }
    let both = sets.into_iter().flat_map(|set| {
        [ListOrder::Creation, ListOrder::Name].map(|order| (set.clone(), filter_of(&set, order)))
    });
    both.filter_map(|(set, filter)| Some((set, filter?))).collect()
}

/// Every page of every list holds what it should, and each connection once.
async fn lists_hold_what_a_plain_filter_leaves(
    db: &mut PgConnection,
    crowd: &Crowd,
    conditions: &[Condition],
) {
    let mut found_some = 0;
    for (set, filter) in filters(conditions) {
        for viewer in Viewer::ALL {
            let Some(scope) = viewer.scope(&filter) else {
                continue;
            };
            // By more than one condition, those who see least and most.
            if set.len() > 1 && !matches!(viewer, Viewer::Guest | Viewer::OwnerWithRole | Viewer::Allowed) {
                continue;
            }
            let expected = crowd.expected(viewer, &set, &filter);
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let listed = page(db, (viewer, scope), &filter, after).await;
                found.extend(ids(&listed));
                after = listed.next;
                if after.is_none() {
                    break;
                }
            }
            let names: Vec<&str> = set.iter().map(|condition| condition.name).collect();
            assert_eq!(found, expected, "{viewer:?}, {names:?}, {:?}", filter.order);
            found_some += usize::from(!found.is_empty());
        }
    }
    assert!(found_some > 500, "{found_some} lists hold something");
}

/// Who looks at a list of many, and what each page costs.
async fn costs(
    db: &mut PgConnection,
    reader: &mut PgConnection,
    conditions: &[Condition],
) -> Vec<(String, i64)> {
    let mut costs = Vec::new();
    let mut before = buffers(db, reader).await;
    for (set, filter) in filters(conditions) {
        for viewer in Viewer::ALL {
            let Some(scope) = viewer.scope(&filter) else {
                continue;
            };
            let sees_many = matches!(
                viewer,
                Viewer::Owner | Viewer::OwnerWithRole | Viewer::Role | Viewer::Allowed
            );
            if set.len() > 1 && !sees_many {
                continue;
            }
            for plan in PLANS {
                let setting = format!("set plan_cache_mode = {plan}");
                sqlx::raw_sql(AssertSqlSafe(setting))
                    .execute(&mut *db)
                    .await
                    .expect("a setting");
                page(db, (viewer, scope), &filter, None).await;
                let names: Vec<&str> = set.iter().map(|condition| condition.name).collect();
                let what = format!("{viewer:?}, {names:?}, {:?}, {plan}", filter.order);
                let after = buffers(db, reader).await;
                costs.push((what, after - before));
                before = after;
            }
        }
    }
    costs
}

#[tokio::test]
async fn a_page_of_a_list_costs_the_same_however_much_there_is_and_holds_what_its_filter_leaves() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let mut db = connect(&app.database.owner_url).await;
    let mut reader = connect(&app.database.owner_url).await;
    // What vacuums by itself reads too.
    for table in GROWING {
        let by_hand = format!("alter table {table} set (autovacuum_enabled = off)");
        sqlx::raw_sql(AssertSqlSafe(by_hand))
            .execute(&mut db)
            .await
            .expect("the owner may");
    }
    let mut crowd = Crowd::beside(&mut db).await;
    let conditions = conditions();
    crowd.grow_to(&mut db, LISTED).await;
    lists_hold_what_a_plain_filter_leaves(&mut db, &crowd, &conditions).await;
    // Nothing else reads tables meanwhile.
    let mut app = app;
    app.stop_service().await;

    let mut measured: Vec<Vec<(String, i64)>> = Vec::new();
    for size in [10_000, 100_000] {
        crowd.grow_to(&mut db, size).await;
        measured.push(costs(&mut db, &mut reader, &conditions).await);
    }
    let [few, many] = &measured[..] else {
        panic!("two measurements")
    };
    assert!(many.len() > 1000, "{} measurements", many.len());
    let most = many.iter().map(|(_, cost)| *cost).max();
    assert!(most > Some(400), "{most:?}: full pages are among them");
    let mut wrong = Vec::new();
    for ((_, few), (look, many)) in few.iter().zip(many) {
        // A tree of more rows may have another level or two.
        if *many > 500 || *many > few + few / 5 + 8 {
            wrong.push(format!(
                "{look}: {few} buffers, and {many} with ten times as much"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        many.len(),
        wrong.join("\n")
    );
    what_touches_a_resource_or_a_tenant_is_found_by_an_index(&mut db).await;
    no_statement_reads_a_whole_table(&mut db).await;
    drop((db, reader));
    app.start_service().await;
    app.finish().await;
}

/// However many connections there are that touch others.
async fn what_touches_a_resource_or_a_tenant_is_found_by_an_index(db: &mut PgConnection) {
    for (text, index) in [
        (
            "select connection_id from connection_resources where resource_id = $1 and connection_id < $2
             order by connection_id desc limit 50",
            "connection_resources_by_resource",
        ),
        (
            "select connection_id from connection_resources where tenant_id = $1 and connection_id < $2
             order by connection_id desc limit 50",
            "connection_resources_by_tenant",
        ),
        (
            "select role, resource_id, tenant_id from connection_resources where connection_id = $1",
            "connection_resources_pkey",
        ),
        (
            "select sequence from ledger_events where tenant_ids @> array[$1]::uuid[]",
            "ledger_events_before_by_tenant",
        ),
    ] {
        let parameters = text.matches('$').count();
        let statement = Statement {
            text: text.to_owned(),
            parameters,
        };
        let values = vec!["null"; parameters].join(", ");
        let plan = explain(db, (&statement, &values), "force_generic_plan", "costs off").await;
        assert!(plan.to_string().contains(index), "{text}: {plan}");
    }
}

/// What grows with every connection that was ever made.
const GROWING: [&str; 13] = [
    "connections",
    "connection_people",
    "connection_resources",
    "connection_list_entries",
    "connection_listings",
    "connection_viewers",
    "connection_revisions",
    "connection_notes",
    "operations",
    // The first partition of the ledger.
    "ledger_events_before",
    "feed",
    "idempotency_keys",
    "people",
];

/// However many rows there are: neither a list, nor what the worker looks for, nor what is counted or swept.
async fn no_statement_reads_a_whole_table(db: &mut PgConnection) {
    let all = statements();
    assert!(all.len() > 40, "{} statements", all.len());
    for statement in &all {
        let values = vec!["null"; statement.parameters].join(", ");
        let plan = explain(db, (statement, &values), "force_generic_plan", "costs off").await;
        let mut scanned = Vec::new();
        collect_scans(&plan, &mut scanned);
        assert!(
            !scanned.iter().any(|table| GROWING.contains(&table.as_str())),
            "{scanned:?} are read from end to end by {}",
            statement.text
        );
    }
}

/// The tables that a plan reads from end to end.
fn collect_scans(plan: &Value, into: &mut Vec<String>) {
    if plan["Node Type"] == "Seq Scan" {
        into.push(plan["Relation Name"].as_str().unwrap_or_default().to_owned());
    }
    for part in plan["Plans"].as_array().into_iter().flatten() {
        collect_scans(part, into);
    }
}

#[test]
fn no_statement_has_a_condition_that_a_parameter_switches_off() {
    for statement in statements() {
        let words: Vec<&str> = statement.text.split_whitespace().collect();
        let switch = words.windows(4).find(|words| {
            let [what, "is", "null", "or"] = words else {
                return false;
            };
            what.trim_start_matches('(').starts_with('$')
        });
        // Postgres plans it for all cases at once after a few executions.
        assert_eq!(switch, None, "{}", statement.text);
    }
}
