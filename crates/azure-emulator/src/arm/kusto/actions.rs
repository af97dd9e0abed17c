//! `checkNameAvailability` and `dataConnectionValidation`.

use http::StatusCode;
use serde_json::json;

use super::{ArmError, CONNECTION_TYPE, Request, body, cluster_of, database_of, linked, operation, write};
use crate::exchange::Answer;
use crate::resources::{Operation, OperationKind, OperationStatus, ResourceId, Resources};
use crate::world::World;

/// Whether a name is free in the database.
pub(super) fn check_name(
    request: &Request<'_>,
    resources: &Resources,
    database: &ResourceId,
) -> Result<Answer, ArmError> {
    request.require(
        resources,
        "Microsoft.Kusto/clusters/databases/checkNameAvailability/action",
        database,
    )?;
    let sent = body::object(request.call)?;
    let text = |name| body::text(&sent, name).map(Option::unwrap_or_default);
    let (name, kind) = (text("name")?, text("type")?);
    if !kind.eq_ignore_ascii_case(CONNECTION_TYPE) {
        // The published API knows no other word here; how Kusto refuses one is a guess.
        let message = format!("The value '{kind}' for property 'type' is invalid.");
        return Err(ArmError::bad_request("InvalidRequestFormat", message));
    }
    if !write::is_name(name) {
        let message = format!("The data connection name '{name}' is invalid.");
        let body = json!({ "name": name, "nameAvailable": false, "message": message, "reason": "Invalid" });
        return Ok(Answer::json(StatusCode::OK, &body));
    }
    let id = database_of(resources, &database.child("dataConnections", name))?.child("dataConnections", name);
    let body = if resources.connection(&id).is_some() {
        let (cluster, database) = (id.names().first().map_or("", |n| *n).to_owned(), database.name());
        let message = format!(
            "Data Connection {name} already exists in database {database} in cluster {cluster}. Please select a \
             different data connection name."
        );
        json!({ "name": name, "nameAvailable": false, "message": message, "reason": "AlreadyExists" })
    } else {
        json!({ "name": name, "nameAvailable": true, "message": "" })
    };
    Ok(Answer::json(StatusCode::OK, &body))
}

/// What would be wrong with a data connection: at once in 2020-02-15 and before, by an operation since.
pub(super) fn validate(
    request: &Request<'_>,
    world: &mut World,
    database: &ResourceId,
) -> Result<Answer, ArmError> {
    let sent = body::object(request.call)?;
    let name = body::text(&sent, "dataConnectionName")?.unwrap_or_default();
    let id = database.child("dataConnections", name);
    request.require(&world.resources, &format!("{CONNECTION_TYPE}/write"), &id)?;
    // The data connection stands under `properties`, with a `properties` of its own inside.
    let connection = body::with_known_spelling(write::nested(&sent));
    linked::check(
        request,
        &world.resources,
        &id,
        ("properties.properties", &connection),
    )?;
    database_of(&world.resources, &id)?;
    let location = cluster_of(&world.resources, database)?.location.clone();
    // Recorded requests name another region than the cluster's and are answered: the location is not looked at.
    let mut connection = connection;
    connection.insert("location".to_owned(), json!(location));
    let version = request.api_version;
    let wanted = body::wanted(&connection, &location, version, &world.resources.future_kinds)?;
    let duration = world.operation_duration;
    let mut started = Operation::start(
        OperationKind::Validate,
        &id,
        &location,
        version,
        request.now,
        duration,
    );
    started.candidate = Some(wanted);
    if version <= "2020-02-15" {
        started.ends = request.now;
        world.resources.operations.push(started.clone());
        world.resources.settle(request.now);
        let status = world.resources.operation(&started.id).map(|o| o.status.clone());
        let findings = match status {
            Some(OperationStatus::Succeeded(Some(findings))) => findings,
            _ => json!([]),
        };
        return Ok(Answer::json(StatusCode::OK, &json!({ "value": findings })));
    }
    let answer = operation::accepted(request.azure, &started);
    world.resources.operations.push(started);
    Ok(answer)
}
