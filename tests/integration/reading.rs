//! Who sees which connection and how much of it, and lists that are read in pages.

use std::collections::HashSet;

use azure_emulator::how_to;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tenant_bridge::domain::salted_hash;

use crate::support::{Answer, App, Portal, request};

/// The participant, with a token of the own tenant.
fn participant(app: &App) -> Portal {
    app.portal()
        .with_token(&app.token("acc2@domain2.com", how_to::DOMAIN2))
}

/// Every path that shows something of a connection.
fn paths_of(connection: &Answer) -> [String; 3] {
    let id = connection.text("/id");
    [
        format!("/v1/connections/{id}"),
        format!("/v1/connections/{id}/events"),
        format!("/v1/operations/{}", connection.text("/lastOperation/id")),
    ]
}

/// The seven streams that the how-to's cluster may read, each hub with one of its consumer groups.
fn streams() -> [(&'static str, &'static str); 7] {
    [
        (how_to::HUB1, "$Default"),
        (how_to::HUB1, "cg1"),
        (how_to::HUB1, "cg2"),
        (how_to::HUB2, "$Default"),
        (how_to::HUB2, "cg1"),
        (how_to::LOCAL_HUB, "$Default"),
        (how_to::LOCAL_HUB, "cg1"),
    ]
}

/// Creates a connection for each stream, in both databases, the first of them before the others; gives their ids.
async fn seven_connections(app: &App, portal: &Portal) -> HashSet<String> {
    let create = async |(number, (hub, group)): (usize, (&str, &str))| {
        let mut request = request(&format!("telemetry-{number}"));
        request["source"]["eventHub"] = json!({ "resourceId": hub, "consumerGroup": group });
        if number % 2 == 1 {
            request["target"]["database"] = how_to::ARCHIVE.into();
        }
        let portal = match hub {
            how_to::LOCAL_HUB => portal.without_auxiliary(),
            _ => portal.clone(),
        };
        let answer = portal.create(&request).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.text("/id").to_owned()
    };
    let mut streams = streams().into_iter().enumerate();
    // The first by itself, so that it is known which is the oldest.
    let mut ids: HashSet<String> = join_all(streams.next().map(&create)).await.into_iter().collect();
    ids.extend(join_all(streams.map(&create)).await);
    assert_eq!(app.writes().len(), 7);
    ids
}

/// Follows `nextLink` to the end; returns the pages' ids.
async fn pages(portal: &Portal, path: &str) -> Vec<Vec<String>> {
    let (mut pages, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let answer = portal.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let items = answer.body["value"].as_array().expect("a page");
        let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
        pages.push(items.iter().map(id).collect());
        assert!(pages.len() < 20, "the pages have no end");
        next = answer.body["nextLink"].as_str().map(str::to_owned);
    }
    pages
}

#[tokio::test]
async fn the_actor_and_the_participant_see_a_connection_and_the_justification_is_for_the_actor() {
    let app = App::start().await;
    let mut body = request("telemetry");
    body["justification"] = "for the \"forecast\" of März".into();
    let created = app.how_to_portal().create(&body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let paths = paths_of(&created);
    let actor = app.signed_in("acc1@domain1.com");
    for (portal, justification) in [
        (actor, body["justification"].clone()),
        (participant(&app), Value::Null),
    ] {
        for path in &paths {
            assert_eq!(portal.get(path).await.status, 200, "{path}");
        }
        let mut shown = portal.get(&paths[0]).await.body;
        assert_eq!(shown["justification"], justification);
        let list = portal.get("/v1/connections").await;
        assert_eq!(list.body["value"], json!([shown]));
        // But for the justification, both see the same.
        let mut whole = created.body.clone();
        for record in [&mut shown, &mut whole] {
            record.as_object_mut().expect("a record").remove("justification");
        }
        assert_eq!(shown, whole);
    }
    app.finish().await;
}

#[tokio::test]
async fn the_ledger_holds_a_salted_hash_of_the_justification_and_not_the_text() {
    let app = App::start().await;
    let mut body = request("telemetry");
    body["justification"] = "for the forecast".into();
    let created = app.how_to_portal().create(&body).await;
    assert_eq!(created.text("/justification"), "for the forecast");
    let salt: Vec<u8> = app.scalar("select salt from connection_notes").await;
    let details: Value = app
        .scalar("select details from ledger_events where kind = 'create.intended'")
        .await;
    assert_eq!(
        details["justificationHash"],
        salted_hash(&salt, "for the forecast")
    );
    let whole: String = app
        .scalar("select string_agg(e::text, '') from ledger_events e")
        .await;
    assert!(!whole.contains("forecast"), "{whole}");
    let events = app
        .how_to_portal()
        .get(&format!("/v1/connections/{}/events", created.text("/id")))
        .await;
    assert!(!events.body.to_string().contains("forecast"));
    app.finish().await;
}

#[tokio::test]
async fn a_stranger_can_not_tell_a_connection_from_one_that_never_was() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let none = "01900000-0000-7000-8000-000000000001";
    // Somebody the service has never seen, somebody it has refused, and one of the participant's tenant.
    let known = app.signed_in("acc4@domain1.com");
    known
        .create(&request("telemetry"))
        .await
        .is_problem(403, "accessMissing");
    let never_seen = app.token_with_roles("acc7@domain1.com", how_to::DOMAIN1, &[]);
    let neighbour = app.token_with_roles("acc8@domain2.com", how_to::DOMAIN2, &[]);
    let strangers = [
        app.portal().with_token(&never_seen),
        known,
        app.portal().with_token(&neighbour),
        // The tokens of others in the auxiliary header never widen what the actor sees.
        app.signed_in("acc4@domain1.com")
            .with_auxiliary(&app.token("acc2@domain2.com", how_to::DOMAIN2)),
    ];
    for stranger in strangers {
        for path in paths_of(&created) {
            let id = path.split('/').nth(3).expect("an id").to_owned();
            let mut bodies = Vec::new();
            for path in [path.clone(), path.replace(&id, none)] {
                let mut answer = stranger.get(&path).await;
                answer.is_problem(404, "notFound");
                answer.body["requestId"] = Value::Null;
                bodies.push(answer.body);
            }
            assert_eq!(bodies[0], bodies[1], "{path}");
        }
        for id in [created.text("/id"), none] {
            stranger.remove(id).await.is_problem(404, "notFound");
        }
        assert_eq!(stranger.get("/v1/connections").await.body, json!({ "value": [] }));
    }
    assert!(app.at_arm("telemetry").is_some());
    app.finish().await;
}

#[tokio::test]
async fn the_scope_to_read_is_enough_to_read_and_not_to_change() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    let token = app.odd_token("acc1@domain1.com", how_to::DOMAIN1, |token| {
        token.scopes = vec!["Connections.Read".to_owned()];
    });
    let reader = app.portal().with_token(&token);
    for path in paths_of(&created) {
        assert_eq!(reader.get(&path).await.status, 200, "{path}");
    }
    let list = reader.get("/v1/connections").await;
    assert_eq!(list.body["value"][0]["id"], created.body["id"]);
    let refused = reader.remove(created.text("/id")).await;
    refused.is_problem(403, "insufficientScope");
    assert!(app.at_arm("telemetry").is_some());
    app.finish().await;
}

#[tokio::test]
async fn a_participant_may_see_a_connection_but_removes_it_only_with_a_right_on_the_target() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    let answer = participant(&app).remove(created.text("/id")).await;
    answer.is_problem(403, "accessMissing");
    assert_eq!(answer.text("/missing/0/tenant"), how_to::DOMAIN1);
    // An account of the target's tenant is not enough: it is that account's right which ARM is asked for.
    let with_another = participant(&app).with_auxiliary(&app.token("acc4@domain1.com", how_to::DOMAIN1));
    let answer = with_another.remove(created.text("/id")).await;
    answer.is_problem(403, "accessMissing");
    assert_eq!(answer.text("/missing/0/kind"), "role");
    assert_eq!((app.writes().len(), app.at_arm("telemetry").is_some()), (1, true));
    let kinds = app.how_to_portal().event_kinds(created.text("/id")).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "remove.refused").count(), 2);
    app.finish().await;
}

#[tokio::test]
async fn a_list_read_in_pages_gives_each_connection_once_newest_first_whatever_is_made_meanwhile() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let ids = seven_connections(&app, &portal).await;
    let found = pages(&portal, "/v1/connections?limit=3").await;
    let sizes: Vec<usize> = found.iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 3, 1]);
    let flat: Vec<String> = found.concat();
    let mut newest_first = flat.clone();
    newest_first.sort_by(|one, other| other.cmp(one));
    assert_eq!(flat, newest_first, "ids are made in the order of creation");
    assert_eq!(flat.iter().cloned().collect::<HashSet<_>>(), ids);
    for limit in ["limit=7", "limit=200", ""] {
        let whole = pages(&portal, &format!("/v1/connections?{limit}")).await;
        assert_eq!(whole.concat(), flat, "{limit}");
        assert_eq!(whole.len(), 1, "{limit}");
    }

    // What changes while the list is read moves none of the rest: a removed one keeps its place, and a new one of its name
    // stands before the beginning.
    let first = portal.get("/v1/connections?limit=3&includeFinished=true").await;
    let oldest = portal.connection(&flat[6]).await;
    let removed = portal.without_auxiliary().remove(&flat[6]).await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    let hub = &oldest.body["source"]["eventHub"];
    let again = json!({
        "name": oldest.body["name"],
        "target": { "database": oldest.body["target"]["database"] },
        "source": { "eventHub": { "resourceId": hub["resourceId"], "consumerGroup": hub["consumerGroup"] } }
    });
    let again = portal.create(&again).await;
    assert_eq!(again.status, 201, "{}", again.body);
    assert_eq!(pages(&portal, first.text("/nextLink")).await.concat(), flat[3..]);
    let anew = pages(&portal, "/v1/connections?limit=3&includeFinished=true")
        .await
        .concat();
    assert_eq!(
        (anew[0].as_str(), &anew[1..]),
        (again.text("/id"), flat.as_slice())
    );

    // The participant's list has those of the own tenant's streams.
    let theirs = pages(&participant(&app), "/v1/connections?limit=4&includeFinished=true").await;
    assert_eq!(theirs.iter().map(Vec::len).collect::<Vec<_>>(), [4, 2]);
    app.finish().await;
}

#[tokio::test]
async fn events_are_read_in_pages_oldest_first() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let id = created.text("/id");
    assert_eq!(portal.without_auxiliary().remove(id).await.status, 200);
    let path = format!("/v1/connections/{id}/events");
    let whole = portal.get(&path).await;
    let events = whole.body["value"].as_array().expect("events");
    assert_eq!(events.len(), 6);
    assert_eq!(whole.body["nextLink"], Value::Null);
    let sequences: Vec<i64> = events
        .iter()
        .filter_map(|event| event["sequence"].as_i64())
        .collect();
    assert!(sequences.is_sorted() && sequences.len() == 6);
    let found = pages(&portal, &format!("{path}?limit=4")).await;
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [4, 2]);
    let ids: Vec<&str> = events.iter().filter_map(|event| event["id"].as_str()).collect();
    assert_eq!(found.concat(), ids);
    // The exact end of a list has no next page.
    assert_eq!(pages(&portal, &format!("{path}?limit=3")).await.len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn a_parameter_of_a_list_that_is_wrong_is_named() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let list = "/v1/connections".to_owned();
    let events = format!("{list}/{}/events", created.text("/id"));
    let next = portal.get(&format!("{events}?limit=1")).await;
    let token_of_events = next.text("/nextLink").rsplit_once('=').expect("a token").1;
    for path in [&list, &events] {
        for (query, pointer) in [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=-1", "limit"),
            ("limit=many", "limit"),
            ("limit=99999999999", "limit"),
            ("pageToken=", "pageToken"),
            ("pageToken=nonsense", "pageToken"),
            ("pageToken=MTpjb25uZWN0aW9uczpub3RoaW5n", "pageToken"),
            ("pagetoken=x", "query"),
            ("order=name", "query"),
            ("limit=1&limit=2", "limit"),
        ] {
            let answer = portal.get(&format!("{path}?{query}")).await;
            answer.is_problem(400, "invalidRequest");
            assert_eq!(
                answer.text("/errors/0/pointer"),
                pointer,
                "{query}: {}",
                answer.body
            );
        }
    }
    let answer = portal.get(&format!("{list}?pageToken={token_of_events}")).await;
    answer.is_problem(400, "invalidRequest");
    assert_eq!(answer.text("/errors/0/pointer"), "pageToken");
    app.finish().await;
}
