//! Who sees what: a table of everybody who could look, then how long an answer holds, and what happens when nobody can tell.

use std::time::Duration;

use azure_emulator::{Effect, Fault, Host, how_to};
use serde_json::{Value, json};
use tenant_bridge::config::{Config, TenantPolicy};

use crate::support::{Answer, App, Portal, request};

/// One who looks, and what there is for them.
#[derive(Debug, PartialEq, Eq)]
struct Sees {
    /// The connection itself and its operation.
    connection: bool,
    /// Its justification.
    justification: bool,
    /// Its part of the ledger.
    events: bool,
    /// Whether it is in the list as it is, narrowed down to the database, and to the event hub.
    listed: [bool; 3],
}

const NOTHING: Sees = Sees {
    connection: false,
    justification: false,
    events: false,
    listed: [false; 3],
};

/// What this portal's user sees of a connection.
async fn look(portal: &Portal, connection: &Answer) -> Sees {
    let id = connection.text("/id");
    let operation = connection.text("/lastOperation/id");
    let shown = portal.connection(id).await;
    let is_shown = match shown.status {
        200 => true,
        404 => false,
        _ => panic!("{}", shown.body),
    };
    let followed = portal.get(&format!("/v1/operations/{operation}")).await;
    assert_eq!(followed.status == 200, is_shown, "{}", followed.body);
    let events = portal.get(&format!("/v1/connections/{id}/events")).await;
    let mut listed = [false; 3];
    let queries = [
        String::new(),
        format!("?database={}", how_to::DATABASE),
        format!("?source={}", how_to::HUB1),
    ];
    for (listed, query) in listed.iter_mut().zip(queries) {
        let list = portal.get(&format!("/v1/connections{query}")).await;
        assert_eq!(list.status, 200, "{}", list.body);
        let items = list.body["value"].as_array().expect("a list").clone();
        *listed = items.iter().any(|item| item["id"] == id);
        // A list shows no more than the connection by itself.
        let tells = items.iter().any(|item| item.get("justification").is_some());
        assert!(!tells || shown.body.get("justification").is_some(), "{query}");
    }
    Sees {
        connection: is_shown,
        justification: shown.body.get("justification").is_some(),
        events: events.status == 200,
        listed,
    }
}

/// The connection of the how-to, with a justification.
async fn justified(app: &App) -> Answer {
    let mut body = request("telemetry");
    body["justification"] = "for the forecast".into();
    let created = app.how_to_portal().create(&body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    created
}

fn role(app: &App, user: &str, role: &str, scope: &str) {
    let assigned = app.emulator.edit(|world| world.assign_role(user, role, scope));
    assigned.expect("a role");
}

/// A portal where this user is signed in to the tenant with these app roles and no others.
fn with_roles(app: &App, user: &str, tenant: &str, roles: &[&str]) -> Portal {
    app.portal()
        .with_token(&app.token_with_roles(user, tenant, roles))
}

/// What a service is allowed whose configuration names the cluster's tenant alone, on both sides.
fn one_tenant_alone() -> TenantPolicy {
    let text = format!(
        r#"
        [database]
        url = "postgres://localhost/none"
        [entra]
        client_id = "{service}"
        client_secret = "none"
        calling_apps = ["{portal}"]
        [tenants]
        users = ["{one}", "{two}"]
        targets = ["{one}"]
        sources = ["{one}"]
        [ledger]
        mark_key = "0123456789abcdef0123456789abcdef"
        "#,
        service = how_to::TENANT_BRIDGE,
        portal = how_to::PORTAL,
        one = how_to::DOMAIN1,
        two = how_to::DOMAIN2,
    );
    Config::from_toml(&text).expect("a configuration").tenants
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table of all who may look")]
async fn each_sees_what_they_may_and_no_more() {
    let app = App::start().await;
    let created = justified(&app).await;
    role(&app, "acc8@domain2.com", "Reader", how_to::HUB1);
    role(
        &app,
        "acc7@domain1.com",
        "Reader",
        &format!("{}/dataConnections/telemetry", how_to::DATABASE),
    );
    let (one, two) = (how_to::DOMAIN1, how_to::DOMAIN2);
    let plain = |user: &str, tenant: &str| with_roles(&app, user, tenant, &[]);
    let seen = |justification: bool, listed: [bool; 3]| Sees {
        connection: true,
        justification,
        events: true,
        listed,
    };
    let audited = Sees {
        events: true,
        ..NOTHING
    };
    let everywhere = [true; 3];
    let table = [
        (
            "the actor",
            plain("acc1@domain1.com", one),
            seen(true, everywhere),
        ),
        (
            "the participant, of the source's tenant",
            plain("acc2@domain2.com", two),
            seen(false, everywhere),
        ),
        (
            "who may read both sides at ARM",
            plain("acc6@domain1.com", one),
            seen(true, [false, true, true]),
        ),
        (
            "who may read this data connection and no other",
            plain("acc7@domain1.com", one),
            seen(true, [false; 3]),
        ),
        (
            "who may read the event hub",
            plain("acc8@domain2.com", two),
            seen(false, [false, false, true]),
        ),
        (
            "whom the target's tenant lets read all",
            with_roles(&app, "acc4@domain1.com", one, &["Connections.Read.All"]),
            seen(true, everywhere),
        ),
        (
            "whom the source's tenant lets read all",
            with_roles(&app, "acc8@domain2.com", two, &["Connections.Read.All"]),
            seen(false, everywhere),
        ),
        (
            "an auditor of the target's tenant",
            with_roles(&app, "acc4@domain1.com", one, &["Auditor"]),
            audited,
        ),
        (
            "an operator: what is connected is no business of theirs",
            with_roles(&app, "acc4@domain1.com", one, &["Operator"]),
            NOTHING,
        ),
        (
            "a role in other letters",
            with_roles(
                &app,
                "acc4@domain1.com",
                one,
                &["connections.read.all", "auditor"],
            ),
            NOTHING,
        ),
        ("nobody in particular", plain("acc4@domain1.com", one), NOTHING),
        (
            "who brings the tokens of those who may",
            plain("acc4@domain1.com", one).with_auxiliary(&app.token_with_roles(
                "acc2@domain2.com",
                two,
                &["Connections.Read.All", "Auditor"],
            )),
            NOTHING,
        ),
    ];
    for (who, portal, wanted) in table {
        assert_eq!(look(&portal, &created).await, wanted, "{who}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_role_in_a_tenant_says_nothing_of_connections_that_do_not_touch_it() {
    let app = App::start().await;
    let mut body = request("telemetry");
    body["source"]["eventHub"]["resourceId"] = how_to::LOCAL_HUB.into();
    let created = app.signed_in("acc1@domain1.com").create(&body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let roles = ["Connections.Read.All", "Auditor", "Operator"];
    let other = with_roles(&app, "acc8@domain2.com", how_to::DOMAIN2, &roles);
    assert_eq!(look(&other, &created).await, NOTHING);
    let own = with_roles(&app, "acc7@domain1.com", how_to::DOMAIN1, &roles);
    let list = own.get("/v1/connections").await;
    assert_eq!(list.body["value"][0]["id"], created.body["id"]);
    app.finish().await;
}

#[tokio::test]
async fn who_may_change_the_cluster_removes_a_connection_of_somebody_else() {
    let app = App::start().await;
    let created = justified(&app).await;
    let id = created.text("/id");
    // They may read it at ARM, and no more.
    let reader = app.signed_in("acc6@domain1.com");
    reader.remove(id).await.is_problem(403, "accessMissing");
    assert!(app.at_arm("telemetry").is_some());
    let colleague = app.signed_in("acc5@domain1.com");
    let removed = colleague.remove(id).await;
    assert_eq!((removed.status, removed.text("/state")), (200, "removed"));
    // ARM tells those who may read what is no longer there from those who may not.
    assert_eq!(reader.connection(id).await.text("/state"), "removed");
    app.signed_in("acc4@domain1.com")
        .connection(id)
        .await
        .is_problem(404, "notFound");
    app.finish().await;
}

/// How often ARM was asked for the data connection with this user's token.
fn asked(app: &App, user: &str) -> usize {
    let entries = app.emulator.journal().entries();
    let is_asked = |entry: &&azure_emulator::Entry| {
        let by = entry.primary.as_ref().and_then(|token| token.upn.as_deref());
        entry.method == "GET" && entry.path().contains("/dataConnections/telemetry") && by == Some(user)
    };
    entries.iter().filter(is_asked).count()
}

#[tokio::test]
async fn arms_answer_is_remembered_for_each_person_and_its_time() {
    let app = App::with(|config| config.visibility.denied_for = Duration::from_millis(1)).await;
    let created = justified(&app).await;
    let id = created.text("/id");
    let reader = app.signed_in("acc6@domain1.com");
    assert_eq!(reader.connection(id).await.status, 200);
    app.emulator
        .edit(|world| {
            let group = how_to::CLUSTER.split("/providers").next().unwrap_or_default();
            world.revoke_roles("acc6@domain1.com", group)
        })
        .expect("roles");
    // Remembered, whatever token they come with.
    assert_eq!(reader.connection(id).await.status, 200);
    assert_eq!(app.signed_in("acc6@domain1.com").connection(id).await.status, 200);
    assert_eq!(asked(&app, "acc6@domain1.com"), 1);
    // The answer was theirs alone.
    let stranger = app.signed_in("acc4@domain1.com");
    stranger.connection(id).await.is_problem(404, "notFound");
    role(&app, "acc4@domain1.com", "Reader", how_to::CLUSTER);
    let path = format!("/v1/connections/{id}");
    stranger.wait_for(&path, |body| body["id"] == id).await;

    // A service that remembers nothing for long asks again, and finds that the right is gone.
    let forgetful = app
        .start_another(|config| config.visibility.granted_for = Duration::from_millis(1))
        .await
        .expect("a replica");
    role(&app, "acc7@domain1.com", "Reader", how_to::CLUSTER);
    let there = app.signed_in("acc7@domain1.com").at(forgetful.address());
    assert_eq!(there.connection(id).await.status, 200);
    app.emulator
        .edit(|world| world.revoke_roles("acc7@domain1.com", how_to::CLUSTER))
        .expect("roles");
    there.wait_for(&path, |body| body["status"] == 404).await;
    forgetful.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn entra_is_not_asked_again_and_again_for_who_is_not_in_a_tenant() {
    let app = App::start().await;
    let created = justified(&app).await;
    // Neither a member of the cluster's tenant nor with any right in their own.
    let stranger = app
        .portal()
        .with_token(&app.token("acc8@domain2.com", how_to::DOMAIN2));
    for _ in 0..20 {
        assert_eq!(stranger.connection(created.text("/id")).await.status, 404);
    }
    let archive = format!("/v1/connections?database={}", how_to::ARCHIVE);
    assert_eq!(stranger.get(&archive).await.body, json!({ "value": [] }));
    let entries = app.emulator.journal().entries();
    let refused = |entry: &&azure_emulator::Entry| entry.host == Host::Entra && entry.status == 400;
    assert_eq!(entries.iter().filter(refused).count(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_look_that_nobody_can_answer_is_an_outage_and_not_a_no() {
    let app = App::start().await;
    let created = justified(&app).await;
    let paths = [
        format!("/v1/connections/{}", created.text("/id")),
        format!("/v1/connections?database={}", how_to::DATABASE),
    ];
    let reader = app.signed_in("acc6@domain1.com");
    for path in &paths {
        for fault in [
            Fault::arm("/dataConnections", Effect::status(503, &[])),
            Fault::arm("/dataConnections", Effect::status(429, &[("retry-after", "9")])),
            Fault::arm("/dataConnections", Effect::ResetBeforeEffect),
            Fault::entra("/token", Effect::status(503, &[])),
        ] {
            // From the source's side nothing is seen either.
            let hub = Fault::arm("/eventhubs/hub1", Effect::status(403, &[]));
            app.emulator.inject(hub.always());
            app.emulator.inject(fault.clone().always());
            let answer = app.signed_in("acc6@domain1.com").get(path).await;
            answer.is_problem(503, "upstreamUnavailable");
            app.emulator.clear_faults();
        }
        // None of it was remembered, and those whom the record names never needed to be asked about.
        assert_eq!(reader.get(path).await.status, 200);
    }
    app.finish().await;
}

#[tokio::test]
async fn no_token_leaves_for_a_tenant_that_is_allowed_no_longer() {
    let app = App::start().await;
    let created = justified(&app).await;
    let narrow = app
        .start_another(|config| {
            config.tenants = one_tenant_alone();
        })
        .await
        .expect("a replica");
    role(&app, "acc8@domain2.com", "Reader", how_to::HUB1);
    let there = app
        .portal()
        .with_token(&app.token("acc8@domain2.com", how_to::DOMAIN2))
        .at(narrow.address());
    let before = app.emulator.journal().entries().len();
    there
        .connection(created.text("/id"))
        .await
        .is_problem(404, "notFound");
    let exchanged = |entry: &azure_emulator::Entry| entry.path().contains(how_to::DOMAIN2);
    let entries = app.emulator.journal().entries();
    assert!(
        !entries[before..]
            .iter()
            .any(|entry| entry.method == "POST" && exchanged(entry))
    );
    narrow.stop().await;
    app.finish().await;
}

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
