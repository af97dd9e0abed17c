//! What is unsettled is listed: to those whom it concerns, and to the operators of this service.

use std::collections::BTreeMap;
use std::time::Duration;

use azure_emulator::{Effect, Fault, how_to};
use serde_json::{Value, json};

use super::with_roles;
use crate::support::{App, Portal, connect, data_connection, request};

async fn unsettled(portal: &Portal) -> Vec<String> {
    let list = portal.get("/v1/connections?state=unsettled").await;
    assert_eq!(list.status, 200, "{}", list.body);
    let items = list.body["value"].as_array().expect("a list").clone();
    let state = |item: &Value| item["state"].as_str().unwrap_or_default().to_owned();
    assert!(
        items.iter().all(|item| state(item) == "unsettled"),
        "{}",
        list.body
    );
    let name = |item: &Value| item["name"].as_str().unwrap_or_default().to_owned();
    items.iter().map(name).collect()
}

fn wanted(name: &str, group: &str) -> Value {
    let mut wanted = request(name);
    wanted["source"]["eventHub"]["consumerGroup"] = group.into();
    wanted["justification"] = "for the forecast".into();
    wanted
}

/// A create whose PUT is lost, and whose name somebody else takes: unsettled for as long as theirs is there.
async fn lose(app: &App, portal: &Portal, name: &str, group: &str) -> String {
    let cut = Fault::arm(&format!("/dataConnections/{name}"), Effect::ResetBeforeEffect);
    app.emulator.inject(cut.method("PUT"));
    let created = portal.create_waiting(&wanted(name, group), 0).await;
    app.wait_for_calls("PUT", name, 1).await;
    let theirs = json!({ "properties": { "eventHubResourceId": how_to::HUB2, "consumerGroup": group } });
    app.emulator
        .edit(|world| world.add_data_connection(&data_connection(name), &theirs))
        .expect("it is made");
    let path = format!("/v1/connections/{}", created.text("/id"));
    let differs = |body: &Value| body["lastOperation"]["error"]["code"] == "drifted";
    portal.wait_for(&path, differs).await;
    path
}

async fn is_paged_and_narrowed_down(operator: &Portal) {
    let first = operator.get("/v1/connections?state=unsettled&limit=1").await;
    assert_eq!(first.text("/value/0/name"), "late");
    let second = operator.get(first.text("/nextLink")).await;
    assert_eq!(second.text("/value/0/name"), "lost");
    assert!(second.body.get("nextLink").is_none());
    // Narrowed down further.
    let elsewhere = format!("/v1/connections?state=unsettled&database={}", how_to::ARCHIVE);
    assert_eq!(operator.get(&elsewhere).await.body["value"], json!([]));
}

#[tokio::test]
async fn it_is_listed_to_those_it_concerns_and_to_operators_of_the_home_tenant_until_it_is_settled() {
    let app = App::hurried_with(|config| {
        // What is unsettled keeps the next of its cluster waiting no longer.
        config.worker.slot_timeout = Duration::from_millis(200);
        config.tenants.home = Some(how_to::DOMAIN1.parse().expect("a GUID"));
    })
    .await;
    let portal = app.how_to_portal();
    let standing = portal.create(&wanted("settled", "$Default")).await;
    assert_eq!(standing.status, 201, "{}", standing.body);
    let lost = [
        lose(&app, &portal, "lost", "cg1").await,
        lose(&app, &portal, "late", "cg2").await,
    ];
    let operator = with_roles(&app, "acc4@domain1.com", how_to::DOMAIN1, &["Operator"]);
    // The requester, the participant, who sees all of a tenant, and the operator.
    let participant = app
        .portal()
        .with_token(&app.token("acc2@domain2.com", how_to::DOMAIN2));
    let overseer = with_roles(
        &app,
        "acc8@domain2.com",
        how_to::DOMAIN2,
        &["Connections.Read.All"],
    );
    for portal in [&portal, &participant, &overseer, &operator] {
        assert_eq!(unsettled(portal).await, ["late", "lost"]);
    }
    let shown = operator.get(&lost[0]).await;
    assert_eq!((shown.status, shown.text("/state")), (200, "unsettled"));
    assert!(
        shown.body.get("justification").is_none(),
        "why it was wanted is told to few"
    );
    is_paged_and_narrowed_down(&operator).await;
    // To look after it, no more: what happened to it is told to those whose it is.
    let events = operator.get(&format!("{}/events", lost[0])).await;
    events.is_problem(404, "notFound");
    // What is settled is none of an operator's business, nor is anything of one in another tenant, who may be anybody.
    operator
        .connection(standing.text("/id"))
        .await
        .is_problem(404, "notFound");
    let settled = operator.get("/v1/connections").await;
    assert_eq!(settled.body["value"], json!([]));
    let elsewhere = with_roles(&app, "acc8@domain2.com", how_to::DOMAIN2, &["Operator"]);
    let stranger = app.signed_in("acc4@domain1.com");
    for portal in [&elsewhere, &stranger] {
        assert_eq!(unsettled(portal).await, [""; 0]);
        portal.get(&lost[0]).await.is_problem(404, "notFound");
    }
    let unknown = portal.get("/v1/connections?state=lost").await;
    unknown.is_problem(400, "invalidRequest");
    for (name, path) in ["lost", "late"].into_iter().zip(&lost) {
        app.emulator
            .edit(|world| world.remove_data_connection(&data_connection(name)))
            .expect("theirs");
        // It stays so until somebody whose it is wants it gone.
        let removed = portal.send(portal.call(http::Method::DELETE, path)).await;
        assert_eq!(removed.text("/state"), "removed", "{}", removed.body);
    }
    assert_eq!(unsettled(&operator).await, [""; 0]);
    app.finish().await;
}

/// Every record that the columns allow: alone, and with each operation that may be under way; held by a lease, so that nobody takes
/// it up.
const ALL_RECORDS: &str = "
    create temporary table made as
    select gen_random_uuid() as id, d as desired, o as observed, c as confirmed, p as phase, q as queued
    from unnest(array['present', 'absent']) d, unnest(array['present', 'absent', 'unknown']) o,
        unnest(array[true, false]) c, unnest(array['succeeded', 'dispatched', 'accepted', 'settling']) p,
        unnest(array[true, false]) q;
    insert into connections (id, arm_id, arm_id_written, name, target_tenant_id, source_tenant_id, database_id, table_name,
        mapping_name, data_format, source_kind, source_id, consumer_group, location, request_hash, created_by, created_at,
        desired, observed, observed_at, confirmed_at)
    select m.id, c.arm_id || m.id, c.arm_id_written, c.name, target_tenant_id, source_tenant_id, database_id, table_name,
        mapping_name, data_format, source_kind, source_id, consumer_group, location, request_hash, created_by, created_at,
        m.desired, m.observed, observed_at, case when m.confirmed then created_at end
    from made m, connections c;
    insert into operations (id, connection_id, kind, phase, person_id, app_id, correlation_id, body, body_hash, api_version,
        absence_seen_at, created_at, dispatched_at, deadline_at, due_at, lease_token, lease_until)
    select gen_random_uuid(), m.id, x.kind, x.phase, person_id, app_id, correlation_id, body, body_hash, api_version,
        absence_seen_at, o.created_at, dispatched_at, deadline_at, due_at, gen_random_uuid(), now() + interval '1 day'
    from made m
    cross join lateral (select 'create' as kind, m.phase
        union all select 'remove', 'queued' where m.queued) x
    cross join operations o;
    -- Those of an operation that has ended: no service records any so.
    select list_connection(id) from made";

const STATES: [&str; 7] = [
    "creating",
    "active",
    "removing",
    "removed",
    "failed",
    "unsettled",
    "missing",
];

#[tokio::test]
async fn the_list_of_a_state_holds_those_that_are_shown_in_it_and_no_others() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&wanted("telemetry", "$Default")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let mut owner = connect(&app.database.owner_url).await;
    sqlx::raw_sql(ALL_RECORDS)
        .execute(&mut owner)
        .await
        .expect("the owner may");
    let portal = with_roles(
        &app,
        "acc4@domain1.com",
        how_to::DOMAIN1,
        &["Connections.Read.All"],
    );
    let all = async |query: &str| {
        let answer = portal.get(&format!("/v1/connections?limit=200{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.body.get("nextLink").is_none());
        let shown = answer.body["value"].as_array().expect("a list").clone();
        let one = |item: &Value| (item["id"].to_string(), item["state"].to_string());
        shown.iter().map(one).collect::<BTreeMap<String, String>>()
    };
    let is_as_shown = async |what: &str| {
        let shown = all("&includeFinished=true").await;
        assert_eq!(shown.len(), 97);
        for state in STATES {
            let mut expected = shown.clone();
            expected.retain(|_, shown| *shown == format!("\"{state}\""));
            assert_eq!(all(&format!("&state={state}")).await, expected, "{state} {what}");
        }
        let mut open = shown;
        open.retain(|_, shown| !["\"removed\"", "\"failed\""].contains(&shown.as_str()));
        assert_eq!(all("").await, open, "{what}");
    };
    is_as_shown("at first").await;
    let listed = all("&state=unsettled").await;
    // Whatever may have been sent, and what no operation looks into any more.
    assert_eq!(listed.len(), 24 + 5);
    let counted = "select count(*) = 29 from unsettled_connections";
    assert!(app.scalar::<bool>(counted).await);
    // What changes moves from one list to the other.
    for change in [
        "update operations set phase = 'settling' where phase in ('dispatched', 'accepted')",
        "update connections set observed = 'unknown' where observed = 'absent'",
        "update operations set phase = 'failed'",
        "update connections set desired = 'present', confirmed_at = null",
        "update connections set observed = 'absent', closed_at = now() where observed = 'unknown'",
        "update connections set confirmed_at = now()",
    ] {
        sqlx::raw_sql(change)
            .execute(&mut owner)
            .await
            .expect("the owner may");
        is_as_shown(change).await;
    }
    assert_eq!(all("&state=unsettled").await.len(), 0);
    app.finish().await;
}
