//! Changes of the running cloud over HTTP.

use azure_emulator::how_to::{CLUSTER, DATABASE, HUB1, LOCAL_HUB, NAMESPACE};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Cloud, connection, event_hub_body, start};

async fn change(cloud: &Cloud, change: Value) {
    let reply = cloud.admin_post("changes", &change).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
}

fn hub3() -> String {
    format!("{NAMESPACE}/eventhubs/hub3")
}

/// A change, and what the state says afterwards: where, and that this is there.
fn changes_and_traces() -> Vec<(Value, &'static str, Value)> {
    let database = format!("{CLUSTER}/databases/extra");
    let made = json!({ "id": format!("{DATABASE}/dataConnections/made"), "properties": {
        "eventHubResourceId": HUB1, "consumerGroup": "cg1" } });
    vec![
        (
            json!({ "disableUser": { "user": "acc1@domain1.com" } }),
            "/users/0/enabled",
            json!(false),
        ),
        (
            json!({ "enableUser": { "user": "acc1@domain1.com" } }),
            "/users/0/enabled",
            json!(true),
        ),
        (
            json!({ "addGuest": { "user": "acc1@domain1.com", "tenant": "domain2.com" } }),
            "/users/0/memberships/1/tenant",
            json!("domain2.com"),
        ),
        (
            json!({ "removeGuest": { "user": "acc1@domain1.com", "tenant": "domain2.com" } }),
            "/users/0/memberships/1",
            Value::Null,
        ),
        (
            json!({ "assignAppRole": { "user": "acc1@domain1.com", "tenant": "domain1.com", "app": "tenant-bridge", "role": "Operator" } }),
            "/appRoleAssignments/3/principal",
            json!("acc1@domain1.com"),
        ),
        (
            json!({ "revokeAppRoles": { "user": "acc1@domain1.com", "tenant": "domain1.com", "app": "tenant-bridge" } }),
            "/appRoleAssignments/3",
            Value::Null,
        ),
        (
            json!({ "revokeConsent": { "app": "tenant-bridge", "tenant": "domain1.com" } }),
            "/consents/0/tenant",
            json!("domain2.com"),
        ),
        (
            json!({ "deprovision": { "app": "other-api", "tenant": "domain2.com" } }),
            "/apps/6/provisionedIn",
            json!(["domain1.com"]),
        ),
        (
            json!({ "provision": { "app": "other-api", "tenant": "domain3.com" } }),
            "/apps/6/provisionedIn",
            json!(["domain1.com", "domain3.com"]),
        ),
        (
            json!({ "grantConsent": { "app": "portal", "tenant": "domain1.com", "resource": "other-api", "scopes": ["access_as_user"] } }),
            "/consents/6/resource",
            json!("other-api"),
        ),
        (
            json!({ "addFederatedCredential": { "app": "portal", "issuer": "https://i.example", "subject": "s" } }),
            "/apps/4/federatedCredentials/0/audience",
            json!("api://AzureADTokenExchange"),
        ),
        (
            json!({ "rotateHubKey": { "namespace": NAMESPACE } }),
            "/namespaces/0/authorizationRules/0/primaryKeyRotations",
            json!(1),
        ),
        (
            json!({ "rotateHubKey": { "namespace": NAMESPACE, "rule": "RootManageSharedAccessKey", "key": "secondary" } }),
            "/namespaces/0/authorizationRules/0/secondaryKeyRotations",
            json!(1),
        ),
        (
            json!({ "setLocalAuth": { "namespace": NAMESPACE, "enabled": false } }),
            "/namespaces/0/localAuthEnabled",
            json!(false),
        ),
        (
            json!({ "addEventHub": { "id": hub3(), "consumerGroups": ["a"] } }),
            "/namespaces/0/eventHubs/2/consumerGroups",
            json!(["a"]),
        ),
        (
            json!({ "addConsumerGroup": { "hub": hub3(), "group": "b" } }),
            "/namespaces/0/eventHubs/2/consumerGroups",
            json!(["a", "b"]),
        ),
        (
            json!({ "removeConsumerGroup": { "hub": hub3(), "group": "a" } }),
            "/namespaces/0/eventHubs/2/consumerGroups",
            json!(["b"]),
        ),
        (
            json!({ "removeEventHub": { "id": hub3() } }),
            "/namespaces/0/eventHubs/2",
            Value::Null,
        ),
        (
            json!({ "addDatabase": { "id": database } }),
            "/clusters/0/databases/2/name",
            json!("extra"),
        ),
        (
            json!({ "setTable": { "database": database, "table": "T", "mappings": ["M"] } }),
            "/clusters/0/databases/2/tables/0",
            json!({ "name": "T", "mappings": ["M"] }),
        ),
        (
            json!({ "removeTable": { "database": database, "table": "T" } }),
            "/clusters/0/databases/2/tables",
            json!([]),
        ),
        (
            json!({ "removeDatabase": { "id": database } }),
            "/clusters/0/databases/2",
            Value::Null,
        ),
        (
            json!({ "addDataConnection": made }),
            "/dataConnections/0/createdBy",
            json!("someone else"),
        ),
        (
            json!({ "setDataConnectionMembers": { "id": made["id"], "members": { "consumerGroup": "cg2" } } }),
            "/dataConnections/0/properties/consumerGroup",
            json!("cg2"),
        ),
        (
            json!({ "removeDataConnection": { "id": made["id"] } }),
            "/dataConnections/0",
            Value::Null,
        ),
        (
            json!({ "setMfaEnrolled": { "user": "acc1@domain1.com", "enrolled": false } }),
            "/users/0/mfaEnrolled",
            json!(false),
        ),
        (
            json!({ "addGroup": { "tenant": "domain1.com", "name": "readers", "members": ["acc1@domain1.com"] } }),
            "/groups/0/members",
            json!(["acc1@domain1.com"]),
        ),
        (
            json!({ "addMember": { "tenant": "domain1.com", "group": "readers", "member": "portal" } }),
            "/groups/0/members/1",
            json!("portal"),
        ),
        (
            json!({ "removeMember": { "tenant": "domain1.com", "group": "readers", "member": "acc1@domain1.com" } }),
            "/groups/0/members",
            json!(["portal"]),
        ),
        (
            json!({ "assignRole": { "principal": "readers", "role": "Reader", "scope": DATABASE } }),
            "/roleAssignments/10/principal",
            json!("readers"),
        ),
        (
            json!({ "requireMfa": { "tenant": "domain1.com", "required": true } }),
            "/tenants/0/requiresMfa",
            json!(true),
        ),
        (
            json!({ "addPolicy": { "tenant": "domain2.com", "name": "guests sign in anew", "guests": true, "signInFrequencySeconds": 600 } }),
            "/policies/0/signInFrequencySeconds",
            json!(600),
        ),
        (
            json!({ "addPolicy": { "tenant": "domain1.com", "name": "no readers", "groups": ["readers"], "requires": "block" } }),
            "/policies/1",
            json!({ "principals": ["readers"] }),
        ),
        (
            json!({ "removePolicy": { "policy": "guests sign in anew" } }),
            "/policies/1",
            Value::Null,
        ),
        (
            json!({ "setWritesNeed": { "tenant": "domain1.com", "context": "p1" } }),
            "/settings/writesNeed",
            json!([{ "tenant": "domain1.com", "context": "p1" }]),
        ),
        (
            json!({ "setWritesNeed": { "tenant": "domain1.com" } }),
            "/settings/writesNeed",
            json!([]),
        ),
        (
            json!({ "setChallengeForm": { "form": "older" } }),
            "/settings/challengeForm",
            json!("older"),
        ),
        (
            json!({ "defineRole": { "name": "Peeper", "scope": CLUSTER, "actions": ["*/read"] } }),
            "/customRoles/0/name",
            json!("Peeper"),
        ),
        (
            json!({ "setRoleLag": { "seconds": 30 } }),
            "/settings/roleLagSeconds",
            json!(30),
        ),
        (
            json!({ "setRoleLag": { "seconds": 0 } }),
            "/settings/roleLagSeconds",
            json!(0),
        ),
        (
            json!({ "limitTokens": { "tenant": "domain1.com", "requests": 5, "seconds": 60 } }),
            "/settings/tokenRates/0/requests",
            json!(5),
        ),
        (
            json!({ "unlimitTokens": { "tenant": "domain1.com" } }),
            "/settings/tokenRates",
            json!([]),
        ),
        (
            json!({ "setLoopDetection": { "on": false } }),
            "/settings/loopDetection",
            json!(false),
        ),
        (
            json!({ "setThrottling": { "enforced": true, "reads": { "calls": 3, "refillPerSecond": 1 }, "body": "plain" } }),
            "/settings/throttling/reads/calls",
            json!(3),
        ),
        (
            json!({ "changePassword": { "user": "acc8@domain2.com" } }),
            "/users/7/upn",
            json!("acc8@domain2.com"),
        ),
        (
            json!({ "deleteUser": { "user": "acc9@domain1.com" } }),
            "/users/8",
            Value::Null,
        ),
        (
            json!({ "setOperationDuration": { "milliseconds": 60_000 } }),
            "/settings/operationMilliseconds",
            json!(60_000),
        ),
        (
            json!({ "setReadLag": { "milliseconds": 5 } }),
            "/settings/readLagMilliseconds",
            json!(5),
        ),
        (
            json!({ "setParallelWrites": { "mode": "refused" } }),
            "/settings/parallelWrites",
            json!("refused"),
        ),
        (
            json!({ "setListPageSize": { "size": 2 } }),
            "/settings/listPageSize",
            json!(2),
        ),
        (
            json!({ "setListPageSize": {} }),
            "/settings/listPageSize",
            Value::Null,
        ),
    ]
}

#[tokio::test]
async fn every_change_shows_in_the_state() {
    let cloud = start().await;
    for (asked, place, expected) in changes_and_traces() {
        change(&cloud, asked.clone()).await;
        let state = cloud.admin("state").await.body;
        let found = state.pointer(place).cloned().unwrap_or_default();
        match expected.as_object().filter(|_| asked["addPolicy"].is_object()) {
            Some(members) => assert!(
                members.iter().all(|(name, value)| found[name] == *value),
                "{asked}: {found}"
            ),
            None => assert_eq!(found, expected, "{asked} at {place}"),
        }
    }
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

#[tokio::test]
async fn what_is_wrong_with_a_change_is_told_with_its_place_and_nothing_changes() {
    let cloud = start().await;
    let revoke = json!({ "revokeConsent": { "app": "tenant-bridge", "tenant": "domain1.com" } });
    let before = cloud.admin("state").await.body;
    let rows = [
        (
            json!({ "revokeEverything": {} }),
            "",
            "there is no change",
            "GET /admin/changes",
        ),
        (json!({}), "", "one member", "GET /admin/changes"),
        (json!("revokeConsent"), "", "one member", "GET /admin/changes"),
        (
            json!({ "revokeConsent": { "app": "tenant-bridge" } }),
            "revokeConsent",
            "missing field `tenant`",
            "app, tenant",
        ),
        (
            json!({ "revokeConsent": { "app": "tenant-bridge", "tenant": "domain1.com", "why": 1 } }),
            "revokeConsent.why",
            "unknown field `why`",
            "app, tenant",
        ),
        (
            json!({ "revokeConsent": { "app": "tenant-bridge", "tenant": 7 } }),
            "revokeConsent.tenant",
            "expected a string",
            "app, tenant",
        ),
        (
            json!({ "revokeConsent": { "app": "tenant-bridge", "tenant": "nowhere.com" } }),
            "revokeConsent.tenant",
            "there is no tenant",
            "domain1.com, domain2.com",
        ),
        (
            json!([revoke, { "grantConsent": { "app": "portal", "tenant": "domain1.com", "resource": "tenant-bridge", "scopes": ["Connections.Read", "Nothing"] } }]),
            "[1].grantConsent.scopes[1]",
            "there is no scope",
            "Connections.ReadWrite",
        ),
        (
            json!([{ "advanceClock": { "seconds": 86_400 } }, { "disableUser": { "user": "nobody@domain1.com" } }]),
            "[1].disableUser.user",
            "there is no user",
            "acc1@domain1.com",
        ),
        (
            json!({ "rotateHubKey": { "namespace": "ns-domain2" } }),
            "rotateHubKey",
            "ns-domain2",
            "",
        ),
        (
            json!({ "rotateHubKey": { "namespace": HUB1 } }),
            "rotateHubKey.namespace",
            "there is no namespace",
            NAMESPACE,
        ),
        (
            json!({ "rotateHubKey": { "namespace": NAMESPACE, "key": "tertiary" } }),
            "rotateHubKey.key",
            "primary",
            "namespace, rule, key",
        ),
        (
            json!({ "addDatabase": { "id": CLUSTER } }),
            "addDatabase",
            "not the id of a database",
            "",
        ),
    ];
    for (body, place, error, fix) in rows {
        let reply = cloud.admin_post("changes", &body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
        let text = |name: &str| reply.body[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(text("path"), place, "{body}: {}", reply.body);
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
    let text = cloud
        .http
        .post(crate::admin::url(&cloud, "admin/changes"))
        .header("content-type", "application/json");
    let reply = text.body("{").send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
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
