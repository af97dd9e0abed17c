//! Lists narrowed down to a database or an event hub, which ARM is asked about.

use azure_emulator::how_to;
use serde_json::{Value, json};

use crate::support::{Answer, App, connect, request};

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

#[tokio::test]
async fn a_connection_of_many_resources_and_tenants_is_listed_once_by_each() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    // As a kind of source would record them that reads from several resources, of two more tenants.
    app.as_owner(
        "insert into connection_resources (connection_id, role, resource_id, resource_id_written, tenant_id)
         select id, role, '/' || role, '/' || role, tenant
         from connections, (values ('storageAccount', '30000000-0000-7000-8000-000000000000'::uuid),
            ('identity', '40000000-0000-7000-8000-000000000000')) more (role, tenant)",
    )
    .await;
    // Each tenant, the database, each resource of the source with its subscription, if it is in one, and the person.
    let query = "select count(*) from connection_listings l
        where l.viewer in (select tenant_id from connection_resources)
            or l.viewer in (select list_key(array[resource_id]) from connection_resources)
            or l.viewer in (select list_key(array['/subscriptions/' || $1]))
            or l.viewer in (select person_id from connection_people)";
    let mut owner = connect(&app.database.owner_url).await;
    let listed: i64 = sqlx::query_scalar(query)
        .bind(how_to::SUBSCRIPTION2)
        .fetch_one(&mut owner)
        .await
        .expect("a number");
    assert_eq!(listed, 4 + 4 + 1 + 2);
    let all =
        "select count(*) from connection_listings where tags @> array[list_tag('source /storageAccount'),
        list_tag('source /identity'), list_tag('tenant 40000000-0000-7000-8000-000000000000')]";
    let tagged: i64 = sqlx::query_scalar(all)
        .fetch_one(&mut owner)
        .await
        .expect("a number");
    // Also that of operators, and of the namespace.
    assert_eq!(tagged, listed + 2);
    drop(owner);
    app.finish().await;
}
