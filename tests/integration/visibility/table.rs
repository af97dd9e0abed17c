//! Everybody who could look, and what each sees.

use azure_emulator::how_to;

use super::{justified, role, with_roles};
use crate::support::{Answer, App, Portal, request};

/// One who looks, and what there is for them.
#[derive(Debug, PartialEq, Eq)]
struct Sees {
    /// The connection itself and its operation.
    connection: bool,
    /// Its justification.
    justification: bool,
    /// Who created it.
    creator: bool,
    /// Its part of the ledger.
    events: bool,
    /// Whether it is in the list as it is, narrowed down to the database, and to the event hub.
    listed: [bool; 3],
}

const NOTHING: Sees = Sees {
    connection: false,
    justification: false,
    creator: false,
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
        for item in items.iter().filter(|item| item["id"] == id && is_shown) {
            assert_eq!(item["createdBy"], shown.body["createdBy"], "{query}");
        }
    }
    Sees {
        connection: is_shown,
        justification: shown.body.get("justification").is_some(),
        creator: shown.body.pointer("/createdBy/objectId").is_some(),
        events: events.status == 200,
        listed,
    }
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
    let seen = |justification: bool, creator: bool, listed: [bool; 3]| Sees {
        connection: true,
        justification,
        creator,
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
            seen(true, true, everywhere),
        ),
        (
            "the participant, of the source's tenant",
            plain("acc2@domain2.com", two),
            seen(false, true, everywhere),
        ),
        (
            "who may read both sides at ARM",
            plain("acc6@domain1.com", one),
            seen(true, true, [false, true, true]),
        ),
        (
            "who may read this data connection and no other",
            plain("acc7@domain1.com", one),
            seen(true, true, [false; 3]),
        ),
        (
            "who may read the event hub",
            plain("acc8@domain2.com", two),
            seen(false, false, [false, false, true]),
        ),
        (
            "whom the target's tenant lets read all",
            with_roles(&app, "acc4@domain1.com", one, &["Connections.Read.All"]),
            seen(true, true, everywhere),
        ),
        (
            "whom the source's tenant lets read all",
            with_roles(&app, "acc8@domain2.com", two, &["Connections.Read.All"]),
            seen(false, false, everywhere),
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
