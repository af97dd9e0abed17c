//! Real examples: the sandbox's tenants, accounts and resources, so that what is copied from the document works there.

use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::domain::{Code, FieldError, Missing, MissingKind, TenantId, Upstream};
use crate::http::links;
use crate::http::problem::{Problem, place_of};

/// The database of the examples.
const DATABASE: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1/databases/telemetry";
/// Its cluster.
const CLUSTER: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1";
/// The event hub of the examples, in the other tenant.
const HUB: &str = "/subscriptions/50000000-0000-4000-8000-000000000002/resourceGroups/rg-streams/providers/Microsoft.EventHub/namespaces/ns-domain2/eventhubs/hub1";
const TARGET_TENANT: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
const SOURCE_TENANT: Uuid = Uuid::from_u128(0x2222_2222_2222_4222_8222_2222_2222_2222);
const CONNECTION: &str = "0192f0c1-6a2d-7c84-b1f0-9e3d5a7c1b20";
const OPERATION: &str = "0192f0c1-6a2e-7d10-8c4b-2f6e1a9d3c57";
const ACTOR: &str = "0192f0c0-11d4-7a90-a6c8-53e0b9f4d217";
const REQUEST: &str = "5d1f6a44-2c0e-4f0b-9c55-7e0a3f1b8d26";
const ARM_REQUEST: &str = "c1b7a7de-4a53-4d6c-9a3a-0d1c5a0e7f91";
const REQUEST_HASH: &str = "9f2c1d7b5e8a4f60c3b1a2d4e5f60718293a4b5c6d7e8f9012a3b4c5d6e7f809";
const ASKED_AT: &str = "2025-03-03T09:15:00Z";
const DONE_AT: &str = "2025-03-03T09:15:04Z";

/// What is asked for.
pub(in crate::http) fn create() -> Value {
    json!({
        "name": "telemetry",
        "target": { "database": DATABASE, "table": "Events", "mapping": "EventsMapping", "dataFormat": "JSON" },
        "source": { "eventHub": { "resourceId": HUB, "consumerGroup": "$Default" } },
        "justification": "Events of domain2.com, analysed in domain1.com"
    })
}

/// A connection that is there.
pub(in crate::http) fn active() -> Value {
    connection("active", &succeeded("create"))
}

/// A connection that is being made.
pub(in crate::http) fn creating() -> Value {
    connection("creating", &running())
}

/// A connection that is gone.
pub(in crate::http) fn removed() -> Value {
    connection("removed", &succeeded("remove"))
}

/// A connection that is being removed.
pub(in crate::http) fn removing() -> Value {
    let operation = json!({
        "id": OPERATION, "connectionId": CONNECTION, "kind": "remove", "status": "running", "createdAt": ASKED_AT,
        "requestHash": REQUEST_HASH
    });
    connection("removing", &operation)
}

/// A page of this list with one connection, and another page after it.
pub(in crate::http) fn connections(list: &str) -> Value {
    let token = links::page_token(list, &format!("{CONNECTION}/telemetry"));
    json!({ "value": [active()], "nextLink": format!("/v1/connections?limit=1&pageToken={token}") })
}

/// A page of a connection's events.
pub(in crate::http) fn events() -> Value {
    let event = |id: &str, sequence: u32, kind: &str, at: &str, details: Value| {
        json!({
            "id": id, "sequence": sequence, "occurredAt": at, "kind": kind, "connectionId": CONNECTION, "operationId": OPERATION,
            "actorId": ACTOR, "appId": "a0000000-0000-4000-8000-000000000002", "requestId": REQUEST,
            "targetTenantId": TARGET_TENANT, "sourceTenantIds": [SOURCE_TENANT], "details": details
        })
    };
    json!({ "value": [
        event(
            "0192f0c1-6a2f-7b01-9d3e-4c5b6a798081", 41, "create.intended", ASKED_AT,
            json!({ "armId": format!("{DATABASE}/dataConnections/telemetry").to_lowercase(), "apiVersion": "2024-04-13" }),
        ),
        event("0192f0c1-7a10-7f52-8a1b-1c2d3e4f5061", 43, "create.succeeded", DONE_AT, json!({}))
    ] })
}

/// A part of the feed.
pub(in crate::http) fn feed() -> Value {
    let cursor =
        |position: u32| links::page_token("feed", &format!("1740992400000.{position}.5f1b2c3d4e5f6071"));
    let entry = |(position, event): (u32, &Value)| json!({ "position": position, "cursor": cursor(position), "event": event });
    let page = events();
    let events = page.get("value").and_then(Value::as_array).into_iter().flatten();
    let value: Vec<Value> = (17..).step_by(3).zip(events).map(entry).collect();
    json!({ "value": value, "cursor": cursor(21), "isAtHead": true, "nextLink": format!("/v1/events?after={}", cursor(21)) })
}

/// The same part as lines.
pub(in crate::http) fn feed_lines() -> String {
    let page = feed();
    let entries = page.get("value").and_then(Value::as_array).into_iter().flatten();
    let end = json!({ "cursor": page.get("cursor"), "isAtHead": true });
    entries.chain([&end]).map(|line| format!("{line}\n")).collect()
}

/// An operation under way.
pub(in crate::http) fn running() -> Value {
    json!({
        "id": OPERATION, "connectionId": CONNECTION, "kind": "create", "status": "running", "createdAt": ASKED_AT,
        "requestHash": REQUEST_HASH
    })
}

/// An operation that waits for a token.
pub(in crate::http) fn awaiting() -> Value {
    json!({
        "id": OPERATION, "connectionId": CONNECTION, "kind": "create", "status": "awaitingCaller", "createdAt": ASKED_AT,
        "awaiting": [{
            "tenantId": TARGET_TENANT, "tenantName": "domain1.com", "reason": "claims",
            "claims": r#"{"access_token":{"acrs":{"essential":true,"values":["p1"]}}}"#
        }],
        "requestHash": REQUEST_HASH
    })
}

/// An operation that another person than its requester continues.
pub(in crate::http) fn continue_operation() -> Value {
    json!({ "requestHash": REQUEST_HASH })
}

/// An operation that failed at Azure.
pub(in crate::http) fn failed() -> Value {
    json!({
        "id": OPERATION, "connectionId": CONNECTION, "kind": "create", "status": "failed",
        "createdAt": ASKED_AT, "finishedAt": DONE_AT, "requestHash": REQUEST_HASH,
        "error": {
            "code": Code::AzureFailed.as_str(),
            "detail": "Azure could not make the change: the table Events was not found",
            "upstream": { "service": "arm", "status": 200, "code": "BadRequest" }
        }
    })
}

/// An operation that did what was asked.
pub(in crate::http) fn succeeded(kind: &str) -> Value {
    json!({
        "id": OPERATION, "connectionId": CONNECTION, "kind": kind, "status": "succeeded",
        "createdAt": ASKED_AT, "finishedAt": DONE_AT, "requestHash": REQUEST_HASH
    })
}

fn connection(state: &str, operation: &Value) -> Value {
    json!({
        "id": CONNECTION,
        "name": "telemetry",
        "state": state,
        "resourceId": format!("{DATABASE}/dataConnections/telemetry"),
        "target": {
            "tenantId": TARGET_TENANT, "tenantName": "domain1.com", "database": DATABASE,
            "databaseName": "telemetry", "clusterName": "adx1", "location": "West Europe",
            "table": "Events", "mapping": "EventsMapping", "dataFormat": "JSON"
        },
        "source": {
            "tenants": [{ "tenantId": SOURCE_TENANT, "tenantName": "domain2.com" }],
            "eventHub": {
                "resourceId": HUB, "name": "hub1", "namespace": "ns-domain2", "consumerGroup": "$Default"
            }
        },
        "resources": [
            { "role": "cluster", "resourceId": CLUSTER, "name": "adx1", "tenantId": TARGET_TENANT },
            { "role": "database", "resourceId": DATABASE, "name": "telemetry", "tenantId": TARGET_TENANT },
            { "role": "eventHub", "resourceId": HUB, "name": "hub1", "tenantId": SOURCE_TENANT }
        ],
        "createdBy": {
            "id": ACTOR, "tenantId": TARGET_TENANT, "tenantName": "domain1.com",
            "objectId": "b0000000-0000-4000-8000-000000000001", "userName": "acc1@domain1.com"
        },
        "createdAt": ASKED_AT,
        "observedAt": DONE_AT,
        "justification": "Events of domain2.com, analysed in domain1.com",
        "lastOperation": operation
    })
}

/// A problem of this code, as a caller may meet it.
pub(super) fn problem(code: Code) -> Problem {
    let errors: Vec<FieldError> = wrong_place(code)
        .map(|pointer| FieldError {
            pointer: pointer.to_owned(),
            detail: detail(code).to_owned(),
        })
        .into_iter()
        .collect();
    let plain = match code {
        Code::InvalidRequest => Problem::invalid(errors.clone()),
        _ => Problem::new(code, detail(code)),
    };
    Problem {
        request_id: REQUEST.to_owned(),
        errors,
        missing: match code {
            Code::AccessMissing => missing(),
            _ => Vec::new(),
        },
        upstream: upstream(code),
        connection_id: is_of_operation(code).then(|| CONNECTION.parse().ok()).flatten(),
        operation_id: is_of_operation(code).then(|| OPERATION.parse().ok()).flatten(),
        cause: cause(code).map(|cause| cause.as_str().to_owned()),
        remedy: cause(code).map(|_| REMEDY.to_owned()),
        ..plain
    }
}

/// The member, parameter or header that is wrong.
const fn wrong_place(code: Code) -> Option<&'static str> {
    match code {
        Code::InvalidRequest => Some("/target/table"),
        Code::InvalidToken => Some("Authorization"),
        Code::ReferenceNotFound => Some("/source/eventHub/consumerGroup"),
        Code::NameTaken => Some("/name"),
        Code::TenantNotAllowed => Some("/source/eventHub/resourceId"),
        code => place_of(code),
    }
}

/// Whether the code is how a change can end.
const fn is_of_operation(code: Code) -> bool {
    matches!(code, Code::CreateFailed | Code::RemoveFailed)
}

/// Why a change failed.
const fn cause(code: Code) -> Option<Code> {
    match code {
        Code::CreateFailed => Some(Code::AzureFailed),
        Code::RemoveFailed => Some(Code::AzureRefused),
        _ => None,
    }
}

const REMEDY: &str = "Fix what the detail and Azure's answer in `upstream` name, then send the request again, with a new Idempotency-Key.";

/// What the service behind this one answered.
fn upstream(code: Code) -> Option<Upstream> {
    let (service, status, word, request_id) = match code {
        Code::CreateFailed => ("arm", 200, "BadRequest", Some(ARM_REQUEST)),
        Code::RemoveFailed => ("arm", 409, "ScopeLocked", Some(ARM_REQUEST)),
        Code::AzureRefused => ("arm", 403, "AuthorizationFailed", Some(ARM_REQUEST)),
        Code::UpstreamUnavailable => ("arm", 429, "TooManyRequests", Some(ARM_REQUEST)),
        Code::UpstreamRefused => ("entra", 401, "AADSTS7000222", None),
        _ => return None,
    };
    Some(Upstream {
        service: service.to_owned(),
        status: Some(status),
        code: Some(word.to_owned()),
        request_id: request_id.map(str::to_owned),
    })
}

fn missing() -> Vec<Missing> {
    vec![Missing {
        tenant: TenantId::new(SOURCE_TENANT),
        kind: MissingKind::Token,
        fix: "send a user token of that tenant in x-ms-authorization-auxiliary".to_owned(),
        url: None::<Url>,
    }]
}

/// What services behind this one say.
const ARM_REFUSED: &str = "Azure Resource Manager answered 403 to the read of the data connection: the client does not have authorization to perform the action";
const ARM_THROTTLED: &str =
    "Azure Resource Manager answered 429 to the read of the cluster: too many requests";
const ENTRA_REFUSED: &str = "Entra did not let this service exchange a token at tenant 22222222-2222-4222-8222-222222222222; its operator has to find out why";

/// What is wrong this time.
#[expect(clippy::too_many_lines, reason = "a table")]
const fn detail(code: Code) -> &'static str {
    match code {
        Code::InvalidRequest => "must not be empty",
        Code::AuxiliaryTokens => "x-ms-authorization-auxiliary: each entry must be 'Bearer <token>'",
        Code::Unauthenticated => "send a user token for this service as 'Authorization: Bearer <token>'",
        Code::InvalidToken => "the token has expired",
        Code::ClaimsChallenge => {
            "tenant 22222222-2222-4222-8222-222222222222 wants the user to sign in again with more proof"
        }
        Code::InsufficientScope => "the token lacks the scope Connections.ReadWrite",
        Code::TenantNotAllowed => {
            "tenant 33333333-3333-4333-8333-333333333333 is not allowed as a connection's source by this service's configuration"
        }
        Code::AccessMissing => {
            "the caller's tokens don't open 22222222-2222-4222-8222-222222222222; see `missing`"
        }
        Code::AzureRefused => ARM_REFUSED,
        Code::CreateFailed => "Azure reported that the change failed: table does not exist",
        Code::RemoveFailed => {
            "Azure Resource Manager answered 409 to the removal of the data connection: ScopeLocked"
        }
        Code::NotFound => "there is no such connection, or it is not visible to you",
        Code::FeedRestarted => crate::usecases::FEED_RESTARTED,
        Code::NameTaken => {
            "Azure already has a data connection of this name; it was not touched. Choose another name"
        }
        Code::ConnectionExists => "a connection of this name is recorded for this database",
        Code::ChangeInProgress => {
            "another change of the connection started at the same moment; read it again"
        }
        Code::RequestHashMissing => {
            "another person requested this operation; to continue it in your own name, send its requestHash, which the operation shows"
        }
        Code::RequestHashDiffers => "not the hash of this operation's request; read it again",
        Code::IdempotencyKeyReused => "the key was used for another request; send a new key",
        Code::PayloadTooLarge => "the body may have at most 65536 bytes",
        Code::HeadersTooLarge => "the headers may have at most 98304 bytes together",
        Code::UnsupportedMediaType => "send the body as Content-Type: application/json",
        Code::ReferenceNotFound => "the event hub has no consumer group cg3",
        Code::RequestTimeout => "the body was not complete after 10 s; nothing was done",
        Code::TooManyRequests => "you sent more than 6000 requests in a minute; nothing was done",
        Code::Overloaded => "this service processes too many requests at the moment; nothing was done",
        Code::Timeout => "the request took too long; read what it changed before repeating it",
        Code::UpstreamUnavailable => ARM_THROTTLED,
        Code::DatabaseUnavailable => "nothing can be recorded at the moment, so nothing was done",
        Code::UpstreamRefused => ENTRA_REFUSED,
        Code::Internal => "an error that is this service's own; its log has it under the request's id",
        // Not a problem of any documented operation.
        Code::MethodNotAllowed | Code::AzureFailed | Code::NotSent => "",
        Code::ParentMissing => {
            "neither the data connection nor its database can be read, which does not prove a removal; retry when the database exists"
        }
        Code::Drifted => {
            "Azure holds another data connection under this name, so nothing was deleted: read the connection's `found`"
        }
        Code::Contested => {
            "another person may have created what Azure holds under this name; read the connection's `found`, and repeat the removal with its ETag in If-Match to remove that"
        }
        Code::StillPresent => {
            "Azure still has the data connection, so the record is not closed; remove the connection instead"
        }
        Code::PreconditionFailed => {
            "the connection's version is not the one in If-Match; read the connection again"
        }
    }
}
