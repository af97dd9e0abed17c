//! What ARM's API shows of permissions, role assignments and role definitions.

use azure_emulator::how_to::{CLUSTER, DATABASE, DOMAIN1, LOCAL_HUB};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{at, subscription};
use crate::support::{Cloud, start};

const ADMIN: &str = "acc7@domain1.com";

async fn admin(cloud: &Cloud) -> String {
    cloud
        .emulator
        .edit(|world| world.assign_role(ADMIN, "User Access Administrator", &subscription()))
        .unwrap();
    cloud.arm_token(ADMIN, "domain1.com").await
}

fn values<'a>(body: &'a Value, pointer: &str) -> Vec<&'a str> {
    let items = body["value"].as_array().unwrap();
    items
        .iter()
        .map(|item| item.pointer(pointer).unwrap().as_str().unwrap())
        .collect()
}

/// The user's object id in the first tenant.
fn oid(cloud: &Cloud, upn: &str) -> String {
    cloud.emulator.read(|world| {
        let user = world.directory.user(upn).unwrap();
        user.in_tenant(DOMAIN1).unwrap().oid.clone()
    })
}

#[tokio::test]
async fn permissions_are_told_at_every_level_and_in_pages() {
    let cloud = start().await;
    let token = cloud.arm_token("acc4@domain1.com", "domain1.com").await;
    let group = format!("{}/resourcegroups/rg-adx", subscription());
    let scopes = [subscription(), group, CLUSTER.to_owned(), DATABASE.to_owned()];
    for (given, scope) in scopes.iter().enumerate() {
        cloud
            .emulator
            .edit(|world| world.assign_role("acc4@domain1.com", "Reader", scope))
            .unwrap();
        for (level, scope) in scopes.iter().enumerate() {
            let reply = cloud.get(&token, &at(scope, "permissions")).await;
            let reaching = reply.body["value"].as_array().unwrap().len();
            assert_eq!(reaching, given.min(level) + 1, "{scope}");
            assert_eq!(
                reply.body["value"][0],
                json!({ "actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": [] })
            );
        }
    }
    cloud.emulator.edit(|world| world.set_list_page_size(Some(3)));
    let first = cloud.get(&token, &at(DATABASE, "permissions")).await;
    assert_eq!(first.body["value"].as_array().unwrap().len(), 3);
    let next = first.body["nextLink"].as_str().unwrap();
    let second = cloud.poll(&token, next).await;
    assert_eq!(second.body["value"].as_array().unwrap().len(), 1);
    assert_eq!(second.body.get("nextLink"), None);
    let wrong = format!("{}&$skiptoken=%20", at(DATABASE, "permissions"));
    assert_eq!(cloud.get(&token, &wrong).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn assignments_are_listed_at_above_and_below_and_filtered() {
    let cloud = start().await;
    let token = admin(&cloud).await;
    let (admin, one, six) = (
        oid(&cloud, ADMIN),
        oid(&cloud, "acc1@domain1.com"),
        oid(&cloud, "acc6@domain1.com"),
    );
    let all = ["acc1", "acc1", "acc3", "acc5", "acc6", "acc7"];
    let group = format!("{}/resourceGroups/rg-adx", subscription());
    for (scope, filter, expected) in [
        (subscription(), String::new(), all.as_slice()),
        (subscription(), "atScope()".to_owned(), &["acc7"]),
        (group.clone(), "atScope()".to_owned(), &["acc6", "acc7"]),
        (
            CLUSTER.to_owned(),
            String::new(),
            &["acc1", "acc3", "acc5", "acc6", "acc7"],
        ),
        (LOCAL_HUB.to_owned(), String::new(), &["acc1", "acc6", "acc7"]),
        (
            subscription(),
            format!("principalId eq '{one}'"),
            &["acc1", "acc1"],
        ),
        (subscription(), format!("principalId eq {six}"), &["acc6"]),
        (
            subscription(),
            format!("assignedTo('{}')", admin.to_uppercase()),
            &["acc7"],
        ),
        (subscription(), format!("atScope() and assignedTo('{one}')"), &[]),
    ] {
        let query = filter.replace(' ', "%20");
        let path = format!("{}&$filter={query}", at(&scope, "roleAssignments"));
        let reply = cloud.get(&token, &path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        let mut found = Vec::new();
        for principal in values(&reply.body, "/properties/principalId") {
            let user = cloud
                .emulator
                .read(|world| world.directory.user(principal).unwrap().upn.clone());
            found.push(user.split('@').next().unwrap().to_owned());
        }
        found.sort_unstable();
        assert_eq!(found, expected, "{scope} {filter}");
    }
    let odd = format!("{}&$filter=colour%20eq%20'red'", at(CLUSTER, "roleAssignments"));
    assert_eq!(cloud.get(&token, &odd).await.status, StatusCode::BAD_REQUEST);
    let nobody = cloud.arm_token("acc4@domain1.com", "domain1.com").await;
    let refused = cloud.get(&nobody, &at(CLUSTER, "roleAssignments")).await;
    assert_eq!(refused.code(), "AuthorizationFailed");
}

#[tokio::test]
async fn what_is_assigned_to_somebody_includes_what_is_their_groups() {
    let cloud = start().await;
    let token = admin(&cloud).await;
    let one = oid(&cloud, "acc1@domain1.com");
    let group = cloud.emulator.edit(|world| {
        let group = world
            .add_group("domain1.com", "Keepers", &["acc1@domain1.com"])
            .unwrap();
        world.assign_role("Keepers", "Reader", CLUSTER).unwrap();
        group
    });
    for (filter, expected, has_group) in [
        (format!("principalId%20eq%20'{one}'"), 2, false),
        (format!("assignedTo('{one}')"), 3, true),
        (format!("assignedTo('{group}')"), 1, true),
    ] {
        let path = format!("{}&$filter={filter}", at(&subscription(), "roleAssignments"));
        let reply = cloud.get(&token, &path).await;
        let held = values(&reply.body, "/properties/principalId");
        assert_eq!(held.len(), expected, "{held:?}");
        assert_eq!(held.contains(&group.as_str()), has_group, "{held:?}");
        let kinds = values(&reply.body, "/properties/principalType");
        assert_eq!(kinds.contains(&"Group"), has_group, "{kinds:?}");
    }
}

#[tokio::test]
async fn definitions_are_listed_by_name_and_kind_and_shown_by_id() {
    let cloud = start().await;
    let token = admin(&cloud).await;
    let id = cloud
        .emulator
        .edit(|world| world.define_role("Keeper", CLUSTER, &["Microsoft.Kusto/*"], &["*/delete"]))
        .unwrap();
    let listed = async |scope: &str, filter: &str| {
        let query = filter.replace(' ', "%20");
        let path = format!("{}&$filter={query}", at(scope, "roleDefinitions"));
        let reply = cloud.get(&token, &path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        values(&reply.body, "/properties/roleName")
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        listed(CLUSTER, "roleName eq 'azure event hubs data owner'").await,
        ["Azure Event Hubs Data Owner"]
    );
    assert_eq!(listed(DATABASE, "type eq 'CustomRole'").await, ["Keeper"]);
    let none: [&str; 0] = [];
    assert_eq!(listed(LOCAL_HUB, "type eq 'CustomRole'").await, none);
    assert!(listed(&subscription(), "").await.len() > 10);
    assert!(listed("", "").await.contains(&"Owner".to_owned()));
    let reply = cloud
        .get(&token, &at(CLUSTER, &format!("roleDefinitions/{id}")))
        .await;
    assert_eq!(reply.body["name"], id);
    let properties = &reply.body["properties"];
    assert_eq!(properties["type"], "CustomRole");
    assert_eq!(properties["assignableScopes"], json!([CLUSTER]));
    assert_eq!(
        properties["permissions"],
        json!([{ "actions": ["Microsoft.Kusto/*"], "notActions": ["*/delete"], "dataActions": [],
            "notDataActions": [] }])
    );
    let reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    let reply = cloud
        .get(&token, &at("", &format!("roleDefinitions/{reader}")))
        .await;
    assert_eq!(
        (&reply.body["properties"]["roleName"], &reply.body["id"]),
        (
            &json!("Reader"),
            &json!(format!(
                "/providers/Microsoft.Authorization/roleDefinitions/{reader}"
            ))
        )
    );
    let missing = cloud
        .get(&token, &at(CLUSTER, &format!("roleDefinitions/{DOMAIN1}")))
        .await;
    assert_eq!(
        (missing.status, missing.code()),
        (StatusCode::NOT_FOUND, "RoleDefinitionDoesNotExist")
    );
}
