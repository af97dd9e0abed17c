//! The calls of a data connection against prepared answers, also those that no emulator would give.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Credentials, Deleted};
use crate::arm::testing::{Reply, SOURCE, ScriptedArm, TARGET, arm, clock, data_connection_id, reply, token};
use crate::arm::{Accepted, ArmError, ArmErrorKind, CallTrace};

const PATH: &str = "/subscriptions/11111111-0000-4000-8000-000000000001/resourceGroups/rg%201/providers/Microsoft.Kusto/clusters/adx1/databases/My%20Db/dataConnections/telemetry?api-version=2024-04-13";

fn credentials(auxiliary: &[&str]) -> Credentials {
    Credentials {
        primary: token(TARGET, "primary.token"),
        auxiliary: auxiliary.iter().map(|secret| token(SOURCE, secret)).collect(),
    }
}

fn trace() -> CallTrace {
    CallTrace {
        correlation_id: Uuid::from_u128(7),
    }
}

async fn put(server: &ScriptedArm, auxiliary: &[&str]) -> Result<Accepted, ArmError> {
    let body = json!({"kind": "EventHub"});
    let arm = server.arm();
    arm.put_data_connection(&credentials(auxiliary), &data_connection_id(), &body, &trace())
        .await
}

async fn put_answered(reply: Reply) -> Result<Accepted, ArmError> {
    put(&ScriptedArm::start(vec![reply]), &[]).await
}

async fn delete_answered(reply: Reply) -> Result<Deleted, ArmError> {
    let server = ScriptedArm::start(vec![reply]);
    let arm = server.arm();
    arm.delete_data_connection(&credentials(&[]), &data_connection_id(), &trace())
        .await
}

async fn read_answered(reply: Reply) -> Result<Option<Value>, ArmError> {
    let server = ScriptedArm::start(vec![reply]);
    let found = server
        .arm()
        .data_connection(&token(TARGET, "primary"), &data_connection_id())
        .await?;
    Ok(found.map(|connection| connection.raw))
}

#[tokio::test]
async fn a_create_carries_both_headers_the_correlation_id_and_the_body_and_gives_its_operation() {
    let server = ScriptedArm::start_with(|endpoint| {
        let operation =
            format!("Azure-AsyncOperation: {endpoint}locations/West US 2/operationResults/x?s=sig");
        let headers = [
            operation.as_str(),
            "x-ms-request-id: r-1",
            "x-ms-correlation-request-id: c-1",
            "x-ms-ratelimit-remaining-subscription-resource-requests: 199",
        ];
        vec![reply(
            201,
            &headers,
            r#"{"properties":{"provisioningState":"Creating"}}"#,
        )]
    });
    let accepted = put(&server, &["first.aux", "second.aux"])
        .await
        .expect("accepted");
    let operation = accepted.operation.expect("an operation");
    assert!(
        operation
            .expose()
            .ends_with("/locations/West%20US%202/operationResults/x?s=sig")
    );
    assert_eq!(
        (accepted.status, accepted.provisioning_state.as_deref()),
        (201, Some("Creating"))
    );
    assert_eq!(accepted.call.request_id.as_deref(), Some("r-1"));
    assert_eq!(accepted.call.correlation_id.as_deref(), Some("c-1"));
    assert_eq!(accepted.call.remaining, Some(199));

    let request = server.requests().remove(0);
    assert!(
        request.starts_with(&format!("PUT {PATH} HTTP/1.1\n")),
        "{request}"
    );
    for line in [
        "authorization: Bearer primary.token\r\n",
        "x-ms-authorization-auxiliary: Bearer first.aux, Bearer second.aux\r\n",
        "x-ms-correlation-request-id: 00000000-0000-0000-0000-000000000007\r\n",
        "x-ms-client-request-id: 00000000-0000-0000-0000-000000000007\r\n",
        "content-type: application/json\r\n",
        r#"{"kind":"EventHub"}"#,
    ] {
        assert!(request.contains(line), "{line} in {request}");
    }
}

#[tokio::test]
async fn without_auxiliary_tokens_the_header_is_left_out_and_more_than_three_are_not_sent() {
    let succeeded = || reply(200, &[], r#"{"properties":{"provisioningState":"Succeeded"}}"#);
    let server = ScriptedArm::start(vec![succeeded(), succeeded()]);
    let accepted = put(&server, &[]).await.expect("accepted");
    assert!(accepted.operation.is_none(), "{accepted:?}");
    assert!(!server.requests()[0].contains("auxiliary"));

    let error = put(&server, &["a", "b", "c", "d"])
        .await
        .expect_err("four are too many");
    assert!(
        matches!(error.kind, ArmErrorKind::NotSent(_)) && !error.outcome_unknown(),
        "{error}"
    );
}

#[tokio::test]
async fn an_accepted_create_stays_accepted_though_its_echo_is_cut_or_is_no_json() {
    let cut = Reply::Bytes(b"HTTP/1.1 201 Created\r\ncontent-length: 900\r\n\r\n{\"prop".to_vec());
    for answer in [cut, reply(202, &[], "<html>"), reply(202, &[], "")] {
        let accepted = put_answered(answer).await.expect("accepted");
        assert_eq!(accepted.provisioning_state, None);
    }
}

#[tokio::test]
async fn an_operation_elsewhere_or_beyond_reading_leaves_the_outcome_unknown() {
    let elsewhere = "Azure-AsyncOperation: https://management.azure.com.example.org/x";
    let server = ScriptedArm::start_with(|endpoint| {
        vec![reply(
            201,
            &[elsewhere, &format!("Location: {endpoint}operationResults/x")],
            "{}",
        )]
    });
    let error = put(&server, &[])
        .await
        .expect_err("a good Location does not mend it");
    assert_eq!(error.kind, ArmErrorKind::ForeignHost);
    let error = put_answered(reply(201, &[elsewhere], "{}"))
        .await
        .expect_err("another host");
    assert_eq!(error.kind, ArmErrorKind::ForeignHost);
    assert!(error.outcome_unknown());
    let error = put_answered(reply(201, &["Azure-AsyncOperation: not a URL"], "{}"))
        .await
        .expect_err("no URL");
    assert_eq!(error.kind, ArmErrorKind::Unreadable);
    assert!(error.outcome_unknown());
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let away = put_answered(reply(307, &["Location: https://example.org/"], ""))
        .await
        .expect_err("a redirect");
    assert_eq!(away.kind, ArmErrorKind::ForeignHost);
    let server = ScriptedArm::start(vec![reply(308, &["Location: /other"], ""), reply(200, &[], "{}")]);
    let within = put(&server, &[]).await.expect_err("a redirect");
    assert_eq!(
        (within.kind, server.requests().len()),
        (ArmErrorKind::Unreadable, 1)
    );
}

#[tokio::test]
async fn a_refusal_is_definite_and_a_server_error_a_timeout_or_a_reset_is_not() {
    let linked = r#"{"error":{"code":"LinkedAuthorizationFailed","message":"not authorized"}}"#;
    let refused = put_answered(reply(403, &[], linked)).await.expect_err("refused");
    assert!(matches!(refused.kind, ArmErrorKind::Refused(_)) && !refused.outcome_unknown());
    assert!(refused.is_code("LinkedAuthorizationFailed"));
    let throttled = put_answered(reply(429, &["Retry-After: 17"], ""))
        .await
        .expect_err("throttled");
    assert!(matches!(throttled.kind, ArmErrorKind::Throttled(_)) && !throttled.outcome_unknown());
    for status in [408, 500, 502, 503, 504] {
        let error = put_answered(reply(status, &[], "")).await.expect_err("an outage");
        assert!(
            matches!(error.kind, ArmErrorKind::ServerError(_)) && error.outcome_unknown(),
            "{error}"
        );
    }
    let error = put_answered(Reply::Nothing).await.expect_err("a reset");
    assert_eq!(error.kind, ArmErrorKind::NoAnswer);
    assert!(error.outcome_unknown());
    assert_eq!(
        error.report.correlation_id,
        Some(trace().correlation_id.to_string())
    );
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    // The server stops listening after its last reply, and this one has none.
    let gone = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let endpoint = format!("http://{}/", gone.local_addr().expect("an address"));
    drop(gone);
    let arm = arm(endpoint.parse().expect("a URL"), clock());
    let error = arm
        .put_data_connection(&credentials(&[]), &data_connection_id(), &json!({}), &trace())
        .await
        .expect_err("nobody listens");
    assert!(
        matches!(error.kind, ArmErrorKind::NotSent(_)) && !error.outcome_unknown(),
        "{error}"
    );
}

#[tokio::test]
async fn a_removal_tells_under_way_done_and_nothing_there_apart() {
    let missing = r#"{"error":{"code":"ResourceNotFound","message":"not found"}}"#;
    assert!(matches!(
        delete_answered(reply(200, &[], "")).await,
        Ok(Deleted::Done { .. })
    ));
    assert!(matches!(
        delete_answered(reply(202, &[], "")).await,
        Ok(Deleted::Accepted { operation: None, .. })
    ));
    let no_content = Reply::Bytes(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    assert!(matches!(
        delete_answered(no_content).await,
        Ok(Deleted::NothingThere { .. })
    ));
    assert!(matches!(
        delete_answered(reply(404, &[], missing)).await,
        Ok(Deleted::NothingThere { .. })
    ));
    let parent = missing.replace("ResourceNotFound", "ParentResourceNotFound");
    let error = delete_answered(reply(404, &[], &parent))
        .await
        .expect_err("it proves nothing");
    assert!(error.is_code("ParentResourceNotFound"), "{error}");
}

#[tokio::test]
async fn only_resource_not_found_makes_a_data_connection_absent() {
    let not_found = |code: &str| reply(404, &[], &format!(r#"{{"error":{{"code":"{code}"}}}}"#));
    assert_eq!(
        read_answered(not_found("ResourceNotFound"))
            .await
            .expect("absent"),
        None
    );
    for code in [
        "ParentResourceNotFound",
        "ResourceGroupNotFound",
        "SubscriptionNotFound",
        "NotFound",
    ] {
        let error = read_answered(not_found(code))
            .await
            .expect_err("not proven absent");
        assert!(error.is_code(code), "{error}");
    }
    assert!(read_answered(reply(404, &[], "")).await.is_err());
    let there = read_answered(reply(200, &[], r#"{"kind":"EventHub"}"#))
        .await
        .expect("there");
    assert_eq!(there, Some(json!({"kind": "EventHub"})));
}

#[tokio::test]
async fn a_read_whose_body_is_cut_oversized_or_no_resource_is_an_error() {
    let cut = Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"kind\"".to_vec());
    assert_eq!(
        read_answered(cut).await.expect_err("cut").kind,
        ArmErrorKind::NoAnswer
    );
    let long = json!({"kind": "a".repeat(1024 * 1024)}).to_string();
    for body in [long.as_str(), "", "[]", "<html>", "null"] {
        let error = read_answered(reply(200, &[], body))
            .await
            .expect_err("no resource");
        assert_eq!(error.kind, ArmErrorKind::Unreadable);
    }
}
