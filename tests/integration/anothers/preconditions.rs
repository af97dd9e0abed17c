//! `If-Match` on removals.

use azure_emulator::Effect;
use http::Method;
use serde_json::json;

use super::{active, is_removed, make, ours_but, reads, remove_matching, tag, theirs};
use crate::support::App;

#[tokio::test]
async fn a_removal_is_done_only_if_the_connection_is_still_of_the_version_that_was_named() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.connection();
    let current = tag(&created);
    for stale in ["\"7-00000000\"", "\"none\"", "\"\"", &format!("W/{current}")] {
        remove_matching(&portal, id, stale)
            .await
            .is_problem(412, "preconditionFailed");
    }
    // Anyone who sends it empty has lost the tag, not the wish for a condition.
    for no_tag in ["7-00000000", ""] {
        let odd = remove_matching(&portal, id, no_tag).await;
        odd.is_problem(400, "invalidRequest");
        assert_eq!(odd.text("/errors/0/pointer"), "If-Match");
    }
    assert_eq!(portal.connection(id).await.text("/state"), "active");
    assert_eq!(app.writes().len(), 1);
    // The second half is how it stood, which a change is not tied to.
    let (version, _) = current.split_once('-').expect("two halves");
    is_removed(&remove_matching(&portal, id, &format!("\"none\", {version}-00000000\"")).await);
    // What is removed is of that version still; a repeat does no harm.
    is_removed(&remove_matching(&portal, id, &current).await);
    remove_matching(&portal, id, "\"7-00000000\"")
        .await
        .is_problem(412, "preconditionFailed");
    app.finish().await;
}

#[tokio::test]
async fn a_repeat_with_the_same_key_is_answered_like_the_first_whatever_the_version_is_by_then() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let path = format!("/v1/connections/{}", created.connection());
    let ask = || {
        let call = portal.call(Method::DELETE, &path);
        portal.send(
            call.header("if-match", tag(&created))
                .header("idempotency-key", "one"),
        )
    };
    is_removed(&ask().await);
    app.as_owner("update connections set version = version + 1").await;
    is_removed(&ask().await);
    app.finish().await;
}

/// The first caller named what to delete and left no usable token; the second provides tokens and names nothing.
#[tokio::test]
async fn a_removal_without_if_match_deletes_nothing_that_another_caller_named() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.connection();
    make(&app, &theirs());
    let refused = portal.remove(id).await;
    refused.is_problem(409, "drifted");
    let denied = json!({ "error": { "code": "AuthorizationFailed", "message": "no" } });
    app.emulator.inject(reads(Effect::json(403, denied)).always());
    let call = portal
        .call(Method::DELETE, &format!("/v1/connections/{id}"))
        .header("prefer", "wait=0")
        .header("if-match", tag(&refused));
    let asked = portal.send(call).await;
    let path = format!("/v1/operations/{}", asked.text("/lastOperation/id"));
    portal
        .wait_for(&path, |body| body["status"] == "awaitingCaller")
        .await;
    app.emulator.clear_faults();
    let other = app.signed_in("acc3@domain1.com");
    let bare = other.remove(id).await;
    assert!(
        app.calls("DELETE", "telemetry").is_empty(),
        "{} {}",
        bare.status,
        bare.body
    );
}

/// The tag names another's data connection; meanwhile the connection's own was restored.
#[tokio::test]
async fn a_tag_of_what_was_found_deletes_nothing_else() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.connection();
    make(&app, &theirs());
    let refused = portal.remove(id).await;
    refused.is_problem(409, "drifted");
    make(&app, &ours_but(|_| ()));
    let answer = remove_matching(&portal, id, &tag(&refused)).await;
    assert!(
        app.calls("DELETE", "telemetry").is_empty(),
        "{} {}",
        answer.status,
        answer.body
    );
    app.finish().await;
}
