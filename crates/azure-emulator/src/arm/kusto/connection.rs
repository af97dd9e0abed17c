//! Data connections: GET, list, DELETE.

use http::StatusCode;
use serde_json::{Value, json};

use super::{ArmError, Request, database_of, operation, write};
use crate::exchange::Answer;
use crate::resources::{Operation, OperationKind, ResourceId, Resources};
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
        .connection(id)
        .ok_or_else(|| ArmError::nested_not_found(&pascal(id)))?;
    let answer = Answer::json(StatusCode::OK, &resources.render(connection, request.api_version));
    Ok(write::with_etag(answer, request.api_version))
}

/// `GET …/databases/{database}/dataConnections`
pub(super) fn list(
    request: &Request<'_>,
    resources: &Resources,
    owner: &ResourceId,
) -> Result<Answer, ArmError> {
    request.require(
        resources,
        "Microsoft.Kusto/clusters/databases/dataConnections/read",
        owner,
    )?;
    database_of(resources, &owner.child("dataConnections", "any"))?;
    let inside = resources
        .data_connections
        .iter()
        .filter(|c| c.id.is_within(owner));
    let value: Vec<Value> = inside.map(|c| resources.render(c, request.api_version)).collect();
    Ok(Answer::json(StatusCode::OK, &json!({ "value": value })))
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

/// The id with collection segments as Kusto writes them.
fn pascal(id: &ResourceId) -> String {
    let names = id.names();
    let [cluster, database, connection] = names.as_slice() else {
        return id.to_string();
    };
    format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Kusto/Clusters/{cluster}/Databases/{database}/DataConnections/{connection}",
        id.subscription(),
        id.resource_group().unwrap_or_default(),
    )
}
