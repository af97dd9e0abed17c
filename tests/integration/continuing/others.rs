//! Others than the requester: who may do it themselves goes on in their own name, and says with what.

use azure_emulator::how_to;
use serde_json::json;
use tenant_bridge::failpoints::{Action, arm};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::{Waiting, naming};
use crate::support::continue_operation;

#[tokio::test]
async fn another_who_may_goes_on_by_the_requests_hash_and_is_its_actor_from_then_on() {
    let waiting = Waiting::removal().await;
    let other = waiting.app.signed_in("acc5@domain1.com");
    let unnamed = waiting.continue_operation(&other, None).await;
    unnamed.is_problem(403, "requestHashMissing");
    assert_eq!(unnamed.text("/errors/0/pointer"), "/requestHash");
    let wrong = waiting.continue_operation(&other, naming(&"0".repeat(64))).await;
    wrong.is_problem(409, "requestHashDiffers");
    assert_eq!(waiting.sent_since(), 0);

    // They see it, and with it the hash.
    let path = format!("/v1/connections/{}", waiting.connection);
    let shown = other.get(&path).await;
    let theirs = async || other.get("/v1/connections?includeFinished=true").await.body["value"].clone();
    assert_eq!(theirs().await, json!([]), "they had no part in it");
    let hash = shown.text("/lastOperation/requestHash");
    let ended = waiting.continue_operation(&other, naming(hash)).await;
    assert_eq!(
        (ended.status, ended.text("/status")),
        (200, "succeeded"),
        "{}",
        ended.body
    );
    let deletes = waiting.app.calls("DELETE", "telemetry");
    let last = deletes.last().and_then(|call| call.primary.as_ref());
    let upn = last.and_then(|token| token.upn.as_deref());
    assert_eq!((waiting.sent_since(), upn), (1, Some("acc5@domain1.com")));

    assert_eq!(theirs().await[0]["id"], shown.body["id"]);
    let asked = &waiting.events("create.intended").await[0]["actorId"];
    let continued = &waiting.events("operation.continued").await[0];
    assert_eq!(&continued["details"]["actorBefore"], asked);
    assert_ne!(&continued["actorId"], asked);
    for kind in ["remove.repeated", "remove.accepted", "remove.succeeded"] {
        let events = waiting.events(kind).await;
        let last = events.last().expect(kind);
        assert_eq!(last["actorId"], continued["actorId"], "{kind}");
    }
    assert_eq!(waiting.events("continue.refused").await.len(), 2);
    waiting.app.finish().await;
}

#[tokio::test]
async fn strangers_learn_nothing_and_who_may_not_do_it_themselves_does_not_go_on() {
    let waiting = Waiting::removal().await;
    let app = &waiting.app;
    let hash = waiting.hash().await;
    let stranger = app.signed_in("acc4@domain1.com");
    let nothing = waiting.continue_operation(&stranger, naming(&hash)).await;
    nothing.is_problem(404, "notFound");
    let reader = waiting
        .continue_operation(&app.signed_in("acc6@domain1.com"), naming(&hash))
        .await;
    reader.is_problem(403, "accessMissing");
    assert_eq!(reader.text("/missing/0/kind"), "role");
    assert_eq!(reader.text("/missing/0/tenant"), how_to::DOMAIN1);
    let looking = app.odd_token("acc5@domain1.com", how_to::DOMAIN1, |token| {
        token.scopes = vec!["Connections.Read".to_owned()];
    });
    let looker = app.portal().with_token(&looking);
    let scope = waiting.continue_operation(&looker, naming(&hash)).await;
    scope.is_problem(403, "insufficientScope");
    assert_eq!(waiting.sent_since(), 0);
    let waits = waiting.waits().await;
    assert_eq!(waits["awaiting"][0]["tenantId"], how_to::DOMAIN1);
    let ended = waiting.continue_operation(&app.how_to_portal(), None).await;
    assert_eq!(ended.text("/status"), "succeeded");
    waiting.app.finish().await;
}

#[tokio::test]
async fn who_began_it_needs_the_hash_once_another_has_gone_on() {
    let waiting = Waiting::removal().await;
    let app = &waiting.app;
    let hash = waiting.hash().await;
    // ARM demands more of the other than they have, so that the removal waits again, in their name.
    app.emulator
        .edit(|world| world.set_writes_need(how_to::DOMAIN1, Some("p1")))
        .expect("a tenant");
    let other = app.signed_in("acc5@domain1.com");
    let tried = super::continue_operation(&other, &waiting.operation, naming(&hash), 0).await;
    assert_eq!(tried.status, 202, "{}", tried.body);
    app.wait_for_calls("DELETE", "telemetry", waiting.sent + 1).await;
    app.emulator
        .edit(|world| world.set_writes_need(how_to::DOMAIN1, None))
        .expect("a tenant");
    waiting.waits().await;
    let first = waiting.continue_operation(&app.how_to_portal(), None).await;
    first.is_problem(403, "requestHashMissing");
    let ended = waiting
        .continue_operation(&app.how_to_portal(), naming(&hash))
        .await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    waiting.app.finish().await;
}

#[tokio::test]
async fn of_two_equal_requests_at_once_one_continues_and_both_are_told_so() {
    let waiting = Waiting::removal().await;
    let hash = waiting.hash().await;
    let committing = arm(
        &Handle::current(),
        "commit/record continuation/before",
        Action::Pause(None),
        1,
    );
    let mut requests = JoinSet::new();
    let mut send = || {
        let other = waiting.app.signed_in("acc5@domain1.com").keyed("again");
        let (operation, body) = (waiting.operation.clone(), naming(&hash));
        requests.spawn(async move { continue_operation(&other, &operation, body, 20).await });
    };
    send();
    committing.met().await;
    send();
    waiting
        .app
        .wait_until("select exists (select from pg_locks where not granted and locktype = 'transactionid')")
        .await;
    committing.release();
    for answer in requests.join_all().await {
        assert_eq!(
            (answer.status, answer.text("/status")),
            (200, "succeeded"),
            "{}",
            answer.body
        );
    }
    assert_eq!(waiting.events("operation.continued").await.len(), 1);
    assert_eq!(waiting.events("continue.refused").await.len(), 0);
    waiting.app.finish().await;
}
