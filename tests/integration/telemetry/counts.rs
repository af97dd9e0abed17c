//! What is counted every few seconds for the metrics reads what is open, and nothing of all that has ended.

use std::path::Path;

use serde_json::Value;

use crate::support::{App, connect};

/// The queries of the sources with these words, as they were compiled.
fn queries(words: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let files = std::fs::read_dir(folder).expect("the queries");
    let queries = files.map(|file| {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("a text");
        let described: Value = serde_json::from_str(&text).expect("a description");
        described["query"].as_str().expect("a query").to_owned()
    });
    queries.filter(|query| query.contains(words)).collect()
}

/// Connections and operations that have ended, as a service that has run for long has them.
const MANY_ENDED: &str = "
    insert into connections select (jsonb_populate_record(c, jsonb_build_object(
        'id', gen_random_uuid(), 'arm_id', c.arm_id || n, 'closed_at', now(), 'observed', 'absent', 'desired', 'absent'))).*
    from connections c, generate_series(1, 4000) n;
    insert into operations select (jsonb_populate_record(o, jsonb_build_object(
        'id', gen_random_uuid(), 'connection_id', c.id, 'phase', 'succeeded', 'lease_token', null, 'lease_until', null))).*
    from operations o, connections c where c.closed_at is not null;
    analyze connections; analyze operations";

#[tokio::test]
async fn what_is_counted_for_the_metrics_reads_what_is_open_alone() {
    let app = App::hurried().await;
    let created = app
        .how_to_portal()
        .create(&crate::support::request("telemetry"))
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    app.as_owner(MANY_ENDED).await;
    let mut owner = connect(&app.database.owner_url).await;
    let counted = [
        queries("oldest_awaiting"),
        queries("from unsettled_connections u"),
    ]
    .concat();
    assert_eq!(counted.len(), 2, "{counted:?}");
    for query in counted {
        let explained = sqlx::AssertSqlSafe(format!("explain {query}"));
        let plan: Vec<String> = sqlx::query_scalar(explained)
            .fetch_all(&mut owner)
            .await
            .expect("a plan");
        let plan = plan.join("\n");
        assert!(!plan.contains("Seq Scan"), "{plan}");
    }
    app.finish().await;
}
