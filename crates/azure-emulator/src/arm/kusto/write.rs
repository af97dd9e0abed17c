//! PUT and PATCH of a data connection. Kusto replaces in both: a PATCH is a PUT that must find something.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{ArmError, CONNECTION_TYPE, Request, body, database_of, linked, operation};
use crate::emulator::ParallelWrites;
use crate::exchange::Answer;
use crate::resources::{
    Failure, Operation, OperationKind, Provisioning, ResourceId, Resources, Wanted, echo, envelope_id,
};
use crate::world::World;

/// Starts a write: ARM's own checks first, then Kusto's, then the operation.
pub(super) fn write(request: &Request<'_>, world: &mut World, id: &ResourceId) -> Result<Answer, ArmError> {
    let is_patch = request.call.method == Method::PATCH;
    let sent = body::with_known_spelling(body::object(request.call)?);
    request.require(&world.resources, &format!("{CONNECTION_TYPE}/write"), id)?;
    linked::check(request, &world.resources, id, ("properties", &sent))?;
    database_of(&world.resources, id)?;
    check_name(id)?;
    let display_location = world.resources.location_of(id).to_owned();
    let future_kinds = &world.resources.future_kinds;
    let wanted = body::wanted(&sent, &display_location, request.api_version, future_kinds)?;
    let id = existing_spelling(&world.resources, id);
    let exists = match world.resources.connection(&id).map(|c| c.provisioning) {
        Some(Provisioning::Deleting) => return Err(being_deleted(&id)),
        found => found.is_some(),
    };
    if is_patch && !exists {
        return Err(ArmError::nested_not_found(&envelope_id(&id)));
    }
    refuse_parallel(world, &id)?;

    // The first PUT's operation URL has the location as the caller spelt it, later ones Kusto's own spelling.
    let location = if exists {
        display_location.clone()
    } else {
        wanted.location.clone()
    };
    let kind = if exists {
        OperationKind::Update
    } else {
        OperationKind::Create
    };
    let (version, duration) = (request.api_version, world.operation_duration);
    let mut started = Operation::start(kind, &id, &location, version, request.now, duration);
    started.doomed = doomed(world, &id);
    started.connection_kind.clone_from(&wanted.kind);
    let answer = answer(request, &id, &wanted, &started, is_patch, &world.resources);
    world
        .resources
        .put_connection(&id, wanted, &request.caller.name, started);
    Ok(answer)
}

fn answer(
    request: &Request<'_>,
    id: &ResourceId,
    wanted: &Wanted,
    started: &Operation,
    is_patch: bool,
    resources: &Resources,
) -> Answer {
    let (status, state) = match (is_patch, started.kind) {
        (true, _) => (StatusCode::ACCEPTED, "Accepted"),
        (false, OperationKind::Create) => (StatusCode::CREATED, "Creating"),
        (false, _) => (StatusCode::OK, "Accepted"),
    };
    let before = resources.connection(id).filter(|_| is_patch);
    let answer = match before {
        Some(before) => {
            let body = resources.echo_patch(before, wanted, request.api_version);
            operation::with_both(Answer::json(status, &body), request.azure, started)
        }
        None => {
            let mut wanted = wanted.clone();
            // As the caller wrote it at first, in Kusto's own spelling ever after (recorded: 2022-11-11 to 2023-05-02).
            if started.kind != OperationKind::Create {
                resources.location_of(id).clone_into(&mut wanted.location);
            }
            let body = echo(id, &wanted, state, request.api_version);
            operation::with_async(Answer::json(status, &body), request.azure, started)
        }
    };
    with_etag(answer, request.api_version)
}

/// The empty ETag that versions before 2021-08-27 carry (recorded ARM traffic).
pub(super) fn with_etag(answer: Answer, api_version: &str) -> Answer {
    if api_version < "2021-08-27" {
        answer.with("etag", "\"\"")
    } else {
        answer
    }
}

/// Names keep the case in which they were created, cluster and database too.
fn existing_spelling(resources: &Resources, id: &ResourceId) -> ResourceId {
    if let Some(existing) = resources.connection(id) {
        return existing.id.clone();
    }
    let database = id.parent().and_then(|database| {
        let (cluster, found) = resources.database(&database)?;
        Some(cluster.id.child("databases", &found.name))
    });
    database.map_or_else(
        || id.clone(),
        |database| database.child("dataConnections", id.name()),
    )
}

/// Kusto's naming rule: 1 to 40 letters, digits, hyphens, spaces, periods. The text of the refusal is a guess.
fn check_name(id: &ResourceId) -> Result<(), ArmError> {
    let name = id.name();
    if is_name(name) {
        return Ok(());
    }
    let message = format!("The data connection name '{name}' is invalid.");
    Err(ArmError::bad_request("InvalidRequestFormat", message))
}

pub(super) fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.chars().count())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "- .".contains(c))
}

/// What Kusto does with a change of something that is being removed is not known; a conflict is the likely word.
fn being_deleted(id: &ResourceId) -> ArmError {
    let message = format!("The data connection '{}' is being deleted.", id.name());
    ArmError::provider(StatusCode::CONFLICT, "ResourceIsBeingDeleted", message)
}

/// Refuses a write while another one of the cluster runs, if the world is set so.
pub(super) fn refuse_parallel(world: &World, id: &ResourceId) -> Result<(), ArmError> {
    if world.parallel_writes == ParallelWrites::Refused && is_busy(&world.resources, id) {
        return Err(ArmError::provider(
            StatusCode::CONFLICT,
            IN_MAINTENANCE,
            maintenance(id),
        ));
    }
    Ok(())
}

/// The failure that awaits a write which starts while another one of the cluster runs, if the world is set so.
pub(super) fn doomed(world: &World, id: &ResourceId) -> Option<Failure> {
    (world.parallel_writes == ParallelWrites::Failed && is_busy(&world.resources, id)).then(|| Failure {
        code: IN_MAINTENANCE.to_owned(),
        message: maintenance(id),
    })
}

const IN_MAINTENANCE: &str = "ServiceIsInMaintenance";

fn maintenance(id: &ResourceId) -> String {
    let names = id.names();
    let cluster = names.first().copied().unwrap_or_default();
    format!(
        "[Conflict] Cluster '{cluster}' is in process of maintenance for a short period. You may retry to invoke the \
         operation in a few minutes."
    )
}

fn is_busy(resources: &Resources, id: &ResourceId) -> bool {
    let cluster = |id: &ResourceId| id.parent().and_then(|database| database.parent());
    resources
        .running()
        .any(|o| o.kind != OperationKind::Validate && cluster(&o.connection) == cluster(id))
}

/// The members of a body nested under `properties`, as validation sends a data connection.
pub(super) fn nested(body: &Map<String, Value>) -> Map<String, Value> {
    body.get("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_else(|| {
            let mut empty = Map::new();
            empty.insert("properties".to_owned(), json!({}));
            empty
        })
}
