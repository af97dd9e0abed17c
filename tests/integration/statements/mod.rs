//! What the service's statements cost: those of `.sqlx`, which are the ones that the macros compiled, explained by Postgres with
//! many rows that are none of the caller's business.

mod crowd;

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use crate::support::{App, connect, request};
use crowd::Crowd;

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

/// What a statement cost: the pages it read, wherever they were. And how many rows it found.
async fn measure(db: &mut PgConnection, statement: (&Statement, &str), plan: &str) -> (u64, u64) {
    let said = explain(db, statement, plan, "analyze, buffers").await;
    let number = |key: &str| {
        said[key]
            .as_f64()
            .expect("a number")
            .to_string()
            .parse()
            .expect("a whole number")
    };
    (
        number("Shared Hit Blocks") + number("Shared Read Blocks"),
        number("Actual Rows"),
    )
}

#[tokio::test]
async fn a_page_of_a_list_costs_the_same_however_much_there_is_that_the_caller_may_not_see() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let mut db = connect(&app.database.owner_url).await;
    let mut crowd = Crowd::beside(&mut db).await;
    let list = statements()
        .into_iter()
        .find(|statement| statement.text.contains("from connection_list_entries"))
        .expect("the statement of lists");

    let mut measured = Vec::new();
    for size in [10_000, 100_000] {
        crowd.grow_to(&mut db, size).await;
        let mut costs = Vec::new();
        for look in crowd.looks() {
            for plan in PLANS {
                let what = format!("{}, {plan}, of {size}", look.name);
                let (pages, rows) = measure(&mut db, (&list, &look.values), plan).await;
                assert_eq!(rows, look.rows, "{what}");
                costs.push((what, pages));
            }
        }
        measured.push(costs);
    }
    let [few, many] = &measured[..] else {
        panic!("two measurements")
    };
    assert!(many.len() > 100, "{} measurements", many.len());
    for ((_, few), (looks, many)) in few.iter().zip(many) {
        assert!(*many <= 500, "{looks}: {many} pages");
        // A tree of more rows may have another level or two.
        assert!(
            *many <= few + few / 5 + 8,
            "{looks}: {few} pages, and {many} with ten times as much"
        );
    }
    what_touches_a_resource_or_a_tenant_is_found_by_an_index(&mut db).await;
    no_statement_reads_a_whole_table(&mut db).await;
    drop(db);
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
const GROWING: [&str; 12] = [
    "connections",
    "connection_people",
    "connection_resources",
    "connection_list_entries",
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
