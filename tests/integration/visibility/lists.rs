//! Lists narrowed down to a database or an event hub, which ARM is asked about.

use azure_emulator::how_to;
use serde_json::{Value, json};

use crate::support::{Answer, App, request};

#[tokio::test]
async fn a_narrowed_list_is_read_in_pages_and_its_tokens_are_good_for_it_alone() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    for (name, group) in [("a", "$Default"), ("b", "cg1"), ("c", "cg2")] {
        let mut body = request(name);
        body["source"]["eventHub"]["consumerGroup"] = group.into();
        assert_eq!(portal.create(&body).await.status, 201);
    }
    let mut other = request("d");
    other["source"]["eventHub"]["resourceId"] = how_to::HUB2.into();
    other["target"]["database"] = how_to::ARCHIVE.into();
    assert_eq!(portal.create(&other).await.status, 201);

    let names = |answer: &Answer| -> Vec<String> {
        let items = answer.body["value"].as_array().expect("a list").clone();
        let name = |item: &Value| item["name"].as_str().expect("a name").to_owned();
        items.iter().map(name).collect()
    };
    // Resource ids are compared as Azure does.
    let database = how_to::DATABASE
        .to_uppercase()
        .replace("/SUBSCRIPTIONS", "/subscriptions");
    let reader = app.signed_in("acc6@domain1.com");
    for portal in [&portal, &reader] {
        let first = portal
            .get(&format!("/v1/connections?database={database}&limit=2"))
            .await;
        assert_eq!(names(&first), ["c", "b"], "{}", first.body);
        let second = portal.get(first.text("/nextLink")).await;
        assert_eq!(
            (names(&second), second.body.get("nextLink")),
            (vec!["a".to_owned()], None)
        );
        let both = format!("/v1/connections?database={database}&source={}", how_to::HUB1);
        assert_eq!(names(&portal.get(&both).await), ["c", "b", "a"]);
        let neither = format!("/v1/connections?database={database}&source={}", how_to::HUB2);
        assert_eq!(names(&portal.get(&neither).await), [""; 0]);
        let source = format!("/v1/connections?source={}", how_to::HUB2);
        assert_eq!(names(&portal.get(&source).await), ["d"]);

        let token = first.text("/nextLink").rsplit_once('=').expect("a token").1;
        for other in ["", &format!("database={}&", how_to::ARCHIVE)] {
            let answer = portal
                .get(&format!("/v1/connections?{other}pageToken={token}"))
                .await;
            answer.is_problem(400, "invalidRequest");
            assert_eq!(answer.text("/errors/0/pointer"), "pageToken");
        }
    }
    for (query, pointer) in [
        ("database=nothing", "database"),
        (&format!("database={}", how_to::HUB1), "database"),
        (&format!("source={}", how_to::DATABASE), "source"),
    ] {
        let answer = portal.get(&format!("/v1/connections?{query}")).await;
        answer.is_problem(400, "invalidRequest");
        assert_eq!(answer.text("/errors/0/pointer"), pointer);
    }
    // A database in a subscription that Azure doesn't know holds nothing.
    let unknown = how_to::DATABASE.replace(how_to::SUBSCRIPTION1, "59999999-0000-4000-8000-000000000009");
    let answer = portal.get(&format!("/v1/connections?database={unknown}")).await;
    assert_eq!(answer.body, json!({ "value": [] }));
    app.finish().await;
}
