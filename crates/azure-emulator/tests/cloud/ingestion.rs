//! Whether events flow, and what stops and mends it.

use azure_emulator::how_to::{DATABASE, HUB1, LOCAL_HUB, NAMESPACE};
use azure_emulator::resources::{ChangeError, Hindrance, KeyKind, ROOT_RULE};
use azure_emulator::{Emulator, World};
use serde_json::json;

use crate::support::{Cloud, connection, event_hub_body, start};

fn reasons(emulator: &Emulator) -> Vec<Hindrance> {
    let found = emulator
        .ingestion(&format!("{DATABASE}/dataConnections/c1"))
        .unwrap();
    assert_eq!(found.flows, found.reasons.is_empty());
    found.reasons
}

/// PUT across tenants, with both tokens.
async fn put(cloud: &Cloud) {
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let other = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    let reply = cloud
        .put(&token, &[&other], &connection("c1"), &event_hub_body(HUB1, "cg1"))
        .await;
    assert!(reply.status.is_success(), "{}", reply.body);
}

async fn connected() -> Cloud {
    let cloud = start().await;
    put(&cloud).await;
    assert_eq!(reasons(&cloud.emulator), [Hindrance::NotProvisioned]);
    cloud.emulator.edit(|world| world.finish_operations(|_| true));
    assert_eq!(reasons(&cloud.emulator), []);
    cloud
}

type Change = fn(&mut World) -> Result<(), ChangeError>;

#[tokio::test]
async fn each_thing_that_ingestion_lives_on_stops_it_when_it_goes() {
    let table: [(Change, Hindrance, Change); 6] = [
        (
            |world| world.set_local_auth(NAMESPACE, false),
            Hindrance::LocalAuthDisabled,
            |world| world.set_local_auth(NAMESPACE, true),
        ),
        (
            |world| world.remove_event_hub(HUB1),
            Hindrance::EventHubMissing,
            |world| world.add_event_hub(HUB1, &["cg1"]),
        ),
        (
            |world| world.remove_consumer_group(HUB1, "cg1"),
            Hindrance::ConsumerGroupMissing,
            |world| world.add_consumer_group(HUB1, "cg1"),
        ),
        (
            |world| world.remove_table(DATABASE, "Events"),
            Hindrance::TableMissing,
            |world| world.set_table(DATABASE, "Events", &["EventsMapping"]),
        ),
        (
            |world| world.set_table(DATABASE, "Events", &[]),
            Hindrance::MappingMissing,
            |world| world.set_table(DATABASE, "Events", &["EventsMapping"]),
        ),
        (
            |world| world.rotate_key(NAMESPACE, ROOT_RULE, KeyKind::Primary),
            Hindrance::KeyNotCurrent,
            // Only Kusto itself can mend this, when it is asked to: see below.
            |_| Ok(()),
        ),
    ];
    for (stop, reason, mend) in table {
        let cloud = connected().await;
        cloud.emulator.edit(stop).unwrap();
        assert_eq!(reasons(&cloud.emulator), [reason]);
        cloud.emulator.edit(mend).unwrap();
        let rest: &[Hindrance] = match reason {
            Hindrance::KeyNotCurrent => &[Hindrance::KeyNotCurrent],
            _ => &[],
        };
        assert_eq!(reasons(&cloud.emulator), rest);
    }
}

#[tokio::test]
async fn what_becomes_of_its_makers_rights_does_not_stop_it() {
    let cloud = connected().await;
    cloud
        .emulator
        .edit(|world| {
            world.revoke_roles("acc2@domain2.com", NAMESPACE)?;
            world.disable_user("acc2@domain2.com")?;
            world.rotate_key(NAMESPACE, ROOT_RULE, KeyKind::Secondary)
        })
        .unwrap();
    assert_eq!(reasons(&cloud.emulator), []);
}

#[tokio::test]
async fn after_a_rotation_a_further_put_mends_it_once_it_is_through() {
    let cloud = connected().await;
    let rotate = |world: &mut World| world.rotate_key(NAMESPACE, ROOT_RULE, KeyKind::Primary);
    cloud.emulator.edit(rotate).unwrap();
    put(&cloud).await;
    assert_eq!(
        reasons(&cloud.emulator),
        [Hindrance::KeyNotCurrent],
        "the old one still runs"
    );
    cloud.emulator.edit(|world| world.finish_operations(|_| true));
    assert_eq!(reasons(&cloud.emulator), []);
}

#[tokio::test]
async fn a_put_that_fails_mends_nothing() {
    let cloud = connected().await;
    let rotate = |world: &mut World| world.rotate_key(NAMESPACE, ROOT_RULE, KeyKind::Primary);
    cloud.emulator.edit(rotate).unwrap();
    put(&cloud).await;
    let failure = azure_emulator::resources::Failure {
        code: "Unlucky".to_owned(),
        message: "not today".to_owned(),
    };
    cloud
        .emulator
        .edit(|world| world.fail_operations(&failure, |_| true));
    assert_eq!(reasons(&cloud.emulator), [Hindrance::KeyNotCurrent]);
}

#[tokio::test]
async fn an_identity_needs_no_key() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let mut body = event_hub_body(LOCAL_HUB, "cg1");
    body["properties"]["managedIdentityResourceId"] = json!(DATABASE.split("/databases").next().unwrap());
    cloud.put(&token, &[], &connection("c1"), &body).await;
    let namespace = LOCAL_HUB.split("/eventhubs").next().unwrap();
    cloud.emulator.edit(|world| {
        world.finish_operations(|_| true);
        world.set_local_auth(namespace, false).unwrap();
        world.rotate_key(namespace, ROOT_RULE, KeyKind::Primary).unwrap();
    });
    assert_eq!(reasons(&cloud.emulator), []);
}

#[tokio::test]
async fn it_is_told_in_words_that_a_program_can_read() {
    let cloud = connected().await;
    let id = format!("{DATABASE}/dataConnections/c1");
    cloud
        .emulator
        .edit(|world| {
            world.set_local_auth(NAMESPACE, false)?;
            world.remove_table(DATABASE, "Events")
        })
        .unwrap();
    assert_eq!(
        serde_json::to_value(cloud.emulator.ingestion(&id)).unwrap(),
        json!({ "flows": false, "reasons": ["localAuthDisabled", "tableMissing"] })
    );
    assert_eq!(cloud.emulator.ingestion(&format!("{id}2")), None);
}
