//! Event subscriptions and system topics at ARM.

use azure_emulator::TokenOverrides;
use azure_emulator::how_to::{
    HUB2, LOCAL_HUB, STORAGE1, STORAGE3, SUBSCRIPTION_OF_STORAGE1, SUBSCRIPTION1, SUBSCRIPTION3, TOPIC3,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Cloud, start};

const VERSION: &str = "api-version=2025-02-15";
const SEEING: &str = "EventGrid EventSubscription Reader";

fn as_role(cloud: &Cloud, tenant: &str, role: &str, subscription: &str) -> String {
    let scope = format!("/subscriptions/{subscription}");
    cloud
        .emulator
        .edit(|world| world.assign_role("acc3@domain1.com", role, &scope))
        .unwrap();
    cloud.mint_arm("acc3@domain1.com", tenant, TokenOverrides::default())
}

fn ids(body: &Value) -> Vec<&str> {
    let items = body["value"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_subscription_on_an_account_shows_where_it_delivers() {
    let cloud = start().await;
    let token = as_role(&cloud, "domain1.com", SEEING, SUBSCRIPTION1);
    let shown = cloud
        .get(&token, &format!("{SUBSCRIPTION_OF_STORAGE1}?{VERSION}"))
        .await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    let topic = STORAGE1.replace(
        "Microsoft.Storage/storageAccounts",
        "microsoft.storage/storageaccounts",
    );
    let expected = json!({
        "properties": {
            "topic": topic,
            "provisioningState": "Succeeded",
            "destination": { "properties": { "resourceId": LOCAL_HUB }, "endpointType": "EventHub" },
            "filter": { "subjectBeginsWith": "", "subjectEndsWith": "",
                "includedEventTypes": ["Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"] },
            "labels": null,
            "eventDeliverySchema": "EventGridSchema",
            "retryPolicy": { "maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440 },
        },
        "systemData": null,
        "id": SUBSCRIPTION_OF_STORAGE1,
        "name": "blobs-to-hub1",
        "type": "Microsoft.EventGrid/eventSubscriptions",
    });
    assert_eq!(shown.body, expected);
    let account = STORAGE1.to_uppercase();
    let group = STORAGE1.split("/providers/").next().unwrap();
    for scope in [
        account.as_str(),
        group,
        &format!("/subscriptions/{SUBSCRIPTION1}"),
    ] {
        let path = format!("{scope}/providers/Microsoft.EventGrid/eventSubscriptions?{VERSION}&%24top=100");
        let list = cloud.get(&token, &path).await;
        assert_eq!(ids(&list.body), [SUBSCRIPTION_OF_STORAGE1], "{path}");
        assert_eq!(list.body["value"][0], expected);
    }
    for middle in [
        "locations/westeurope",
        "topicTypes/Microsoft.Storage.StorageAccounts",
        "locations/westeurope/topicTypes/Microsoft.Storage.StorageAccounts",
    ] {
        let path = format!(
            "/subscriptions/{SUBSCRIPTION1}/providers/Microsoft.EventGrid/{middle}/eventSubscriptions?{VERSION}"
        );
        assert_eq!(
            ids(&cloud.get(&token, &path).await.body),
            [SUBSCRIPTION_OF_STORAGE1],
            "{middle}"
        );
    }
}

#[tokio::test]
async fn a_subscription_of_a_topic_shows_the_identity_that_it_delivers_with() {
    let cloud = start().await;
    let token = as_role(&cloud, "domain3.com", "Reader", SUBSCRIPTION3);
    let topic = cloud.get(&token, &format!("{TOPIC3}?{VERSION}")).await.body;
    assert_eq!(topic["properties"]["source"], STORAGE3);
    assert_eq!(
        topic["properties"]["topicType"],
        "Microsoft.Storage.StorageAccounts"
    );
    let path = format!("/subscriptions/{SUBSCRIPTION3}/providers/Microsoft.EventGrid/systemTopics?{VERSION}");
    // A filter on the name is not heard.
    let all = cloud
        .get(&token, &format!("{path}&%24filter=name%20eq%20'other'"))
        .await;
    assert_eq!(all.body["value"], json!([topic]));
    let nested = cloud
        .get(&token, &format!("{TOPIC3}/eventSubscriptions?{VERSION}"))
        .await;
    let properties = &nested.body["value"][0]["properties"];
    assert_eq!(properties["topic"], TOPIC3);
    assert_eq!(properties["destination"], Value::Null);
    let delivery = &properties["deliveryWithResourceIdentity"];
    assert_eq!(delivery["identity"]["type"], "UserAssigned");
    assert_eq!(
        delivery["identity"]["federatedIdentityCredentialInfo"]["federatedClientId"],
        "a0000000-0000-4000-8000-000000000005"
    );
    assert_eq!(delivery["destination"]["properties"]["resourceId"], HUB2);
    assert_eq!(
        nested.body["value"][0]["type"],
        "Microsoft.EventGrid/systemTopics/eventSubscriptions"
    );
    let one = format!("{TOPIC3}/eventSubscriptions/blobs-to-domain2?{VERSION}");
    assert_eq!(cloud.get(&token, &one).await.body, nested.body["value"][0]);
    // The account's own list has none: it is the topic's.
    let own = format!("{STORAGE3}/providers/Microsoft.EventGrid/eventSubscriptions?{VERSION}");
    assert_eq!(cloud.get(&token, &own).await.body, json!({ "value": [] }));
}

#[tokio::test]
async fn who_sees_event_subscriptions_need_not_see_system_topics() {
    let cloud = start().await;
    let token = as_role(&cloud, "domain3.com", SEEING, SUBSCRIPTION3);
    let own = format!("{STORAGE3}/providers/Microsoft.EventGrid/eventSubscriptions?{VERSION}");
    assert_eq!(cloud.get(&token, &own).await.status, StatusCode::OK);
    for path in [
        format!("{TOPIC3}?{VERSION}"),
        format!("{TOPIC3}/eventSubscriptions?{VERSION}"),
        format!("{TOPIC3}/eventSubscriptions/blobs-to-domain2?{VERSION}"),
    ] {
        assert_eq!(
            cloud.get(&token, &path).await.code(),
            "AuthorizationFailed",
            "{path}"
        );
    }
    let topics =
        format!("/subscriptions/{SUBSCRIPTION3}/providers/Microsoft.EventGrid/systemTopics?{VERSION}");
    assert_eq!(cloud.get(&token, &topics).await.body, json!({ "value": [] }));
    let nobody = cloud.arm_token("acc5@domain1.com", "domain1.com").await;
    let refused = format!("{STORAGE1}/providers/Microsoft.EventGrid/eventSubscriptions?{VERSION}");
    assert_eq!(cloud.get(&nobody, &refused).await.code(), "AuthorizationFailed");
}

#[tokio::test]
async fn lists_have_pages_as_long_as_the_caller_says() {
    let cloud = start().await;
    let token = as_role(&cloud, "domain1.com", SEEING, SUBSCRIPTION1);
    let base = format!("{STORAGE1}/providers/Microsoft.EventGrid/eventSubscriptions");
    let body = json!({ "properties": { "destination":
        { "endpointType": "EventHub", "properties": { "resourceId": LOCAL_HUB } } } });
    cloud.emulator.edit(|world| {
        for number in 0..4 {
            world
                .set_event_subscription(&format!("{base}/more-{number}"), &body)
                .unwrap();
        }
    });
    let mut path = format!("{base}?{VERSION}&%24top=2");
    let mut sizes = Vec::new();
    loop {
        let page = cloud.get(&token, &path).await.body;
        sizes.push(ids(&page).len());
        let Some(next) = page["nextLink"].as_str() else {
            break;
        };
        path = next
            .strip_prefix(cloud.emulator.arm_url().as_str().trim_end_matches('/'))
            .unwrap()
            .to_owned();
    }
    assert_eq!(sizes, [2, 2, 1]);
}

#[tokio::test]
async fn an_event_subscription_that_cannot_be_is_refused_with_what_it_lacks() {
    let cloud = start().await;
    let on_account = format!("{STORAGE1}/providers/Microsoft.EventGrid/eventSubscriptions/x");
    let to_hub = json!({ "endpointType": "EventHub", "properties": { "resourceId": LOCAL_HUB } });
    let whole = json!({ "properties": { "destination": to_hub } });
    for (id, body, told) in [
        (on_account.as_str(), json!({}), "`properties`"),
        (
            &on_account,
            json!({ "properties": {} }),
            "`properties.destination`",
        ),
        (
            &on_account,
            json!({ "properties": { "destination": { "endpointType": "WebHook" } } }),
            "`properties.destination.endpointType`",
        ),
        (
            &on_account,
            json!({ "properties": { "destination": to_hub, "filter": { "includedEventTypes": 7 } } }),
            "`properties.filter.includedEventTypes`",
        ),
        (STORAGE1, whole.clone(), "is not the id of a event subscription"),
        (
            &on_account.replace("stdomain1", "nowhere"),
            whole.clone(),
            "storage account",
        ),
        (
            &format!(
                "{}/eventSubscriptions/x",
                TOPIC3.replace("topic-domain3", "nowhere")
            ),
            whole,
            "system topic",
        ),
    ] {
        let refused = cloud
            .emulator
            .edit(|world| world.set_event_subscription(id, &body));
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(told), "{text}");
    }
}
