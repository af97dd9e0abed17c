//! Lists in pages, reads that lag, and names that are asked for.

use std::time::Duration;

use azure_emulator::Options;
use azure_emulator::how_to::{DATABASE, LOCAL_HUB};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Cloud, connection, event_hub_body, start, start_with};

fn listed(list: &Value) -> Vec<&str> {
    let items = list["value"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect()
}

fn add(cloud: &Cloud, name: &str) {
    let body = event_hub_body(LOCAL_HUB, name);
    let id = format!("{DATABASE}/dataConnections/{name}");
    cloud
        .emulator
        .edit(|world| world.add_data_connection(&id, &body))
        .unwrap();
}

#[tokio::test]
async fn a_list_goes_on_at_its_next_link() {
    let cloud = start_with(Options {
        list_page_size: Some(2),
        ..Options::default()
    })
    .await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    for name in ["c3", "c1", "C2", "c5", "c4"] {
        add(&cloud, name);
    }
    let origin = cloud.emulator.arm_url().as_str().trim_end_matches('/').to_owned();
    let mut next = format!("{origin}{DATABASE}/dataConnections?api-version=2024-04-13");
    let mut pages = Vec::new();
    while !next.is_empty() {
        let page = cloud.get(&token, next.strip_prefix(&origin).unwrap()).await;
        pages.push(listed(&page.body).join(" "));
        next = page.body["nextLink"].as_str().unwrap_or_default().to_owned();
        // What is removed meanwhile does not disturb the rest.
        let _ = cloud
            .emulator
            .edit(|world| world.remove_data_connection(&format!("{DATABASE}/dataConnections/c2")));
    }
    assert_eq!(pages, ["c1 C2", "c3 c4", "c5"]);
    let wrong = cloud
        .get(
            &token,
            &format!("{DATABASE}/dataConnections?api-version=2024-04-13&$skiptoken=%25"),
        )
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    cloud.emulator.edit(|world| world.set_list_page_size(None));
    let all = cloud
        .get(
            &token,
            &format!("{DATABASE}/dataConnections?api-version=2024-04-13"),
        )
        .await;
    assert_eq!((listed(&all.body).len(), all.body.get("nextLink")), (4, None));
}

#[tokio::test]
async fn reads_may_lag_behind_a_create_an_update_and_a_removal() {
    let cloud = start_with(Options {
        read_lag: Duration::from_secs(20),
        ..Options::default()
    })
    .await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let list = format!("{DATABASE}/dataConnections?api-version=2024-04-13");
    let show = async || {
        let one = cloud.get(&token, &connection("c1")).await;
        let all = cloud.get(&token, &list).await;
        assert_eq!(listed(&all.body).len(), usize::from(one.status == StatusCode::OK));
        one.body["properties"]["consumerGroup"]
            .as_str()
            .map(str::to_owned)
    };
    let finish = || cloud.emulator.edit(|world| world.finish_operations(|_| true));
    let wait = || cloud.emulator.clock().advance(Duration::from_secs(21));
    let some = |group: &str| Some(group.to_owned());

    let put = cloud
        .put(&token, &[], &connection("c1"), &event_hub_body(LOCAL_HUB, "cg1"))
        .await;
    assert_eq!((put.status, show().await), (StatusCode::CREATED, None));
    finish();
    let poll = cloud.poll(&token, put.header("azure-asyncoperation")).await;
    assert_eq!(
        (&poll.body["status"], show().await),
        (&json!("Succeeded"), None),
        "done, but not to be seen"
    );
    let again = cloud
        .put(&token, &[], &connection("c1"), &event_hub_body(LOCAL_HUB, "cg1"))
        .await;
    assert_eq!(again.status, StatusCode::OK, "writes see it");
    finish();
    wait();
    assert_eq!(show().await, some("cg1"));

    cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &event_hub_body(LOCAL_HUB, "$Default"),
        )
        .await;
    finish();
    assert_eq!(show().await, some("cg1"));
    wait();
    assert_eq!(show().await, some("$Default"));

    cloud.delete(&token, &connection("c1")).await;
    finish();
    assert_eq!(show().await, some("$Default"));
    wait();
    assert_eq!(show().await, None);
}

#[tokio::test]
async fn names_are_free_taken_or_none() {
    let cloud = start().await;
    add(&cloud, "taken");
    let token = format!(
        "Bearer {}",
        cloud.arm_token("acc1@domain1.com", "domain1.com").await
    );
    let path = format!("{DATABASE}/checkNameAvailability?api-version=2024-04-13");
    let ask = async |name: &str, kind: &str| {
        let body = json!({ "name": name, "type": kind });
        cloud
            .arm(Method::POST, &path, &[("authorization", &token)], Some(&body))
            .await
    };
    let kind = "Microsoft.Kusto/Clusters/Databases/dataConnections";
    for (name, available, reason) in [
        ("free", true, Value::Null),
        ("TAKEN", false, json!("AlreadyExists")),
        ("a/b", false, json!("Invalid")),
        ("", false, json!("Invalid")),
    ] {
        let reply = ask(name, kind).await;
        assert_eq!(
            (reply.status, &reply.body["nameAvailable"], &reply.body["reason"]),
            (StatusCode::OK, &json!(available), &reason),
            "{name}"
        );
        assert_eq!(reply.body["message"].as_str().unwrap().is_empty(), available);
    }
    assert_eq!(
        ask("free", "Microsoft.Kusto/clusters").await.status,
        StatusCode::BAD_REQUEST
    );
}
