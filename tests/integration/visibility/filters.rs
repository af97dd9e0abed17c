//! Lists by filters and in an order, and who finds by them what others made.

use std::time::Duration;

use azure_emulator::how_to;
use serde_json::json;

use super::{role, with_roles};
use crate::support::{Answer, App, Portal, request};

async fn names(portal: &Portal, query: &str) -> Vec<String> {
    let answer = portal.get(&format!("/v1/connections?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    names_of(&answer)
}

fn names_of(answer: &Answer) -> Vec<String> {
    let items = answer.body["value"].as_array().expect("a list");
    let name = |item: &serde_json::Value| item["name"].as_str().expect("a name").to_owned();
    items.iter().map(name).collect()
}

/// `alpha`, `Beta` and `alpha-2`, in this order, the last of another hub and database; and `gone`, which was removed.
async fn four(app: &App) {
    let portal = app.how_to_portal();
    for (name, hub, group, database) in [
        ("alpha", how_to::HUB1, "$Default", how_to::DATABASE),
        ("Beta", how_to::HUB1, "cg1", how_to::DATABASE),
        ("gone", how_to::HUB1, "cg2", how_to::DATABASE),
        ("alpha-2", how_to::HUB2, "cg1", how_to::ARCHIVE),
    ] {
        let mut body = request(name);
        body["source"]["eventHub"] = json!({ "resourceId": hub, "consumerGroup": group });
        body["target"]["database"] = database.into();
        let created = portal.create(&body).await;
        assert_eq!(created.status, 201, "{}", created.body);
        if name == "gone" {
            let removed = portal.without_auxiliary().remove(created.text("/id")).await;
            assert_eq!(removed.text("/state"), "removed", "{}", removed.body);
        }
    }
}

#[tokio::test]
async fn each_filter_leaves_what_it_says_and_two_leave_what_both_do() {
    let app = App::start().await;
    four(&app).await;
    let portal = app.how_to_portal();
    let subscription = format!("/subscriptions/{}", how_to::SUBSCRIPTION2);
    let cluster = how_to::CLUSTER
        .to_uppercase()
        .replace("/SUBSCRIPTIONS", "/subscriptions");
    let all: &[&str] = &["alpha-2", "Beta", "alpha"];
    for (query, found) in [
        ("", all),
        ("includeFinished=false", all),
        ("includeFinished=true", &["alpha-2", "gone", "Beta", "alpha"]),
        ("state=removed", &["gone"]),
        ("state=active", all),
        ("state=missing", &[]),
        ("kind=eventHub", all),
        (&format!("tenant={}", how_to::DOMAIN2), all),
        (&format!("tenant={}", how_to::DOMAIN3), &[]),
        (&format!("cluster={cluster}"), all),
        (&format!("cluster={}9", how_to::CLUSTER), &[]),
        (&format!("database={}", how_to::ARCHIVE), &["alpha-2"]),
        (&format!("source={}", how_to::HUB1), &["Beta", "alpha"]),
        (&format!("source={}", how_to::NAMESPACE), all),
        (&format!("source={subscription}"), all),
        ("name=ALPHA", &["alpha-2", "alpha"]),
        ("name=alpha-", &["alpha-2"]),
        ("actor=me", all),
        ("orderBy=creation", all),
        ("orderBy=name", &["alpha", "alpha-2", "Beta"]),
        ("orderBy=name&name=a", &["alpha", "alpha-2"]),
        (
            "orderBy=name&includeFinished=true",
            &["alpha", "alpha-2", "Beta", "gone"],
        ),
        ("name=g&state=removed&actor=me", &["gone"]),
        (&format!("name=alpha&source={}", how_to::HUB2), &["alpha-2"]),
        (
            &format!("database={}&source={}", how_to::ARCHIVE, how_to::HUB1),
            &[],
        ),
    ] {
        assert_eq!(names(&portal, query).await, found, "{query}");
    }
    // The participant sees them and is the actor of none.
    let participant = app
        .portal()
        .with_token(&app.token("acc2@domain2.com", how_to::DOMAIN2));
    assert_eq!(names(&participant, "").await, all);
    assert_eq!(names(&participant, "actor=me").await, [""; 0]);
    app.finish().await;
}

#[tokio::test]
async fn the_next_page_has_the_same_filters_and_order() {
    let app = App::start().await;
    four(&app).await;
    let portal = app.how_to_portal();
    for (query, expected) in [
        (
            "orderBy=name&includeFinished=true",
            vec!["alpha", "alpha-2", "Beta", "gone"],
        ),
        (
            "name=alpha&state=active&kind=eventHub&actor=me",
            vec!["alpha-2", "alpha"],
        ),
        (
            &format!(
                "tenant={}&cluster={}&source={}",
                how_to::DOMAIN1,
                how_to::CLUSTER,
                how_to::NAMESPACE
            ),
            vec!["alpha-2", "Beta", "alpha"],
        ),
    ] {
        let mut page = portal.get(&format!("/v1/connections?{query}&limit=1")).await;
        let token = page
            .text("/nextLink")
            .rsplit_once('=')
            .expect("a token")
            .1
            .to_owned();
        let other = portal
            .get(&format!("/v1/connections?state=failed&pageToken={token}"))
            .await;
        other.is_problem(400, "invalidRequest");
        let mut found = names_of(&page);
        while let Some(next) = page.body["nextLink"].as_str().map(str::to_owned) {
            page = portal.get(&next).await;
            assert!(
                page.body["value"]
                    .as_array()
                    .is_some_and(|value| value.len() <= 1)
            );
            found.extend(names_of(&page));
        }
        assert_eq!(found, expected, "{query}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_wrong_value_of_a_filter_is_refused_with_its_name_and_what_is_right() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    for (query, pointer, right) in [
        ("state=lost", "state", "unsettled"),
        ("kind=eventGrid", "kind", "eventHub"),
        ("tenant=domain2.com", "tenant", "GUID"),
        (
            &format!("cluster={}", how_to::DATABASE),
            "cluster",
            "Microsoft.Kusto/clusters",
        ),
        (
            &format!("source={}", how_to::CLUSTER),
            "source",
            "Microsoft.EventHub/namespaces",
        ),
        ("source=/subscriptions/1", "source", "GUID"),
        ("name=a%25", "name", "1 to 40 letters"),
        ("actor=you", "actor", "me"),
        ("includeFinished=maybe", "includeFinished", "true"),
        ("orderBy=age", "orderBy", "creation"),
    ] {
        let answer = portal.get(&format!("/v1/connections?{query}")).await;
        answer.is_problem(400, "invalidRequest");
        assert_eq!(answer.text("/errors/0/pointer"), pointer, "{}", answer.body);
        assert!(answer.text("/errors/0/detail").contains(right), "{}", answer.body);
    }
    app.finish().await;
}

#[tokio::test]
async fn who_may_read_all_sources_of_a_scope_at_azure_sees_who_reads_them() {
    let app = App::with(|config| {
        config.visibility.denied_for = Duration::from_millis(1);
    })
    .await;
    four(&app).await;
    let in_namespace = format!("source={}", how_to::NAMESPACE);
    let in_subscription = format!("source=/subscriptions/{}", how_to::SUBSCRIPTION2);
    let all = ["alpha-2", "Beta", "alpha"];
    let owner = app
        .portal()
        .with_token(&app.token("acc8@domain2.com", how_to::DOMAIN2));
    for query in [&in_namespace, &in_subscription] {
        assert_eq!(names(&owner, query).await, [""; 0]);
    }
    // Of the namespace, not of the subscription.
    role(&app, "acc8@domain2.com", "Reader", how_to::NAMESPACE);
    assert_eq!(names(&owner, &in_namespace).await, all);
    assert_eq!(names(&owner, &format!("{in_namespace}&name=b")).await, ["Beta"]);
    assert_eq!(names(&owner, &in_subscription).await, [""; 0]);
    // To read the data is no right to read the hub.
    assert_eq!(
        names(&app.signed_in("acc5@domain1.com"), &in_namespace).await,
        [""; 0]
    );
    let scope = format!("/subscriptions/{}", how_to::SUBSCRIPTION2);
    role(&app, "acc8@domain2.com", "Reader", &scope);
    assert_eq!(names(&owner, &in_subscription).await, all);
    // What others made stays theirs, and an account has nothing of other filters.
    assert_eq!(
        names(&owner, &format!("{in_subscription}&actor=me")).await,
        [""; 0]
    );
    assert_eq!(
        names(&owner, &format!("cluster={}", how_to::CLUSTER)).await,
        [""; 0]
    );
    // Who sees all of a tenant narrows that down.
    let overseer = with_roles(
        &app,
        "acc4@domain1.com",
        how_to::DOMAIN1,
        &["Connections.Read.All"],
    );
    assert_eq!(
        names(&overseer, "orderBy=name&name=alpha").await,
        ["alpha", "alpha-2"]
    );
    assert_eq!(
        names(&overseer, &format!("cluster={}&state=removed", how_to::CLUSTER)).await,
        ["gone"]
    );
    app.finish().await;
}
