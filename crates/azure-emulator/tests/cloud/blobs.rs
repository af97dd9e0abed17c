//! Blobs that become events, and events that arrive in data connections, or not.

use azure_emulator::World;
use azure_emulator::how_to::{
    DATABASE, HUB2, LOCAL_HUB, NAMESPACE, STORAGE1, STORAGE2, SUBSCRIPTION_OF_STORAGE1,
};
use azure_emulator::resources::{BlobEvent, Hindrance, KeyKind, NewBlob, ROOT_RULE, Upload};
use serde_json::{Value, json};

use crate::support::{Cloud, start};

const CREATED: &str = "Microsoft.Storage.BlobCreated";
const RENAMED: &str = "Microsoft.Storage.BlobRenamed";

fn name() -> String {
    format!("{DATABASE}/dataConnections/blobs")
}

/// A data connection that someone else made, with changes to what is usual.
fn add(world: &mut World, account: &str, hub: &str, changes: &Value) {
    let mut properties = json!({ "storageAccountResourceId": account, "eventHubResourceId": hub,
        "consumerGroup": "cg1", "tableName": "Events" });
    for (member, value) in changes.as_object().unwrap() {
        properties[member] = value.clone();
    }
    let body = json!({ "kind": "EventGrid", "properties": properties });
    world.add_data_connection(&name(), &body).unwrap();
}

fn upload(world: &mut World, account: &str, path: &str, event: BlobEvent) -> Upload {
    let blob = NewBlob {
        account: account.to_owned(),
        container: "raw".to_owned(),
        path: path.to_owned(),
        event,
        api: None,
    };
    world.upload_blob(&blob).unwrap()
}

fn delivering_to(hub: &str, filter: &Value) -> Value {
    json!({ "properties": { "filter": filter,
        "destination": { "endpointType": "EventHub", "properties": { "resourceId": hub } } } })
}

async fn connected() -> Cloud {
    let cloud = start().await;
    cloud
        .emulator
        .edit(|world| add(world, STORAGE1, LOCAL_HUB, &json!({})));
    cloud
}

#[tokio::test]
async fn a_blob_becomes_an_event_that_arrives() {
    let cloud = connected().await;
    let upload = cloud
        .emulator
        .edit(|world| upload(world, STORAGE1, "2026/a.csv", BlobEvent::Created));
    let arrived: Vec<String> = upload.arrived_in().iter().map(ToString::to_string).collect();
    assert_eq!(arrived, [name()]);
    assert_eq!(upload.delivered_by[0].as_str(), SUBSCRIPTION_OF_STORAGE1);
    let event = upload.event.unwrap();
    assert_eq!(
        (&event["eventType"], &event["subject"], &event["topic"]),
        (
            &json!(CREATED),
            &json!("/blobServices/default/containers/raw/blobs/2026/a.csv"),
            &json!(STORAGE1)
        )
    );
    assert_eq!(
        event["data"]["url"],
        "https://stdomain1.blob.core.windows.net/raw/2026/a.csv"
    );
    assert_eq!(event["data"]["api"], "PutBlob");
    assert_eq!(
        cloud.emulator.ingestion(&name()).unwrap().reasons,
        Vec::<Hindrance>::new()
    );
}

type Change = fn(&mut World);

/// Each change alone, and what keeps blobs from arriving then; the last says whether ingestion tells so beforehand.
#[expect(clippy::too_many_lines, reason = "a table")]
fn changes() -> Vec<(Change, Hindrance, bool)> {
    vec![
        (
            |world| {
                world.remove_event_subscription(SUBSCRIPTION_OF_STORAGE1).unwrap();
            },
            Hindrance::EventSubscriptionMissing,
            true,
        ),
        (
            |world| set(world, &delivering_to(HUB2, &json!({}))),
            Hindrance::EventSubscriptionMissing,
            true,
        ),
        (
            |world| {
                set(
                    world,
                    &delivering_to(LOCAL_HUB, &json!({ "subjectBeginsWith": "raw/" })),
                );
            },
            Hindrance::EventSubscriptionMissing,
            true,
        ),
        (
            |world| {
                let filter = json!({ "subjectBeginsWith": "/blobServices/default/containers/other/" });
                set(world, &delivering_to(LOCAL_HUB, &filter));
            },
            Hindrance::EventSubscriptionMissing,
            false,
        ),
        (
            |world| {
                let filter = json!({ "advancedFilters": [
                    { "operatorType": "StringNotIn", "key": "data.api", "values": ["PutBlob"] }] });
                set(world, &delivering_to(LOCAL_HUB, &filter));
            },
            Hindrance::EventSubscriptionMissing,
            false,
        ),
        (
            |world| {
                let filter = json!({ "includedEventTypes": ["Microsoft.Storage.BlobDeleted"] });
                set(world, &delivering_to(LOCAL_HUB, &filter));
            },
            Hindrance::EventSubscriptionMissing,
            true,
        ),
        (
            |world| {
                let mut body = delivering_to(LOCAL_HUB, &json!({}));
                body["properties"]["provisioningState"] = json!("AwaitingManualAction");
                set(world, &body);
            },
            Hindrance::EventSubscriptionMissing,
            true,
        ),
        (
            |world| {
                world.rotate_storage_key(STORAGE1, KeyKind::Primary).unwrap();
            },
            Hindrance::StorageKeyNotCurrent,
            true,
        ),
        (
            |world| world.set_shared_key_access(STORAGE1, Some(false)).unwrap(),
            Hindrance::SharedKeyAccessDisabled,
            true,
        ),
        (
            |world| {
                let namespace = LOCAL_HUB.split("/eventhubs/").next().unwrap();
                world.rotate_key(namespace, ROOT_RULE, KeyKind::Primary).unwrap();
            },
            Hindrance::KeyNotCurrent,
            true,
        ),
        (
            |world| world.remove_table(DATABASE, "Events").unwrap(),
            Hindrance::TableMissing,
            true,
        ),
        (
            |world| world.remove_consumer_group(LOCAL_HUB, "cg1").unwrap(),
            Hindrance::ConsumerGroupMissing,
            true,
        ),
    ]
}

fn set(world: &mut World, body: &Value) {
    world
        .set_event_subscription(SUBSCRIPTION_OF_STORAGE1, body)
        .unwrap();
}

#[tokio::test]
async fn whatever_keeps_a_blob_from_arriving_is_named() {
    for (change, hindrance, beforehand) in changes() {
        let cloud = connected().await;
        let upload = cloud.emulator.edit(|world| {
            change(world);
            upload(world, STORAGE1, "a.csv", BlobEvent::Created)
        });
        assert_eq!(upload.connections[0].1, [hindrance]);
        let told = cloud.emulator.ingestion(&name()).unwrap();
        assert_eq!(told.reasons.contains(&hindrance), beforehand, "{hindrance:?}");
        cloud.emulator.stop().await;
    }
}

#[tokio::test]
async fn without_the_account_nothing_flows_and_without_a_key_an_identity_reads() {
    let cloud = connected().await;
    let ingestion = || cloud.emulator.ingestion(&name()).unwrap();
    let by_identity = json!({ "managedIdentityResourceId": "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1" });
    cloud.emulator.edit(|world| {
        add(world, STORAGE1, LOCAL_HUB, &by_identity);
        world.rotate_storage_key(STORAGE1, KeyKind::Primary).unwrap();
        world.set_shared_key_access(STORAGE1, Some(false)).unwrap();
    });
    assert!(ingestion().flows, "{:?}", ingestion());
    cloud
        .emulator
        .edit(|world| world.remove_storage_account(STORAGE1))
        .unwrap();
    assert_eq!(ingestion().reasons, [Hindrance::StorageAccountMissing]);
    let gone = cloud
        .emulator
        .read(|world| world.resources.event_subscriptions.len());
    assert_eq!(gone, 2, "its event subscription is gone with it");
}

#[tokio::test]
async fn renames_arrive_only_where_they_are_raised_delivered_and_listened_to() {
    let listening = json!({ "blobStorageEventType": RENAMED });
    let both = json!({ "includedEventTypes": [CREATED, RENAMED] });
    let subscription = format!("{STORAGE2}/providers/Microsoft.EventGrid/eventSubscriptions/blobs-to-hub2");
    for (account, hub, filter, listens, event, reasons) in [
        (
            STORAGE2,
            HUB2,
            Some(&both),
            &listening,
            BlobEvent::Renamed,
            vec![],
        ),
        // The usual types have no renames.
        (
            STORAGE2,
            HUB2,
            None,
            &listening,
            BlobEvent::Renamed,
            vec![Hindrance::EventSubscriptionMissing],
        ),
        (
            STORAGE2,
            HUB2,
            Some(&both),
            &json!({}),
            BlobEvent::Renamed,
            vec![Hindrance::OtherEventType],
        ),
        (
            STORAGE2,
            HUB2,
            Some(&both),
            &listening,
            BlobEvent::Created,
            vec![Hindrance::OtherEventType],
        ),
        // A flat account raises none, whatever is listened to.
        (
            STORAGE1,
            LOCAL_HUB,
            None,
            &listening,
            BlobEvent::Renamed,
            vec![Hindrance::EventsNotRaised],
        ),
    ] {
        let cloud = start().await;
        let upload = cloud.emulator.edit(|world| {
            if let Some(filter) = filter {
                let body = delivering_to(hub, filter);
                world.set_event_subscription(&subscription, &body).unwrap();
            }
            add(world, account, hub, listens);
            upload(world, account, "b.csv", event)
        });
        assert_eq!(upload.connections[0].1, reasons, "{account} {listens} {event:?}");
        cloud.emulator.stop().await;
    }
}

#[tokio::test]
async fn a_namespace_that_refuses_keys_takes_events_by_identity_alone() {
    let cloud = start().await;
    let subscription = format!("{STORAGE2}/providers/Microsoft.EventGrid/eventSubscriptions/blobs-to-hub2");
    let delivered = || {
        let upload = cloud
            .emulator
            .edit(|world| upload(world, STORAGE2, "c.csv", BlobEvent::Created));
        upload.delivered_by.len()
    };
    assert_eq!(delivered(), 1);
    cloud
        .emulator
        .edit(|world| world.set_local_auth(NAMESPACE, false))
        .unwrap();
    assert_eq!(delivered(), 0);
    let by_identity = json!({ "properties": { "deliveryWithResourceIdentity": {
        "identity": { "type": "SystemAssigned" },
        "destination": { "endpointType": "EventHub", "properties": { "resourceId": HUB2 } },
    } } });
    cloud
        .emulator
        .edit(|world| world.set_event_subscription(&subscription, &by_identity))
        .unwrap();
    assert_eq!(delivered(), 1);
}

#[tokio::test]
async fn no_more_uploads_are_kept_than_a_thousand() {
    let cloud = connected().await;
    let kept = cloud.emulator.edit(|world| {
        for number in 0..1_003 {
            upload(world, STORAGE1, &format!("{number}.csv"), BlobEvent::Created);
        }
        let uploads = &world.resources.uploads;
        let first = uploads.front().and_then(|upload| upload.event.clone()).unwrap();
        (uploads.len(), first["subject"].as_str().unwrap().to_owned())
    });
    assert_eq!(
        kept,
        (
            1_000,
            "/blobServices/default/containers/raw/blobs/3.csv".to_owned()
        )
    );
}
