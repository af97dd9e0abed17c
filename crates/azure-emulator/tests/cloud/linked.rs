//! The linked access check of a PUT.

use azure_emulator::how_to::{DOMAIN1, FOREIGN_HUB, HUB1, LOCAL_HUB, NAMESPACE, SUBSCRIPTION2};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{connection, event_hub_body, start};

#[tokio::test]
async fn a_source_in_another_tenant_needs_a_token_of_that_tenant() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let body = event_hub_body(HUB1, "$Default");
    let without = cloud.put(&token, &[], &connection("c1"), &body).await;
    assert_eq!(
        (without.status, without.code()),
        (StatusCode::FORBIDDEN, "LinkedAuthorizationFailed")
    );
    let action = "The client has permission to perform action \
                  'Microsoft.EventHub/namespaces/authorizationrules/listkeys/action' on scope '";
    assert!(without.message().starts_with(action), "{}", without.message());
    let tail = format!(
        "however the current tenant '{DOMAIN1}' is not authorized to access linked subscription '{SUBSCRIPTION2}'."
    );
    assert!(without.message().ends_with(&tail), "{}", without.message());
    let own = cloud.put(&token, &[&token], &connection("c1"), &body).await;
    assert_eq!(own.code(), "LinkedAuthorizationFailed");
    let other = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    assert_eq!(
        cloud
            .put(&token, &[&other], &connection("c1"), &body)
            .await
            .status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn the_auxiliary_tokens_user_must_be_allowed_to_list_the_namespaces_keys() {
    let cloud = start().await;
    let token = cloud.arm_token("acc5@domain1.com", "domain1.com").await;
    let receiver = cloud.arm_token("acc5@domain1.com", "domain2.com").await;
    let body = event_hub_body(HUB1, "$Default");
    let reply = cloud.put(&token, &[&receiver], &connection("c1"), &body).await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::FORBIDDEN, "LinkedAuthorizationFailed")
    );
    let action = "it does not have permission to perform action \
                  'Microsoft.EventHub/namespaces/authorizationrules/listkeys/action' on the linked scope(s)";
    for part in ["acc5@domain1.com", action, NAMESPACE] {
        assert!(reply.message().contains(part), "{}", reply.message());
    }
    let hub_only = |world: &mut azure_emulator::World| {
        world.assign_role("acc5@domain1.com", "Azure Event Hubs Data Owner", HUB1)
    };
    cloud.emulator.edit(hub_only).unwrap();
    assert_eq!(
        cloud
            .put(&token, &[&receiver], &connection("c1"), &body)
            .await
            .code(),
        "LinkedAuthorizationFailed"
    );
    let namespace =
        |world: &mut azure_emulator::World| world.assign_role("acc5@domain1.com", "Contributor", NAMESPACE);
    cloud.emulator.edit(namespace).unwrap();
    assert_eq!(
        cloud
            .put(&token, &[&receiver], &connection("c1"), &body)
            .await
            .status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn within_one_tenant_the_callers_own_rights_decide() {
    let cloud = start().await;
    let body = event_hub_body(LOCAL_HUB, "$Default");
    let allowed = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    assert_eq!(
        cloud.put(&allowed, &[], &connection("c1"), &body).await.status,
        StatusCode::CREATED
    );
    let contributor = cloud.arm_token("acc3@domain1.com", "domain1.com").await;
    assert_eq!(
        cloud
            .put(&contributor, &[], &connection("c2"), &body)
            .await
            .code(),
        "LinkedAuthorizationFailed"
    );
}

#[tokio::test]
async fn the_right_to_write_is_asked_first() {
    let cloud = start().await;
    for user in ["acc4@domain1.com", "acc6@domain1.com"] {
        let token = cloud.arm_token(user, "domain1.com").await;
        let reply = cloud
            .put(&token, &[], &connection("c1"), &event_hub_body(HUB1, "$Default"))
            .await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::FORBIDDEN, "AuthorizationFailed")
        );
        assert!(
            reply
                .message()
                .contains("Microsoft.Kusto/clusters/databases/dataConnections/write")
        );
    }
}

#[tokio::test]
async fn a_token_of_a_third_tenant_does_not_help() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let other = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    let reply = cloud
        .put(
            &token,
            &[&other],
            &connection("c1"),
            &event_hub_body(FOREIGN_HUB, "$Default"),
        )
        .await;
    assert_eq!(reply.code(), "LinkedAuthorizationFailed");
}

#[tokio::test]
async fn a_source_that_is_no_resource_id_is_refused_by_arm() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    for wrong in ["hub1", NAMESPACE] {
        let reply = cloud
            .put(&token, &[], &connection("c1"), &event_hub_body(wrong, "$Default"))
            .await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::BAD_REQUEST, "LinkedInvalidPropertyId"),
            "{wrong}"
        );
    }
    let unknown = HUB1.replace(SUBSCRIPTION2, "50000000-0000-4000-8000-00000000ffff");
    let reply = cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &json!(event_hub_body(&unknown, "$Default")),
        )
        .await;
    assert_eq!(reply.code(), "LinkedAuthorizationFailed");
}
