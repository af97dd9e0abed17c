//! What differs between Kusto's api-versions, one table each.

use azure_emulator::how_to::{DATABASE, LOCAL_HUB};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Cloud, Reply, connection_at, event_hub_body, start};

/// Every version since data connections from another tenant were described.
const VERSIONS: &[&str] = &[
    "2020-02-15",
    "2020-06-14",
    "2020-09-18",
    "2021-01-01",
    "2021-08-27",
    "2022-02-01",
    "2022-07-07",
    "2022-11-11",
    "2022-12-29",
    "2023-05-02",
    "2023-08-15",
    "2024-04-13",
    "2025-02-14",
];

const STORAGE: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Storage/storageAccounts/stdomain1";
const IOT: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Devices/IotHubs/iot";
const COSMOS: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.DocumentDB/databaseAccounts/cosmos";
const IDENTITY: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi";

async fn writer(cloud: &Cloud) -> String {
    let scope = DATABASE.split("/providers").next().unwrap();
    cloud
        .emulator
        .edit(|world| world.assign_role("acc1@domain1.com", "Owner", scope))
        .unwrap();
    cloud.arm_token("acc1@domain1.com", "domain1.com").await
}

fn body(kind: &str, properties: &Value) -> Value {
    json!({ "location": "westeurope", "kind": kind, "properties": properties })
}

fn names(shown: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Puts, waits, and gives the answer to the PUT, the operation's end and the resource.
async fn made(cloud: &Cloud, token: &str, name: &str, version: &str, body: &Value) -> [Reply; 3] {
    let path = connection_at(name, version);
    let created = cloud.put(token, &[], &path, body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{version}: {}", created.body);
    cloud.emulator.edit(|world| world.finish_operations(|_| true));
    let ended = cloud.poll(token, created.header("azure-asyncoperation")).await;
    let shown = cloud.get(token, &path).await;
    [created, ended, shown]
}

async fn removed(cloud: &Cloud, token: &str, name: &str, version: &str) -> Reply {
    let removed = cloud.delete(token, &connection_at(name, version)).await;
    cloud.emulator.edit(|world| world.finish_operations(|_| true));
    cloud.poll(token, removed.header("azure-asyncoperation")).await
}

/// Members besides those that are sent, and the version from which on they are shown.
type Brought = &'static [(&'static str, &'static str)];

/// Each kind: what is sent, the first version that takes it, and what it shows besides.
#[expect(clippy::too_many_lines, reason = "a table")]
fn kinds() -> [(&'static str, Value, &'static str, Brought); 4] {
    let hub = || json!({ "eventHubResourceId": LOCAL_HUB, "consumerGroup": "cg1" });
    let grid = || {
        json!({ "storageAccountResourceId": STORAGE, "eventHubResourceId": LOCAL_HUB, "consumerGroup": "cg1",
            "tableName": "Events", "dataFormat": "JSON" })
    };
    let iot = || json!({ "iotHubResourceId": IOT, "consumerGroup": "x", "sharedAccessPolicyName": "p" });
    let cosmos = || {
        json!({ "cosmosDbAccountResourceId": COSMOS, "cosmosDbDatabase": "d", "cosmosDbContainer": "c",
            "tableName": "Events", "managedIdentityResourceId": IDENTITY })
    };
    [
        (
            "EventHub",
            hub(),
            "2020-02-15",
            &[
                ("tableName", ""),
                ("mappingRuleName", ""),
                ("dataFormat", ""),
                ("eventSystemProperties", ""),
                ("compression", ""),
                ("provisioningState", ""),
                ("managedIdentityResourceId", "2021-01-01"),
                ("managedIdentityObjectId", "2022-02-01"),
                ("databaseRouting", "2022-02-01"),
                ("retrievalStartDate", "2022-07-07"),
            ],
        ),
        (
            "EventGrid",
            grid(),
            "2020-02-15",
            &[
                ("mappingRuleName", ""),
                ("provisioningState", ""),
                ("ignoreFirstRecord", "2020-09-18"),
                ("blobStorageEventType", "2020-09-18"),
                ("eventGridResourceId", "2022-02-01"),
                ("managedIdentityResourceId", "2022-02-01"),
                ("managedIdentityObjectId", "2022-02-01"),
                ("databaseRouting", "2022-02-01"),
            ],
        ),
        (
            "IotHub",
            iot(),
            "2020-02-15",
            &[
                ("tableName", ""),
                ("mappingRuleName", ""),
                ("dataFormat", ""),
                ("eventSystemProperties", ""),
                ("provisioningState", ""),
                ("databaseRouting", "2022-02-01"),
                ("retrievalStartDate", "2022-07-07"),
            ],
        ),
        (
            "CosmosDb",
            cosmos(),
            "2022-11-11",
            &[
                ("mappingRuleName", ""),
                ("managedIdentityObjectId", ""),
                ("retrievalStartDate", ""),
                ("provisioningState", ""),
            ],
        ),
    ]
}

#[tokio::test]
async fn members_appear_with_the_version_that_brought_them() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    for (kind, sent, since, brought) in kinds() {
        for version in VERSIONS.iter().filter(|version| **version >= since) {
            let [_, ended, shown] = made(&cloud, &token, "c1", version, &body(kind, &sent)).await;
            assert_eq!(
                ended.body["status"], "Succeeded",
                "{kind} {version}: {}",
                ended.body
            );
            let mut expected = names(&sent);
            expected.extend(
                brought
                    .iter()
                    .filter(|(_, since)| since <= version)
                    .map(|(name, _)| *name),
            );
            expected.sort_unstable();
            assert_eq!(names(&shown.body["properties"]), expected, "{kind} {version}");
            removed(&cloud, &token, "c1", version).await;
        }
    }
}

#[tokio::test]
async fn the_envelope_and_the_operation_speak_as_their_version_does() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    for version in VERSIONS {
        let is_old = *version <= "2021-01-01";
        let [created, ended, shown] =
            made(&cloud, &token, "c1", version, &event_hub_body(LOCAL_HUB, "cg1")).await;
        for (reply, tags) in [(&created, false), (&shown, is_old)] {
            let mut expected = vec!["id", "kind", "location", "name", "properties", "type"];
            expected.extend(is_old.then_some("etag"));
            expected.extend(tags.then_some("tags"));
            expected
                .extend((*version >= "2025-02-14" && reply.status == StatusCode::OK).then_some("systemData"));
            expected.sort_unstable();
            assert_eq!(names(&reply.body), expected, "{version}");
            assert_eq!(reply.headers.contains_key("etag"), is_old, "{version}");
        }
        let told = names(&ended.body["properties"]);
        let expected: &[&str] = match *version {
            "2020-02-15" => &["OperationKind", "RootActivityId", "provisioningState"],
            _ => &[],
        };
        assert_eq!(told, expected, "{version}");
        assert_eq!(
            ended.headers.contains_key("x-ms-operation-root-activity-id"),
            !is_old,
            "{version}"
        );

        let gone = removed(&cloud, &token, "c1", version).await;
        let expected: &[&str] = match *version {
            "2020-02-15" => &["OperationKind", "RootActivityId", "provisioningState"],
            _ if is_old => &[
                "OperationKind",
                "OperationState",
                "RootActivityId",
                "provisioningState",
            ],
            _ => &["operationKind", "operationState", "provisioningState"],
        };
        assert_eq!(names(&gone.body["properties"]), expected, "{version}");
    }
}

#[tokio::test]
async fn validation_answers_at_once_or_by_an_operation() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    for version in VERSIONS {
        let path = format!("{DATABASE}/dataConnectionValidation?api-version={version}");
        let mut inner = event_hub_body(LOCAL_HUB, "cg1");
        inner["properties"]["tableName"] = json!("None");
        let sent = json!({ "dataConnectionName": "c1", "properties": inner });
        let reply = cloud.arm(Method::POST, &path, &headers, Some(&sent)).await;
        let found = json!([{ "errorMessage": "table does not exist" }]);
        if *version == "2020-02-15" {
            assert_eq!((reply.status, &reply.body["value"]), (StatusCode::OK, &found));
            continue;
        }
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{version}");
        let running = cloud.poll(&token, reply.header("location")).await;
        assert_eq!(running.status, StatusCode::ACCEPTED, "{version}");
        cloud.emulator.edit(|world| world.finish_operations(|_| true));
        let name = if *version >= "2022-12-29" {
            "value"
        } else {
            "Value"
        };
        for (url, pointer) in [("location", ""), ("azure-asyncoperation", "/properties")] {
            let end = cloud.poll(&token, reply.header(url)).await;
            let holder = end.body.pointer(pointer).unwrap();
            assert_eq!(names(holder), [name], "{version}");
            assert_eq!(holder[name], found, "{version}");
        }
    }
}

#[tokio::test]
async fn kinds_and_formats_that_came_later_are_unknown() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let with = |name: &str, value: Value| {
        let mut body = event_hub_body(LOCAL_HUB, "cg1");
        body["properties"][name] = value;
        body
    };
    let by_identity = body(
        "EventHubWithManagedIdentity",
        &json!({ "consumerGroup": "cg1",
        "eventHubResourceIdForManagedIdentity": LOCAL_HUB, "managedIdentityResourceId": IDENTITY }),
    );
    let cosmos = body(
        "CosmosDb",
        &json!({ "cosmosDbAccountResourceId": COSMOS, "cosmosDbDatabase": "d",
        "cosmosDbContainer": "c", "tableName": "Events", "managedIdentityResourceId": IDENTITY }),
    );
    let bare_grid = body(
        "EventGrid",
        &json!({ "storageAccountResourceId": STORAGE, "eventHubResourceId": LOCAL_HUB,
        "consumerGroup": "cg1" }),
    );
    for (what, body, last_refusing, first_taking) in [
        ("kind", by_identity, "2024-04-13", "2025-02-14"),
        ("kind", cosmos, "2022-07-07", "2022-11-11"),
        ("mandatory properties", bare_grid, "2020-02-15", "2020-06-14"),
        (
            "dataFormat",
            with("dataFormat", json!("AZMONSTREAM")),
            "2024-04-13",
            "2025-02-14",
        ),
        (
            "dataFormat",
            with("dataFormat", json!("ApacheAvro")),
            "2020-06-14",
            "2020-09-18",
        ),
    ] {
        let refused = cloud
            .put(&token, &[], &connection_at("c1", last_refusing), &body)
            .await;
        assert_eq!(
            (refused.status, refused.message().contains(what)),
            (StatusCode::BAD_REQUEST, true),
            "{body}"
        );
        made(&cloud, &token, "c1", first_taking, &body).await;
        removed(&cloud, &token, "c1", first_taking).await;
    }
}

#[tokio::test]
async fn values_of_another_type_or_outside_their_list_are_refused() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    for (name, value) in [
        ("dataFormat", json!("YAML")),
        ("compression", json!("Zip")),
        ("databaseRouting", json!("Some")),
        ("retrievalStartDate", json!("yesterday")),
        ("eventSystemProperties", json!("x-opt-enqueued-time")),
        ("tableName", json!(7)),
    ] {
        let mut body = event_hub_body(LOCAL_HUB, "cg1");
        body["properties"][name] = value;
        let path = connection_at("c1", "2024-04-13");
        let reply = cloud.put(&token, &[], &path, &body).await;
        assert_eq!(
            (reply.status, reply.message().contains(name)),
            (StatusCode::BAD_REQUEST, true),
            "{name}"
        );
    }
}

#[tokio::test]
async fn members_that_a_version_does_not_have_are_not_heard() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let mut sent = event_hub_body(LOCAL_HUB, "cg1");
    for (name, value) in [
        ("databaseRouting", json!("Multi")),
        ("managedIdentityObjectId", json!("me")),
        ("provisioningState", json!("Failed")),
        ("colour", json!("red")),
        ("compression", json!(null)),
    ] {
        sent["properties"][name] = value;
    }
    // Kusto reads members without regard to case.
    let group = sent["properties"]
        .as_object_mut()
        .unwrap()
        .remove("consumerGroup")
        .unwrap();
    sent["properties"]["ConsumerGroup"] = group;
    let [created, _, shown] = made(&cloud, &token, "c1", "2021-08-27", &sent).await;
    assert_eq!(
        names(&created.body["properties"]),
        [
            "consumerGroup",
            "dataFormat",
            "eventHubResourceId",
            "mappingRuleName",
            "provisioningState",
            "tableName"
        ]
    );
    assert_eq!(shown.body["properties"]["compression"], "None");
    let newest = cloud.get(&token, &connection_at("c1", "2025-02-14")).await;
    assert_eq!(newest.body["properties"]["databaseRouting"], "Single");
    assert_eq!(newest.body["properties"]["managedIdentityObjectId"], Value::Null);
}

#[tokio::test]
async fn an_identity_has_one_object_id_wherever_it_is_shown() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let mut sent = event_hub_body(LOCAL_HUB, "cg1");
    sent["properties"]["managedIdentityResourceId"] = json!(IDENTITY);
    let [created, _, shown] = made(&cloud, &token, "c1", "2024-04-13", &sent).await;
    assert!(
        created.body["properties"]
            .get("managedIdentityObjectId")
            .is_none()
    );
    let id = shown.body["properties"]["managedIdentityObjectId"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(id.len(), 36);
    removed(&cloud, &token, "c1", "2024-04-13").await;
    let [_, _, again] = made(&cloud, &token, "c2", "2024-04-13", &sent).await;
    assert_eq!(again.body["properties"]["managedIdentityObjectId"], id);
}
