//! Microsoft.Kusto: clusters and databases for reading, data connections for everything.
//! `write` takes PUT and PATCH, `linked` checks the source's side, `operation` gives out and answers operation URLs.
//! What a data connection looks like and whether it may stand is `resources`'s.

mod actions;
mod body;
mod cluster;
mod connection;
mod linked;
mod operation;
mod signature;
mod write;

use chrono::{DateTime, Utc};
use http::Method;

use super::access;
use super::auth::Caller;
use super::error::ArmError;
use crate::azure::Azure;
use crate::exchange::{Answer, Call};
use crate::resources::{Cluster, ResourceId, Resources, envelope_id};
use crate::world::World;

pub(super) use cluster::body as cluster_body;
pub(super) use operation::poll as operation;

/// A call to Kusto that passed ARM's door.
pub(super) struct Request<'a> {
    pub(super) azure: &'a Azure,
    pub(super) call: &'a Call,
    pub(super) api_version: &'a str,
    pub(super) caller: &'a Caller,
    pub(super) auxiliary: &'a [Caller],
    pub(super) now: DateTime<Utc>,
}

impl Request<'_> {
    fn require(&self, resources: &Resources, action: &str, scope: &ResourceId) -> Result<(), ArmError> {
        access::require(resources, self.caller, action, scope)
    }
}

const CONNECTION_TYPE: &str = "Microsoft.Kusto/clusters/databases/dataConnections";

/// A cluster, database or data connection.
pub(super) fn resource(
    request: &Request<'_>,
    world: &mut World,
    id: &ResourceId,
) -> Result<Answer, ArmError> {
    let is = |types: &[&str]| id.is_type("Microsoft.Kusto", types);
    match request.call.method {
        Method::GET if is(&["clusters"]) => cluster::get(request, &world.resources, id),
        Method::GET if is(&["clusters", "databases"]) => cluster::get_database(request, &world.resources, id),
        ref method if is(&["clusters", "databases", "dataConnections"]) => match *method {
            Method::GET => connection::get(request, &world.resources, id),
            Method::PUT | Method::PATCH => write::write(request, world, id),
            Method::DELETE => connection::delete(request, world, id),
            _ => Err(super::site::no_such_method(request.call)),
        },
        _ => Err(super::site::no_such_method(request.call)),
    }
}

/// A list below a cluster or database, or an action on a database.
pub(super) fn below(
    request: &Request<'_>,
    world: &mut World,
    owner: &ResourceId,
    word: &str,
) -> Result<Answer, ArmError> {
    let on_database = owner.is_type("Microsoft.Kusto", &["clusters", "databases"]);
    match (&request.call.method, word) {
        (&Method::GET, "databases") if owner.is_type("Microsoft.Kusto", &["clusters"]) => {
            cluster::list_databases(request, &world.resources, owner)
        }
        (&Method::GET, "dataconnections") if on_database => connection::list(request, world, owner),
        (&Method::POST, "checknameavailability") if on_database => {
            actions::check_name(request, &world.resources, owner)
        }
        (&Method::POST, "dataconnectionvalidation") if on_database => {
            actions::validate(request, world, owner)
        }
        // What stands below a data connection is the rest of a name with a slash in it.
        _ if owner.is_type("Microsoft.Kusto", &["clusters", "databases", "dataConnections"]) => {
            Err(super::site::bad_name(request.call))
        }
        _ => Err(super::site::no_such_method(request.call)),
    }
}

/// The cluster of a data connection or database, or ARM's word for its absence.
fn cluster_of<'a>(resources: &'a Resources, database: &ResourceId) -> Result<&'a Cluster, ArmError> {
    let cluster = database
        .parent()
        .ok_or_else(|| ArmError::tracked_not_found(database))?;
    resources
        .cluster(&cluster)
        .ok_or_else(|| ArmError::parent_not_found(&cluster))
}

/// The database of a data connection; absent cluster and absent database read differently.
fn database_of(resources: &Resources, connection: &ResourceId) -> Result<ResourceId, ArmError> {
    let database = connection
        .parent()
        .ok_or_else(|| ArmError::tracked_not_found(connection))?;
    cluster_of(resources, &database)?;
    match resources.database(&database) {
        Some(_) => Ok(database),
        None => Err(ArmError::nested_not_found(&envelope_id(&database))),
    }
}
