//! Mistyped ids, the commonest mistake of all: the whole id is named, and what ARM tells of where it goes wrong.

use azure_emulator::how_to;

use super::{missing, pointers, request_with};
use crate::support::App;

const TARGET: &str = "/target/database";
const SOURCE: &str = "/source/eventHub/resourceId";

/// Returns the two accounts of the how-to a role on all of their subscriptions, so that ARM tells them what is not there.
fn see_everything(app: &App, role: &str) {
    let subscription = |id: &str| format!("/subscriptions/{id}");
    app.emulator
        .edit(|world| {
            world.assign_role("acc1@domain1.com", role, &subscription(how_to::SUBSCRIPTION1))?;
            world.assign_role("acc2@domain2.com", role, &subscription(how_to::SUBSCRIPTION2))
        })
        .expect("the subscriptions");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn who_may_see_is_told_what_is_not_there_from_the_resource_group_on() {
    let app = App::start().await;
    see_everything(&app, "Contributor");
    let portal = app.how_to_portal();
    let group = how_to::DATABASE.replace("rg-adx", "rg-adq");
    let cluster = how_to::DATABASE.replace("adx1", "adx9");
    let namespace = how_to::HUB1.replace("ns-domain2", "ns-domian2");
    let other_group = how_to::HUB1.replace("rg-streams", "rg-steams");
    let group_of = |name: &str, subscription: &str| {
        format!("there is no resource group {name} in subscription {subscription}")
    };
    let parent = |id: &str| id.rsplitn(3, '/').nth(2).unwrap_or_default().to_owned();
    let cases = [
        (
            TARGET,
            group.clone(),
            group_of("rg-adq", how_to::SUBSCRIPTION1),
            parent(&group),
        ),
        (
            TARGET,
            cluster.clone(),
            "there is no cluster".to_owned(),
            parent(&cluster),
        ),
        (
            TARGET,
            how_to::DATABASE.replace("telemetry", "telemtry"),
            format!("the cluster {}", how_to::CLUSTER),
            "has no database telemtry".to_owned(),
        ),
        (
            SOURCE,
            other_group.clone(),
            group_of("rg-steams", how_to::SUBSCRIPTION2),
            parent(&other_group),
        ),
        (
            SOURCE,
            namespace.clone(),
            "there is no namespace".to_owned(),
            parent(&namespace),
        ),
        (
            SOURCE,
            how_to::HUB1.replace("hub1", "hubl"),
            format!("the namespace {}", how_to::NAMESPACE),
            "has no event hub hubl".to_owned(),
        ),
        (
            "/source/eventHub/consumerGroup",
            "cg9".to_owned(),
            format!("the event hub {}", how_to::HUB1),
            "has no consumer group cg9".to_owned(),
        ),
    ];
    for (count, (pointer, value, begins, names)) in (1..).zip(cases) {
        let answer = portal.create(&request_with(pointer, value)).await;
        answer.is_problem(422, "referenceNotFound");
        assert_eq!(pointers(&answer), [pointer], "{}", answer.body);
        let detail = answer.text("/errors/0/detail");
        assert!(detail.starts_with(&begins) && detail.contains(&names), "{detail}");
        assert_eq!(
            detail.contains(": check "),
            begins.starts_with("there is no"),
            "{detail}"
        );
        app.assert_untouched(count).await;
    }
    app.finish().await;
}

#[tokio::test]
async fn who_may_not_see_is_told_that_the_name_may_be_wrong_as_well_as_the_role_be_missing() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let cases = [
        (TARGET, how_to::DATABASE, "adx1", "adx9", how_to::CLUSTER),
        (TARGET, how_to::DATABASE, "rg-adx", "rg-adq", how_to::CLUSTER),
        (
            SOURCE,
            how_to::HUB1,
            "ns-domain2",
            "ns-domian2",
            how_to::NAMESPACE,
        ),
        (SOURCE, how_to::HUB1, "rg-streams", "rg-steams", how_to::NAMESPACE),
    ];
    for (count, (pointer, id, right, wrong, parent)) in (1..).zip(cases) {
        let answer = portal
            .create(&request_with(pointer, id.replace(right, wrong)))
            .await;
        answer.is_problem(403, "accessMissing");
        assert_eq!(missing(&answer).len(), 1, "{}", answer.body);
        let named = parent.replace(right, wrong);
        for text in [answer.text("/missing/0/fix"), answer.text("/detail")] {
            assert!(text.contains(&named), "{text}");
            assert!(
                text.contains("check its subscription, resource group and name"),
                "{text}"
            );
        }
        app.assert_untouched(count).await;
    }
    // Of what ARM shows, nobody has to doubt that it is there.
    let reader = app.signed_in("acc6@domain1.com");
    let answer = reader.create(&request_with("/name", "telemetry")).await;
    answer.is_problem(403, "accessMissing");
    assert!(!answer.text("/detail").contains("check"), "{}", answer.body);
    app.finish().await;
}

#[tokio::test]
async fn a_role_is_not_asked_for_on_what_arm_says_is_not_there() {
    let app = App::start().await;
    // They may read all of it, and change nothing.
    let reader = app.signed_in("acc6@domain1.com");
    let mut body = request_with(SOURCE, how_to::HUB1.replace("ns-domain2", "ns-domian2"));
    body["target"]["database"] = how_to::DATABASE.replace("adx1", "adx9").into();
    let answer = reader.create(&body).await;
    answer.is_problem(422, "referenceNotFound");
    assert_eq!(pointers(&answer), [TARGET, SOURCE]);
    // What is there and lacks a role is told beside what is not there.
    let mut body = request_with(SOURCE, how_to::HUB1.replace("hub1", "hubl"));
    body["target"]["database"] = how_to::DATABASE.replace("telemetry", "telemtry").into();
    let answer = reader.create(&body).await;
    answer.is_problem(403, "accessMissing");
    assert_eq!(
        missing(&answer),
        [(how_to::DOMAIN1, "role"), (how_to::DOMAIN2, "role")]
    );
    assert_eq!(pointers(&answer), [TARGET, SOURCE]);
    app.assert_untouched(2).await;
    app.finish().await;
}
