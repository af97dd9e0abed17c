//! Data connections: GET, list, DELETE.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use super::{ArmError, Request, database_of, operation, write};
use crate::exchange::{Answer, set};
use crate::resources::{Operation, OperationKind, ResourceId, Resources, envelope_id};
use crate::world::World;

/// `GET …/dataConnections/{name}`
pub(super) fn get(request: &Request<'_>, resources: &Resources, id: &ResourceId) -> Result<Answer, ArmError> {
    request.require(
        resources,
        "Microsoft.Kusto/clusters/databases/dataConnections/read",
        id,
    )?;
    database_of(resources, id)?;
    let connection = resources
        .seen(id)
        .ok_or_else(|| ArmError::nested_not_found(&envelope_id(id)))?;
    let answer = Answer::json(StatusCode::OK, &resources.render(connection, request.api_version));
    Ok(write::with_etag(answer, request.api_version))
}

/// `GET …/databases/{database}/dataConnections`, by name; in pages when the world is set so.
pub(super) fn list(request: &Request<'_>, world: &World, owner: &ResourceId) -> Result<Answer, ArmError> {
    let resources = &world.resources;
    request.require(
        resources,
        "Microsoft.Kusto/clusters/databases/dataConnections/read",
        owner,
    )?;
    database_of(resources, &owner.child("dataConnections", "any"))?;
    let after = page_start(request)?;
    let mut rest = resources.seen_within(owner);
    rest.retain(|c| after.as_deref().is_none_or(|after| c.id.key() > after));
    let size = world.list_page_size.unwrap_or(usize::MAX).max(1);
    let page = rest.get(..size).unwrap_or(&rest);
    let value: Vec<Value> = page
        .iter()
        .map(|c| resources.render(c, request.api_version))
        .collect();
    let mut body = json!({ "value": value });
    if let Some(last) = page.last().filter(|_| page.len() < rest.len()) {
        set(&mut body, "nextLink", json!(next_link(request, last.id.key())));
    }
    Ok(Answer::json(StatusCode::OK, &body))
}

const SKIP_TOKEN: &str = "$skiptoken";

/// The key after which the page starts. What ARM says to a token that is none of its own is not known.
fn page_start(request: &Request<'_>) -> Result<Option<String>, ArmError> {
    let Some(token) = request.call.query(SKIP_TOKEN) else {
        return Ok(None);
    };
    let key = URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let invalid = || ArmError::bad_request("InvalidSkipToken", "The skip token is invalid.");
    key.map(Some).ok_or_else(invalid)
}

fn next_link(request: &Request<'_>, last: &str) -> String {
    let path = request.call.path_and_query.split('?').next().unwrap_or_default();
    format!(
        "{}{path}?api-version={}&%24skiptoken={}",
        request.azure.arm_origin(),
        request.api_version,
        URL_SAFE_NO_PAD.encode(last),
    )
}

/// `DELETE …/dataConnections/{name}`: 202 and an operation, or 204 when there is nothing.
/// Neither the source nor any auxiliary token is asked about.
pub(super) fn delete(request: &Request<'_>, world: &mut World, id: &ResourceId) -> Result<Answer, ArmError> {
    request.require(
        &world.resources,
        "Microsoft.Kusto/clusters/databases/dataConnections/delete",
        id,
    )?;
    database_of(&world.resources, id)?;
    write::refuse_parallel(world, id)?;
    let location = world.resources.location_of(id).to_owned();
    let (version, now, duration) = (request.api_version, request.now, world.operation_duration);
    let mut started = Operation::start(OperationKind::Delete, id, &location, version, now, duration);
    started.doomed = write::doomed(world, id);
    let answer = operation::accepted(request.azure, &started);
    if world.resources.delete_connection(id, started) {
        Ok(answer)
    } else {
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }
}
