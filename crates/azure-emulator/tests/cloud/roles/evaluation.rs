//! Who may do what: built-in and custom roles, given at a scope to users, guests and apps.

use std::time::Duration;

use azure_emulator::how_to::{CLUSTER, DATABASE, HUB1, LOCAL_HUB, NAMESPACE};
use reqwest::{Method, StatusCode};

use super::subscription;
use crate::support::{Cloud, connection, event_hub_body, start};

/// No roles anywhere to begin with.
const USER: &str = "acc4@domain1.com";
const READ_CLUSTER: &str = "Microsoft.Kusto/clusters/read";
const READ_CONNECTIONS: &str = "Microsoft.Kusto/clusters/databases/dataConnections/read";

fn cluster() -> String {
    format!("{CLUSTER}?api-version=2024-04-13")
}

async fn may_read(cloud: &Cloud, token: &str, path: &str) -> bool {
    let reply = cloud.get(token, path).await;
    match reply.status {
        StatusCode::FORBIDDEN => {
            assert_eq!(reply.code(), "AuthorizationFailed");
            false
        }
        _ => true,
    }
}

#[tokio::test]
async fn a_role_reaches_down_from_its_scope_and_nowhere_else() {
    let cloud = start().await;
    let group = format!("{}/resourceGroups/rg-adx", subscription());
    for (scope, reads_cluster, reads_connections) in [
        (subscription(), true, true),
        (group.to_uppercase(), true, true),
        (CLUSTER.to_owned(), true, true),
        (DATABASE.to_owned(), false, true),
        (LOCAL_HUB.to_owned(), false, false),
    ] {
        cloud
            .emulator
            .edit(|world| world.assign_role(USER, "Reader", &scope))
            .unwrap();
        let token = cloud.arm_token(USER, "domain1.com").await;
        let list = format!("{DATABASE}/dataConnections?api-version=2024-04-13");
        assert_eq!(
            may_read(&cloud, &token, &cluster()).await,
            reads_cluster,
            "{scope}"
        );
        assert_eq!(
            may_read(&cloud, &token, &list).await,
            reads_connections,
            "{scope}"
        );
        cloud
            .emulator
            .edit(|world| world.revoke_roles(USER, &scope))
            .unwrap();
        assert!(!may_read(&cloud, &token, &list).await, "{scope}");
    }
}

#[tokio::test]
async fn actions_are_patterns_and_not_actions_hold_for_their_own_role_only() {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    let list = format!("{DATABASE}/dataConnections?api-version=2024-04-13");
    let scope = subscription();
    for (i, (roles, cluster_read, connections_read)) in [
        (vec![(READ_CLUSTER, "")], true, false),
        (vec![("microsoft.KUSTO/Clusters/READ", "")], true, false),
        (vec![("Microsoft.Kusto/*/read", "")], true, true),
        (vec![("*", "")], true, true),
        (vec![("Microsoft.Kusto/clusters/*/read", "")], false, true),
        (vec![("*/read", "Microsoft.Kusto/clusters/read")], false, true),
        (vec![("*/read", "Microsoft.Kusto/*/databases/*")], true, false),
        (vec![("*/write", "")], false, false),
        (
            vec![("*/read", READ_CONNECTIONS), (READ_CONNECTIONS, "")],
            true,
            true,
        ),
        (vec![("*/read", "*"), (READ_CLUSTER, "")], true, false),
    ]
    .into_iter()
    .enumerate()
    {
        cloud.emulator.edit(|world| {
            for (j, (action, not_action)) in roles.iter().enumerate() {
                let name = format!("Role {i} {j}");
                let without: Vec<&str> = Some(*not_action)
                    .filter(|text| !text.is_empty())
                    .into_iter()
                    .collect();
                world.define_role(&name, &scope, &[action], &without).unwrap();
                world.assign_role(USER, &name, &scope).unwrap();
            }
        });
        assert_eq!(
            may_read(&cloud, &token, &cluster()).await,
            cluster_read,
            "{roles:?}"
        );
        assert_eq!(
            may_read(&cloud, &token, &list).await,
            connections_read,
            "{roles:?}"
        );
        cloud
            .emulator
            .edit(|world| world.revoke_roles(USER, &scope))
            .unwrap();
    }
}

#[tokio::test]
async fn guests_and_apps_hold_roles_by_their_object_id_in_the_tenant() {
    let cloud = start().await;
    let path = format!("{NAMESPACE}?api-version=2024-01-01");
    let app = cloud.app_token("domain2.com").await;
    let guest = cloud.arm_token("acc6@domain1.com", "domain2.com").await;
    cloud.emulator.edit(|world| {
        let group = NAMESPACE.split("/providers/").next().unwrap();
        world.revoke_roles("acc6@domain1.com", group).unwrap();
    });
    for (principal, token) in [("acc6@domain1.com", &guest), ("tenant-bridge", &app)] {
        assert!(!may_read(&cloud, token, &path).await, "{principal}");
        cloud
            .emulator
            .edit(|world| world.assign_role(principal, "Reader", NAMESPACE))
            .unwrap();
        assert!(may_read(&cloud, token, &path).await, "{principal}");
    }
}

#[tokio::test]
async fn members_of_a_group_hold_its_roles_as_long_as_they_are_in_it() {
    let cloud = start().await;
    let app = cloud.app_token("domain1.com").await;
    let user = cloud.arm_token(USER, "domain1.com").await;
    let group = cloud.emulator.edit(|world| {
        let group = world.add_group("domain1.com", "Keepers", &[USER]).unwrap();
        world.assign_role("Keepers", "Reader", CLUSTER).unwrap();
        group
    });
    assert!(may_read(&cloud, &user, &cluster()).await);
    assert!(!may_read(&cloud, &app, &cluster()).await);
    cloud.emulator.edit(|world| {
        world.add_member("domain1.com", &group, "tenant-bridge").unwrap();
        world.remove_member("domain1.com", &group, USER).unwrap();
    });
    assert!(!may_read(&cloud, &user, &cluster()).await);
    assert!(may_read(&cloud, &app, &cluster()).await);
}

#[tokio::test]
async fn an_auxiliary_principals_groups_count_for_linked_access() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let guest = cloud.arm_token("acc6@domain1.com", "domain2.com").await;
    let body = event_hub_body(HUB1, "$Default");
    let put = async || cloud.put(&token, &[&guest], &connection("c1"), &body).await;
    assert_eq!(put().await.code(), "LinkedAuthorizationFailed");
    cloud.emulator.edit(|world| {
        world
            .add_group("domain2.com", "Streams", &["acc6@domain1.com"])
            .unwrap();
        world
            .assign_role("Streams", "Azure Event Hubs Data Owner", NAMESPACE)
            .unwrap();
    });
    assert_eq!(put().await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn linked_access_asks_for_the_same_roles_of_the_auxiliary_principal() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let body = event_hub_body(HUB1, "$Default");
    let app = cloud.app_token("domain2.com").await;
    let put = async || cloud.put(&token, &[&app], &connection("c1"), &body).await;
    assert_eq!(put().await.code(), "LinkedAuthorizationFailed");
    cloud.emulator.edit(|world| {
        let all = ["Microsoft.EventHub/*"];
        let but_keys = ["*/listKeys/action"];
        world.define_role("Almost", NAMESPACE, &all, &but_keys).unwrap();
        world.assign_role("tenant-bridge", "Almost", NAMESPACE).unwrap();
    });
    let reply = put().await;
    assert_eq!(reply.code(), "LinkedAuthorizationFailed");
    assert!(reply.message().contains("listkeys/action"));
    cloud.emulator.edit(|world| {
        let keys = ["Microsoft.EventHub/namespaces/authorizationRules/listKeys/action"];
        world.define_role("Keys", NAMESPACE, &keys, &[]).unwrap();
        world.assign_role("tenant-bridge", "Keys", NAMESPACE).unwrap();
    });
    assert_eq!(put().await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn role_changes_count_when_their_lag_is_over() {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    let minutes = |n: u64| cloud.emulator.clock().advance(Duration::from_secs(60 * n));
    let give = || {
        cloud
            .emulator
            .edit(|world| world.assign_role(USER, "Reader", CLUSTER))
            .unwrap();
    };
    let take = || {
        cloud
            .emulator
            .edit(|world| world.revoke_roles(USER, CLUSTER))
            .unwrap();
    };
    cloud
        .emulator
        .edit(|world| world.set_role_lag(Duration::from_secs(300)));
    give();
    minutes(4);
    assert!(!may_read(&cloud, &token, &cluster()).await);
    minutes(1);
    assert!(may_read(&cloud, &token, &cluster()).await);
    take();
    minutes(4);
    assert!(may_read(&cloud, &token, &cluster()).await);
    minutes(1);
    assert!(!may_read(&cloud, &token, &cluster()).await);
    give();
    take();
    minutes(5);
    assert!(
        !may_read(&cloud, &token, &cluster()).await,
        "what was taken in time never counted"
    );
    let deleted = cloud.send(Method::DELETE, &token, &connection("c1"), None).await;
    assert_eq!(deleted.code(), "AuthorizationFailed");
}
