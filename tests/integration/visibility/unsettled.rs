//! What is unsettled is listed: to those whom it concerns, and to the operators of this service.

use std::time::Duration;

use azure_emulator::{Effect, Fault, how_to};
use serde_json::{Value, json};

use super::with_roles;
use crate::support::{App, Portal, data_connection, hurried, request};

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

#[tokio::test]
async fn it_is_listed_to_those_it_concerns_and_to_operators_of_the_home_tenant_until_it_is_settled() {
    let app = App::with(|config| {
        hurried(config);
        // What is unsettled keeps the next of its cluster waiting no longer.
        config.worker.turn = Duration::from_millis(200);
        config.tenants.home = Some(how_to::DOMAIN1.parse().expect("a GUID"));
    })
    .await;
    app.operations_take(Duration::from_millis(60));
    let portal = app.how_to_portal();
    assert_eq!(portal.create(&wanted("settled", "$Default")).await.status, 201);
    let mut lost = Vec::new();
    for (name, group) in [("lost", "cg1"), ("late", "cg2")] {
        let cut = Fault::arm(&format!("/dataConnections/{name}"), Effect::ResetBeforeEffect);
        app.emulator.inject(cut.method("PUT"));
        let created = portal.create_waiting(&wanted(name, group), 0).await;
        let path = format!("/v1/connections/{}", created.text("/id"));
        app.wait_for_calls("PUT", name, 1).await;
        // What somebody else makes there keeps it unsettled for as long as it is there.
        let theirs = json!({ "properties": { "eventHubResourceId": how_to::HUB2, "consumerGroup": group } });
        app.emulator
            .edit(|world| world.add_data_connection(&data_connection(name), &theirs))
            .expect("it is made");
        let differs = |body: &Value| body["lastOperation"]["error"]["code"] == "differs";
        portal.wait_for(&path, differs).await;
        lost.push(path);
    }
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
    // Page by page.
    let first = operator.get("/v1/connections?state=unsettled&limit=1").await;
    assert_eq!(first.text("/value/0/name"), "late");
    let second = operator.get(first.text("/nextLink")).await;
    assert_eq!(second.text("/value/0/name"), "lost");
    assert!(second.body.get("nextLink").is_none());
    // Narrowed down further.
    let elsewhere = format!("/v1/connections?state=unsettled&database={}", how_to::ARCHIVE);
    assert_eq!(operator.get(&elsewhere).await.body["value"], json!([]));

    // What is settled is none of an operator's business, nor is anything of one in another tenant, who may be anybody.
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
        portal.wait_for(path, |body| body["state"] == "failed").await;
    }
    assert_eq!(unsettled(&operator).await, [""; 0]);
    app.finish().await;
}
