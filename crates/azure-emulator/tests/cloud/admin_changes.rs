//! Changes of the running cloud over HTTP.

use azure_emulator::how_to::{CLUSTER, DATABASE, LOCAL_HUB, NAMESPACE};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::admin::url;
use crate::support::{Cloud, Reply, connection, event_hub_body, start};

pub(crate) async fn change(cloud: &Cloud, change: Value) {
    let reply = cloud.admin_post("changes", &change).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
}

#[tokio::test]
async fn roles_given_and_taken_count_at_once() {
    let cloud = start().await;
    let scope = json!({ "principal": "acc4@domain1.com", "scope": CLUSTER });
    let token = cloud.arm_token("acc4@domain1.com", "domain1.com").await;
    let path = format!("{CLUSTER}?api-version=2024-04-13");
    assert_eq!(cloud.get(&token, &path).await.status, StatusCode::FORBIDDEN);
    change(
        &cloud,
        json!({ "assignRole": { "principal": scope["principal"], "role": "Reader", "scope": CLUSTER } }),
    )
    .await;
    assert_eq!(cloud.get(&token, &path).await.status, StatusCode::OK);
    change(&cloud, json!({ "revokeRoles": scope })).await;
    assert_eq!(cloud.get(&token, &path).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_clock_is_moved_and_set() {
    let cloud = start().await;
    let before = cloud.emulator.clock().now();
    change(&cloud, json!({ "advanceClock": { "seconds": 7200 } })).await;
    assert!(cloud.emulator.clock().now() - before >= TimeDelta::hours(2));
    let to: DateTime<Utc> = "2031-05-06T07:08:09Z".parse().unwrap();
    change(&cloud, json!({ "setClock": { "to": to } })).await;
    assert!((cloud.emulator.clock().now() - to).abs() < TimeDelta::minutes(1));
}

#[tokio::test]
async fn the_farthest_times_leave_the_cloud_in_order() {
    let cloud = start().await;
    let farthest = u64::MAX;
    for (name, members) in [
        ("setReadLag", json!({ "milliseconds": farthest })),
        ("setOperationDuration", json!({ "milliseconds": farthest })),
        ("setClock", json!({ "to": "+262142-12-31T23:59:59Z" })),
    ] {
        cloud.admin_post("changes", &json!({ name: members })).await;
        let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
        let path = format!("{DATABASE}/dataConnections/far?api-version=2024-04-13");
        let headers = [("authorization", format!("Bearer {token}"))];
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let body = event_hub_body(LOCAL_HUB, "$Default");
        let answer = cloud
            .arm(reqwest::Method::PUT, &path, &headers, Some(&body))
            .await;
        assert!(answer.status.as_u16() < 500, "{name}: {:?}", answer.body);
        let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
        let cluster = format!("{CLUSTER}?api-version=2024-04-13");
        assert_eq!(cloud.get(&token, &cluster).await.status, StatusCode::OK, "{name}");
    }
}

#[tokio::test]
async fn operations_end_or_fail_when_told() {
    let cloud = start().await;
    change(
        &cloud,
        json!({ "setOperationDuration": { "milliseconds": 600_000 } }),
    )
    .await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    for (name, group, ending) in [
        ("c1", "$Default", json!({ "finishOperations": {} })),
        (
            "c2",
            "cg1",
            json!({ "failOperations": { "code": "Broken", "message": "It broke.",
            "connection": format!("{DATABASE}/dataConnections/c2") } }),
        ),
    ] {
        cloud
            .put(&token, &[], &connection(name), &event_hub_body(LOCAL_HUB, group))
            .await;
        change(&cloud, ending).await;
    }
    let state = cloud.admin("state").await.body;
    let young = &state["operations"];
    assert_eq!(
        (&young[0]["status"], &young[0]["error"][0]),
        (&json!("Failed"), &json!("Broken"))
    );
    assert_eq!(young[1]["status"], "Succeeded");
}

#[tokio::test]
async fn signing_keys_are_rotated_and_the_old_ones_retired() {
    let cloud = start().await;
    let keys = async || cloud.admin("state").await.body["settings"]["signingKeys"].clone();
    let before = keys().await;
    change(&cloud, json!({ "rotateSigningKey": {} })).await;
    let rotated = keys().await;
    assert_eq!((&rotated[0], &rotated[2]), (&before[1], &before[0]));
    change(&cloud, json!({ "retireSigningKeys": {} })).await;
    assert_eq!(keys().await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn sessions_are_revoked() {
    let cloud = start().await;
    change(
        &cloud,
        json!({ "revokeSessions": { "user": "acc1@domain1.com" } }),
    )
    .await;
    let state = cloud.admin("state").await.body;
    assert!(state["users"][0]["sessionsRevoked"].is_string());
}

/// A body, and the refusal's path, a part of its error and a part of its fix.
const WRONG: &[(&str, &str, &str, &str)] = &[
    (
        r#"{"revokeEverything":{}}"#,
        "",
        "there is no change",
        "GET /admin/changes",
    ),
    ("{}", "", "one member", "GET /admin/changes"),
    (r#""revokeConsent""#, "", "one member", "GET /admin/changes"),
    ("{", "", "no JSON", "GET /admin/changes"),
    (
        r#"{"revokeConsent":{"app":"tenant-bridge"}}"#,
        "revokeConsent",
        "missing field `tenant`",
        "app, tenant",
    ),
    (
        r#"{"revokeConsent":{"app":"tenant-bridge","tenant":"domain1.com","why":1}}"#,
        "revokeConsent.why",
        "unknown field `why`",
        "app, tenant",
    ),
    (
        r#"{"revokeConsent":{"app":"tenant-bridge","tenant":7}}"#,
        "revokeConsent.tenant",
        "expected a string",
        "app, tenant",
    ),
    (
        r#"{"revokeConsent":{"app":"tenant-bridge","tenant":"nowhere.com"}}"#,
        "revokeConsent.tenant",
        "there is no tenant",
        "domain1.com, domain2.com",
    ),
    (
        r#"[{"revokeConsent":{"app":"tenant-bridge","tenant":"domain1.com"}},{"grantConsent":{"app":"portal","tenant":"domain1.com","resource":"tenant-bridge","scopes":["Connections.Read","Nothing"]}}]"#,
        "[1].grantConsent.scopes[1]",
        "there is no scope",
        "Connections.ReadWrite",
    ),
    (
        r#"[{"advanceClock":{"seconds":86400}},{"disableUser":{"user":"nobody@domain1.com"}}]"#,
        "[1].disableUser.user",
        "there is no user",
        "acc1@domain1.com",
    ),
    (
        r#"[{"rotateSigningKey":{}},{"removePolicy":{"policy":"none"}}]"#,
        "[1].removePolicy.policy",
        "there is no policy",
        "GET /admin/state",
    ),
    (
        r#"{"rotateHubKey":{"namespace":"ns-domain2"}}"#,
        "rotateHubKey",
        "ns-domain2",
        "",
    ),
    (
        r#"{"rotateHubKey":{"namespace":"/subscriptions/x/resourceGroups/y"}}"#,
        "rotateHubKey.namespace",
        "there is no namespace",
        NAMESPACE,
    ),
    (
        r#"{"rotateHubKey":{"namespace":"x","key":"tertiary"}}"#,
        "rotateHubKey.key",
        "primary",
        "namespace, rule, key",
    ),
    (
        r#"{"addDatabase":{"id":"/subscriptions/x/resourceGroups/y"}}"#,
        "addDatabase",
        "not the id of a database",
        "",
    ),
    (
        r#"{"addPolicy":{"tenant":"domain1.com","name":"idle"}}"#,
        "addPolicy",
        "signInFrequencySeconds",
        "",
    ),
    (
        r#"{"limitTokens":{"tenant":"domain1.com","requests":1,"seconds":0}}"#,
        "limitTokens.seconds",
        "one second at least",
        "31622400",
    ),
];

#[tokio::test]
async fn what_is_wrong_with_a_change_is_told_with_its_place_and_nothing_changes() {
    let cloud = start().await;
    let before = cloud.admin("state").await.body;
    for (body, place, error, fix) in WRONG {
        let request = cloud
            .http
            .post(url(&cloud, "admin/changes"))
            .header("content-type", "application/json");
        let reply = Reply::read(request.body(*body).send().await.unwrap()).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
        let text = |name: &str| reply.body[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(text("path"), *place, "{body}: {}", reply.body);
        assert!(
            text("error").contains(error) && text("fix").contains(fix),
            "{body}: {}",
            reply.body
        );
    }
    let mut after = cloud.admin("state").await.body;
    let now = |state: &Value| state["now"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert!(now(&after) - now(&before) < TimeDelta::hours(1));
    after["now"] = before["now"].clone();
    assert_eq!(after, before);
}

#[tokio::test]
async fn the_description_names_every_change_with_its_members() {
    let cloud = start().await;
    let catalogue = cloud.admin("changes").await.body;
    let described = include_str!("../../docs/admin.md");
    let rows: Vec<&str> = described.lines().filter(|line| line.starts_with("| `")).collect();
    for (name, members) in catalogue.as_object().unwrap() {
        let row = rows.iter().find(|row| row.starts_with(&format!("| `{name}` |")));
        assert!(row.is_some(), "docs/admin.md lacks the change `{name}` {members}");
        for member in members.as_array().unwrap() {
            // Of a member of a member, its own name.
            let member = member.as_str().unwrap().rsplit('.').next().unwrap();
            assert!(
                row.unwrap().contains(member),
                "docs/admin.md lacks of `{name}` `{member}`"
            );
        }
    }
}
