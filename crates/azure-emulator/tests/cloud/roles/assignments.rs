//! Giving and taking roles over ARM's API.

use azure_emulator::how_to::{CLUSTER, DOMAIN1, NAMESPACE, TENANT_BRIDGE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{at, subscription};
use crate::support::{Cloud, start};

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const ONE: &str = "a5500000-0000-4000-8000-000000000001";
const TWO: &str = "a5500000-0000-4000-8000-000000000002";
const ACC4: &str = "0acc0004-0000-4000-8000-000000000001";
const ACC6: &str = "0acc0006-0000-4000-8000-000000000001";

/// A token of somebody who may give roles in the first subscription.
async fn giver(cloud: &Cloud, role: &str) -> String {
    cloud
        .emulator
        .edit(|world| world.assign_role("acc7@domain1.com", role, &subscription()))
        .unwrap();
    cloud.arm_token("acc7@domain1.com", "domain1.com").await
}

fn definition(id: &str) -> String {
    format!(
        "{}/providers/Microsoft.Authorization/roleDefinitions/{id}",
        subscription()
    )
}

fn body(role: &str, principal: &str, kind: Option<&str>) -> Value {
    let mut properties = json!({ "roleDefinitionId": role, "principalId": principal });
    if let Some(kind) = kind {
        properties["principalType"] = json!(kind);
    }
    json!({ "properties": properties })
}

fn address(name: &str) -> String {
    at(CLUSTER, &format!("roleAssignments/{name}"))
}

#[tokio::test]
async fn a_role_is_given_seen_and_taken() {
    let cloud = start().await;
    let giver = giver(&cloud, "Role Based Access Control Administrator").await;
    let holder = cloud.arm_token("acc4@domain1.com", "domain1.com").await;
    let cluster = format!("{CLUSTER}?api-version=2024-04-13");
    assert_eq!(cloud.get(&holder, &cluster).await.status, StatusCode::FORBIDDEN);
    let wanted = body(&definition(READER), &ACC4.to_uppercase(), None);
    let made = cloud
        .send(Method::PUT, &giver, &address(ONE), Some(&wanted))
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{:?}", made.body);
    assert_eq!(
        made.body["id"],
        format!("{CLUSTER}/providers/Microsoft.Authorization/roleAssignments/{ONE}")
    );
    let properties = &made.body["properties"];
    assert_eq!(
        (
            &properties["principalId"],
            &properties["principalType"],
            &properties["scope"],
            &properties["roleDefinitionId"]
        ),
        (
            &json!(ACC4),
            &json!("User"),
            &json!(CLUSTER),
            &json!(definition(READER))
        )
    );
    assert_eq!(cloud.get(&holder, &cluster).await.status, StatusCode::OK);
    let again = cloud
        .send(Method::PUT, &giver, &address(ONE), Some(&wanted))
        .await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(cloud.get(&holder, &address(ONE)).await.body["name"], ONE);
    let old = address(ONE).replace("2022-04-01", "2015-07-01");
    let old = cloud.get(&giver, &old).await;
    assert_eq!(old.body["properties"].get("principalType"), None);
    let by_reader = cloud.delete(&holder, &address(ONE)).await;
    assert_eq!(by_reader.code(), "AuthorizationFailed");
    assert!(
        by_reader
            .message()
            .contains("Microsoft.Authorization/roleAssignments/delete")
    );
    let taken = cloud.delete(&giver, &address(ONE)).await;
    assert_eq!((taken.status, &taken.body["name"]), (StatusCode::OK, &json!(ONE)));
    assert_eq!(cloud.get(&holder, &cluster).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        cloud.delete(&giver, &address(ONE)).await.status,
        StatusCode::NO_CONTENT
    );
    let gone = cloud.get(&giver, &address(ONE)).await;
    assert_eq!(gone.code(), "RoleAssignmentNotFound");
}

#[tokio::test]
async fn whoever_may_write_everything_but_roles_gives_none() {
    let cloud = start().await;
    for (role, status) in [
        ("Contributor", StatusCode::FORBIDDEN),
        ("Reader", StatusCode::FORBIDDEN),
        ("User Access Administrator", StatusCode::CREATED),
    ] {
        let giver = giver(&cloud, role).await;
        let wanted = body(&definition(READER), ACC4, None);
        let reply = cloud
            .send(Method::PUT, &giver, &address(ONE), Some(&wanted))
            .await;
        assert_eq!(reply.status, status, "{role}");
        if status == StatusCode::FORBIDDEN {
            assert!(
                reply
                    .message()
                    .contains("Microsoft.Authorization/roleAssignments/write")
            );
        }
    }
}

#[tokio::test]
async fn what_cannot_be_given_is_refused_in_its_own_words() {
    let cloud = start().await;
    let giver = giver(&cloud, "Owner").await;
    let custom = cloud
        .emulator
        .edit(|world| world.define_role("Elsewhere", NAMESPACE, &["*"], &[]))
        .unwrap();
    let held = body(&definition(READER), ACC6, None);
    let first = cloud.send(Method::PUT, &giver, &address(ONE), Some(&held)).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let reader = definition(READER);
    let stranger = "0acc0002-0000-4000-8000-000000000001";
    for (name, body, status, code) in [
        ("one", body(&reader, ACC4, None), 400, "InvalidRoleAssignmentId"),
        (TWO, json!({}), 400, "InvalidRequestContent"),
        (
            TWO,
            body(&definition(DOMAIN1), ACC4, None),
            400,
            "RoleDefinitionDoesNotExist",
        ),
        (
            TWO,
            body(&definition(&custom), ACC4, None),
            400,
            "RoleDefinitionDoesNotExist",
        ),
        (TWO, body(&reader, stranger, None), 400, "PrincipalNotFound"),
        (
            TWO,
            body(&reader, ACC4, Some("ServicePrincipal")),
            400,
            "UnmatchedPrincipalType",
        ),
        (TWO, held.clone(), 409, "RoleAssignmentExists"),
        (
            ONE,
            body(&reader, ACC4, None),
            400,
            "RoleAssignmentUpdateNotPermitted",
        ),
        (TWO, body(&reader, stranger, Some("User")), 201, ""),
    ] {
        let reply = cloud.send(Method::PUT, &giver, &address(name), Some(&body)).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (status, code), "{body}");
    }
}

#[tokio::test]
async fn an_app_may_hold_roles_and_give_them() {
    let cloud = start().await;
    let giver = giver(&cloud, "Owner").await;
    let oid = cloud.emulator.read(|world| {
        let app = world.directory.app(TENANT_BRIDGE).unwrap();
        app.principal_in(DOMAIN1).unwrap().to_owned()
    });
    let owner = definition("8e3af657-a8ff-443c-a75c-2fe8c4bcb635");
    let wanted = body(&owner, &oid, Some("ServicePrincipal"));
    let made = cloud
        .send(Method::PUT, &giver, &address(ONE), Some(&wanted))
        .await;
    assert_eq!(made.body["properties"]["principalType"], "ServicePrincipal");
    let app = cloud.app_token("domain1.com").await;
    let wanted = body(&definition(READER), ACC4, None);
    let made = cloud.send(Method::PUT, &app, &address(TWO), Some(&wanted)).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.body["properties"]["createdBy"], oid);
    let outside = at(&subscription(), &format!("roleAssignments/{TWO}"));
    let refused = cloud.send(Method::PUT, &app, &outside, Some(&wanted)).await;
    assert_eq!(refused.code(), "AuthorizationFailed", "it owns the cluster alone");
}
