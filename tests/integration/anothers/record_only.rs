//! Closing the record alone.

use azure_emulator::{Effect, Fault};
use http::Method;
use serde_json::json;

use super::{active, delete_by_hand, is_removed, make, ours_but, theirs};
use crate::support::{Answer, App, Portal};

async fn close(portal: &Portal, id: &str) -> Answer {
    let path = format!("/v1/connections/{id}?recordOnly=true");
    portal.send(portal.call(Method::DELETE, &path)).await
}

#[tokio::test]
async fn the_record_of_what_was_replaced_or_is_gone_is_closed_and_nothing_is_sent() {
    for replaced in [true, false] {
        let app = App::hurried().await;
        let (portal, created) = active(&app).await;
        delete_by_hand(&app);
        if replaced {
            make(&app, &theirs());
        }
        let before = app.at_arm("telemetry");
        is_removed(&close(&portal, created.connection()).await);
        // A repeat finds it closed.
        is_removed(&close(&portal, created.connection()).await);
        assert!(app.calls("DELETE", "telemetry").is_empty());
        assert_eq!(app.at_arm("telemetry"), before);
        let events = portal.event_kinds(created.connection()).await;
        assert_eq!(events.last().map(String::as_str), Some("remove.succeeded"));
        app.finish().await;
    }
}

#[tokio::test]
async fn the_record_of_what_is_still_there_is_not_closed_alone() {
    for changed in [false, true] {
        let app = App::hurried().await;
        let (portal, created) = active(&app).await;
        if changed {
            make(
                &app,
                &ours_but(|properties| properties["tableName"] = "Other".into()),
            );
        }
        close(&portal, created.connection())
            .await
            .is_problem(409, "stillPresent");
        let connection = portal.connection(created.connection()).await;
        assert_eq!(
            (connection.text("/state"), connection.text("/lastOperation/kind")),
            ("active", "create")
        );
        app.finish().await;
    }
}

#[tokio::test]
async fn the_record_is_not_closed_alone_where_nothing_can_be_told() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.connection();
    app.emulator.inject(
        Fault::arm("/dataConnections/telemetry?", Effect::status(503, &[]))
            .method("GET")
            .always(),
    );
    close(&portal, id).await.is_problem(503, "upstreamUnavailable");
    app.emulator.clear_faults();
    let gone = json!({ "error": { "code": "ResourceNotFound", "message": "The database is not found." } });
    let there = format!("{}?", azure_emulator::how_to::DATABASE);
    delete_by_hand(&app);
    app.emulator
        .inject(Fault::arm(&there, Effect::json(404, gone)).method("GET").always());
    close(&portal, id).await.is_problem(409, "parentMissing");
    app.emulator.clear_faults();
    assert_eq!(portal.connection(id).await.text("/state"), "active");
    // Anyone who may not delete may not close either.
    app.emulator
        .edit(|world| world.revoke_roles("acc1@domain1.com", azure_emulator::how_to::CLUSTER))
        .expect("roles");
    close(&portal, id).await.is_problem(403, "accessMissing");
    app.finish().await;
}
