//! Operation URLs and their polls (recorded ARM traffic).

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{ArmError, signature};
use crate::arm::site::Context;
use crate::azure::Azure;
use crate::exchange::{Answer, set};
use crate::resources::{Operation, OperationKind, OperationStatus, Resources, rfc3339_ticks};

/// Versions from this one on name the result's members in camel case.
const CAMEL_CASE_SINCE: &str = "2021-08-27";
/// Versions after this one tell nothing of a write but its end, and tell the state of a removal
/// (recorded: 2020-02-15 and 2020-09-18).
const TALKATIVE_UNTIL: &str = "2020-02-15";

/// 202 without a body and both URLs: a DELETE or a validation.
pub(super) fn accepted(azure: &Azure, operation: &Operation) -> Answer {
    with_both(Answer::empty(StatusCode::ACCEPTED), azure, operation)
}

/// Adds `Azure-AsyncOperation`, the only URL that a PUT gives out.
pub(super) fn with_async(answer: Answer, azure: &Azure, operation: &Operation) -> Answer {
    answer.with("azure-asyncoperation", &url(azure, operation, false))
}

/// Adds `Azure-AsyncOperation` and `Location`.
pub(super) fn with_both(answer: Answer, azure: &Azure, operation: &Operation) -> Answer {
    with_async(answer, azure, operation).with("location", &url(azure, operation, true))
}

/// The URL, which names the api-version of the call that started the operation. Before 2024 `Azure-AsyncOperation`
/// had raw spaces in it, and no signature.
fn url(azure: &Azure, operation: &Operation, location_form: bool) -> String {
    let is_signed = signature::is_used(&operation.api_version);
    let location = if is_signed || location_form {
        operation.location.replace(' ', "%20")
    } else {
        operation.location.clone()
    };
    let mut path = format!(
        "/subscriptions/{}/providers/Microsoft.Kusto/locations/{location}/operationResults/{}?api-version={}",
        operation.connection.subscription(),
        operation.id,
        operation.api_version,
    );
    if location_form {
        path.push_str("&operationResultResponseType=Location");
    }
    if is_signed {
        path = signature::sign(&azure.keys.operations, &path, operation.started);
    }
    format!("{}{path}", azure.arm_origin())
}

/// `GET …/operationResults/{id}` in both forms. Whoever has a token of the subscription's tenant and the URL may poll:
/// a role on the cluster alone could not be asked for at this scope.
pub(in crate::arm) fn poll(
    azure: &Azure,
    context: &Context<'_>,
    location: &str,
    id: &str,
) -> Result<Answer, ArmError> {
    let subscription = context
        .call
        .path()
        .get(1)
        .copied()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let operation = context
        .resources
        .operation(id)
        .filter(|o| o.connection.subscription().eq_ignore_ascii_case(&subscription) && o.location == location)
        .ok_or_else(|| {
            ArmError::nested_not_found(context.call.path_and_query.split('?').next().unwrap_or_default())
        })?;
    if signature::is_used(&operation.api_version)
        && !signature::is_valid(&azure.keys.operations, &context.call.path_and_query)
    {
        // What ARM says to a changed URL is not known.
        let message = "The signature of the operation URL is missing or does not fit.";
        return Err(ArmError::gateway(
            StatusCode::FORBIDDEN,
            "InvalidOperationUrl",
            message,
        ));
    }
    let is_location = context
        .call
        .query("operationResultResponseType")
        .is_some_and(|f| f.eq_ignore_ascii_case("location"));
    if is_location {
        return Ok(location_form(azure, context.resources, operation));
    }
    let answer = Answer::json(StatusCode::OK, &result(operation));
    if operation.api_version.as_str() < CAMEL_CASE_SINCE {
        return Ok(answer);
    }
    Ok(answer.with("x-ms-operation-root-activity-id", &operation.root_activity_id))
}

/// Always 200, also while running.
fn result(operation: &Operation) -> Value {
    let is_camel = operation.api_version.as_str() >= CAMEL_CASE_SINCE;
    let (status, percent, ended) = match operation.status {
        OperationStatus::Running => ("Running", 0.5, operation.started),
        OperationStatus::Succeeded(_) => ("Succeeded", 1.0, operation.ends),
        OperationStatus::Failed(_) => ("Failed", 1.0, operation.ends),
        OperationStatus::Canceled => ("Canceled", 1.0, operation.ends),
    };
    let mut body = json!({
        "id": format!(
            "/subscriptions/{}/providers/Microsoft.Kusto/locations/{}/operationresults/{}",
            operation.connection.subscription(), operation.location, operation.id,
        ),
        "name": operation.id,
        "status": status,
        "startTime": rfc3339_ticks(operation.started),
        "endTime": rfc3339_ticks(ended),
        "percentComplete": percent,
        "properties": properties(operation, is_camel),
    });
    if let OperationStatus::Failed(failure) = &operation.status {
        set(
            &mut body,
            "error",
            json!({ "code": failure.code, "message": failure.message }),
        );
    }
    body
}

fn properties(operation: &Operation, is_camel: bool) -> Map<String, Value> {
    let mut out = Map::new();
    if operation.kind == OperationKind::Validate {
        if let OperationStatus::Succeeded(findings) = &operation.status {
            let findings = findings.clone().unwrap_or_else(|| json!([]));
            out.insert(findings_name(operation).to_owned(), findings);
        }
        return out;
    }
    let is_talkative = operation.api_version.as_str() <= TALKATIVE_UNTIL;
    let is_removal = operation.kind == OperationKind::Delete;
    let is_cosmos = operation.connection_kind == "CosmosDb";
    if !is_talkative && !is_removal && !is_cosmos {
        return out;
    }
    let is_over = operation.status != OperationStatus::Running;
    let outcome = match operation.status {
        OperationStatus::Running => "Running",
        OperationStatus::Succeeded(_) => "Succeeded",
        _ => "Failed",
    };
    let progress = if is_over { "Completed" } else { "InProgress" };
    let word = |pascal: &str, camel: &str| if is_camel { camel } else { pascal }.to_owned();
    out.insert(word("OperationKind", "operationKind"), json!(command(operation)));
    if !is_camel {
        out.insert("RootActivityId".to_owned(), json!(operation.root_activity_id));
    }
    // In lower case in every version.
    out.insert("provisioningState".to_owned(), json!(outcome));
    if !is_talkative {
        out.insert(word("OperationState", "operationState"), json!(progress));
    }
    out
}

/// Kusto's own word for what it does.
fn command(operation: &Operation) -> &'static str {
    match (operation.kind, operation.connection_kind.as_str()) {
        (OperationKind::Delete, _) => "DmServiceDataObtainerDrop",
        (_, "CosmosDb") => "DmServiceCosmosDbDataConnectionAddOrUpdateCommand",
        (_, "EventGrid" | "EventGridWithManagedIdentity") => "DmServiceEventGridIngestionSourceAdd",
        // An IoT hub's endpoint is an event hub.
        _ => "DmServiceEventHubObtainerAdd",
    }
}

/// `Value` from 2020-06-14 to 2022-02-01, `value` since 2022-12-29 (recorded); between them `Value`, which is a guess.
fn findings_name(operation: &Operation) -> &'static str {
    if operation.api_version.as_str() >= "2022-12-29" {
        "value"
    } else {
        "Value"
    }
}

/// The published API allows 202 while running; recordings show this form only after the end.
fn location_form(azure: &Azure, resources: &Resources, operation: &Operation) -> Answer {
    match &operation.status {
        OperationStatus::Running => accepted(azure, operation),
        OperationStatus::Failed(failure) => {
            let body = json!({ "error": { "code": failure.code, "message": failure.message } });
            Answer::json(StatusCode::BAD_REQUEST, &body)
        }
        OperationStatus::Succeeded(Some(findings)) => {
            Answer::json(StatusCode::OK, &json!({ findings_name(operation): findings }))
        }
        OperationStatus::Succeeded(None) | OperationStatus::Canceled => {
            let connection = resources
                .connection(&operation.connection)
                .filter(|_| operation.kind != OperationKind::Delete);
            match connection {
                Some(c) => Answer::json(StatusCode::OK, &resources.render(c, &operation.api_version)),
                None => Answer::empty(StatusCode::OK),
            }
        }
    }
}
