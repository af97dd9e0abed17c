//! Records that a newer version wrote while this one serves beside it.

use serde_json::Value;

use crate::support::{Answer, App, request};

fn names(answer: &Answer) -> Vec<&str> {
    let items = answer.body["value"].as_array().expect("a list");
    items
        .iter()
        .map(|item| item["name"].as_str().expect("a name"))
        .collect()
}

#[tokio::test]
async fn a_record_of_an_unknown_kind_or_configuration_is_an_error_that_hides_no_other_record() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let mut ids = Vec::new();
    for (name, group) in [
        ("known", "$Default"),
        ("later-settings", "cg1"),
        ("later-kind", "cg2"),
    ] {
        let mut body = request(name);
        body["source"]["eventHub"]["consumerGroup"] = group.into();
        let created = portal.create(&body).await;
        assert_eq!(created.status, 201, "{}", created.body);
        ids.push(created.text("/id").to_owned());
    }
    app.as_owner(
        "alter table connections drop constraint connections_source_kind_check;
         update connections set source_kind = 'laterKind' where name = 'later-kind';
         update connection_revisions r set configuration = configuration || '{\"laterSetting\": true}'
         from connections c where c.id = r.connection_id and c.name = 'later-settings'",
    )
    .await;
    for (id, told) in [
        (&ids[1], "laterSetting"),
        (&ids[2], "the kind of source 'laterKind'"),
    ] {
        let answer = portal.connection(id).await;
        answer.is_problem(500, "internal");
        assert!(!answer.body.to_string().contains("later"), "{}", answer.body);
        app.wait_for_log(id, told).await;
    }
    assert_eq!(names(&portal.get("/v1/connections").await), ["known"]);
    // The pages are as long as if all could be read, so that none is missed.
    let mut page = portal.get("/v1/connections?limit=1").await;
    let mut pages = Vec::new();
    loop {
        pages.push(names(&page).concat());
        let Some(next) = page
            .body
            .get("nextLink")
            .and_then(Value::as_str)
            .map(str::to_owned)
        else {
            break;
        };
        page = portal.get(&next).await;
    }
    assert_eq!(pages, ["", "", "known"]);
    portal.connection(&ids[0]).await;
    let removed = portal.remove(&ids[0]).await;
    assert_eq!(removed.text("/state"), "removed", "{}", removed.body);
    app.finish().await;
}
