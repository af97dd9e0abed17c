//! Records that a newer version wrote while this one serves beside it.

use azure_emulator::how_to;
use serde_json::Value;

use crate::support::{Answer, App, hurried, request};

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

/// What a newer version wrote, how to read it again, and what the log says of it.
const NEWER: [(&str, &str, &str); 2] = [
    (
        "alter table connections drop constraint connections_source_kind_check;
         update connections set source_kind = 'laterKind'",
        "update connections set source_kind = 'eventHub'",
        "the kind of source 'laterKind'",
    ),
    (
        "alter table operations drop constraint operations_kind_check; update operations set kind = 'laterKind'",
        "update operations set kind = 'create'",
        "an operation cannot be read",
    ),
];

#[tokio::test]
async fn an_operation_that_this_version_cannot_read_is_released_for_a_newer_one() {
    for (write, restore, logged) in NEWER {
        let mut app = App::with(|config| {
            hurried(config);
            config.tenants.service_reads = [how_to::DOMAIN1.parse().expect("a GUID")].into();
        })
        .await;
        app.emulator
            .edit(|world| world.assign_role(how_to::TENANT_BRIDGE, "Reader", how_to::CLUSTER))
            .expect("a role");
        app.hold_operations();
        let created = app.how_to_portal().create_waiting(&request("telemetry"), 0).await;
        assert_eq!(created.status, 202, "{}", created.body);
        app.eventually_scalar("select phase from operations", |phase: String| {
            phase == "accepted"
        })
        .await;
        app.stop_service().await;
        app.as_owner(write).await;
        app.start_service().await;
        app.wait_for_log("operation", logged).await;
        // The replica lives on, and holds nothing; it tries again after a pause, not at once.
        app.eventually_scalar(
            "select attempts >= 2 and holder is null and lease_token is null and lease_until is not null from operations",
            |released: bool| released,
        )
        .await;
        app.as_owner(restore).await;
        let newer = app.replica().await;
        app.release_operations();
        app.eventually_scalar("select phase from operations", |phase: String| {
            phase == "succeeded"
        })
        .await;
        newer.stop().await;
        app.finish().await;
    }
}
