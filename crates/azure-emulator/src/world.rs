//! The emulated cloud as tests see and change it: directory and resources behind one set of plain methods.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::arm::Rules;
use crate::clock::Clock;
use crate::directory::{CredentialError, Directory, FederatedCredential, UnknownName};
use crate::emulator::{Options, ParallelWrites};
use crate::entra::Limits;
use crate::resources::{ChangeError, Failure, Ingestion, KeyKind, Operation, ResourceId, Resources};
use crate::seed::Seed;
use crate::sign_ins::SignIns;

mod identity;
mod making;
mod sources;

/// Everything that a cloud remembers. Obtained with `Emulator::edit` and `Emulator::read`, which hold its lock.
#[derive(Clone, Debug)]
pub struct World {
    /// Tenants, people, apps, consents.
    pub directory: Directory,
    /// Subscriptions, roles, clusters, event hubs, data connections, operations.
    pub resources: Resources,
    /// Sessions, authorization codes, refresh tokens.
    pub sign_ins: SignIns,
    pub(crate) arm: Rules,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) operation_duration: Duration,
    pub(crate) parallel_writes: ParallelWrites,
    pub(crate) list_page_size: Option<usize>,
}

impl World {
    pub(crate) fn new(seed: Seed, clock: Clock, options: &Options) -> World {
        let mut resources = seed.resources;
        resources.read_lag = options.read_lag;
        World {
            directory: seed.directory,
            resources,
            sign_ins: SignIns::default(),
            arm: seed.arm,
            limits: seed.limits,
            clock,
            operation_duration: options.operation_duration,
            parallel_writes: options.parallel_writes,
            list_page_size: options.list_page_size,
        }
    }

    /// The emulator's time.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// From now on a Kusto write takes this long.
    pub fn set_operation_duration(&mut self, duration: Duration) {
        self.operation_duration = duration;
    }

    /// From now on parallel writes to a cluster fare like this.
    pub fn set_parallel_writes(&mut self, parallel_writes: ParallelWrites) {
        self.parallel_writes = parallel_writes;
    }

    /// From now on reads of data connections show what was there before a change until this long after its end.
    pub fn set_read_lag(&mut self, lag: Duration) {
        self.resources.read_lag = lag;
    }

    /// From now on a page of a list holds this many data connections, permissions or roles.
    pub fn set_list_page_size(&mut self, size: Option<usize>) {
        self.list_page_size = size;
    }

    /// Lets those running operations end now that `which` picks.
    pub fn finish_operations(&mut self, which: impl Fn(&Operation) -> bool) {
        let now = self.now();
        self.resources.finish_operations(now, None, which);
    }

    /// Lets those running operations fail now that `which` picks; what they would have changed stays as it was.
    pub fn fail_operations(&mut self, failure: &Failure, which: impl Fn(&Operation) -> bool) {
        let now = self.now();
        self.resources.finish_operations(now, Some(failure), which);
    }

    /// Whether events would flow through a data connection now; nothing when there is no such data connection.
    pub fn ingestion(&self, id: &str) -> Option<Ingestion> {
        self.resources.ingestion(&ResourceId::parse(id).ok()?)
    }

    /// Makes a key of a namespace's authorization rule anew: data connections that hold the old one stop.
    pub fn rotate_key(&mut self, namespace: &str, rule: &str, which: KeyKind) -> Result<(), ChangeError> {
        self.resources.rotate_key(namespace, rule, which)
    }

    /// Lets a namespace accept keys, or Entra tokens only.
    pub fn set_local_auth(&mut self, namespace: &str, enabled: bool) -> Result<(), ChangeError> {
        self.resources.set_local_auth(namespace, enabled)
    }

    /// Adds a consumer group to an event hub.
    pub fn add_consumer_group(&mut self, hub: &str, group: &str) -> Result<(), ChangeError> {
        self.resources.add_consumer_group(hub, group)
    }

    /// Removes a consumer group from an event hub.
    pub fn remove_consumer_group(&mut self, hub: &str, group: &str) -> Result<(), ChangeError> {
        self.resources.remove_consumer_group(hub, group)
    }

    /// Gives `client` scopes of `resource` for everyone in the tenant, and provisions it there.
    pub fn grant_consent(
        &mut self,
        client: &str,
        tenant: &str,
        resource: &str,
        scopes: &[&str],
    ) -> Result<(), UnknownName> {
        self.directory.grant_consent(client, tenant, resource, scopes)
    }

    /// Takes back everything the app was given in the tenant; it stays provisioned.
    pub fn revoke_consent(&mut self, app: &str, tenant: &str) -> Result<(), UnknownName> {
        self.directory.revoke_consent(app, tenant)
    }

    /// Gives the app a service principal in the tenant.
    pub fn provision(&mut self, app: &str, tenant: &str) -> Result<(), UnknownName> {
        self.directory.provision(app, tenant)
    }

    /// Removes the app's service principal, and what it was given, from the tenant.
    pub fn deprovision(&mut self, app: &str, tenant: &str) -> Result<(), UnknownName> {
        self.directory.deprovision(app, tenant)
    }

    /// Gives the user an app role in the tenant.
    pub fn assign_app_role(
        &mut self,
        user: &str,
        tenant: &str,
        app: &str,
        role: &str,
    ) -> Result<(), UnknownName> {
        self.directory.assign_app_role(user, tenant, app, role)
    }

    /// Disables the user in every tenant.
    pub fn disable_user(&mut self, user: &str) -> Result<(), UnknownName> {
        self.directory.disable_user(user)
    }

    /// Enables the user again.
    pub fn enable_user(&mut self, user: &str) -> Result<(), UnknownName> {
        self.directory.enable_user(user)
    }

    /// Registers a certificate (PEM) on the app, beside what it has.
    pub fn add_certificate(&mut self, app: &str, pem: &str) -> Result<(), CredentialError> {
        self.directory.add_certificate(app, pem)
    }

    /// Lets tokens of an issuer for a subject and an audience stand for the app. Issuers outside of this cloud must
    /// be made known with `trust_issuer`.
    pub fn add_federated_credential(
        &mut self,
        app: &str,
        issuer: &str,
        subject: &str,
        audience: &str,
    ) -> Result<(), UnknownName> {
        let (issuer, subject, audience) = (issuer.to_owned(), subject.to_owned(), audience.to_owned());
        let credential = FederatedCredential {
            issuer,
            subject,
            audience,
        };
        self.directory.add_federated_credential(app, credential)
    }

    /// Makes an issuer outside of this cloud known, with its keys as a JWKS document.
    pub fn trust_issuer(&mut self, issuer: &str, jwks: &Value) -> Result<(), CredentialError> {
        self.directory.trust_issuer(issuer, jwks)
    }

    /// Makes the user a guest in another tenant; with the given object id, or a new one.
    pub fn add_guest(&mut self, user: &str, tenant: &str, oid: Option<Uuid>) -> Result<(), UnknownName> {
        self.directory.add_guest(user, tenant, oid)
    }

    /// Ends the user's membership as a guest in the tenant.
    pub fn remove_guest(&mut self, user: &str, tenant: &str) -> Result<(), UnknownName> {
        self.directory.remove_guest(user, tenant)
    }

    /// Takes all app roles of the app from the user in the tenant.
    pub fn revoke_app_roles(&mut self, user: &str, tenant: &str, app: &str) -> Result<(), UnknownName> {
        self.directory.revoke_app_roles(user, tenant, app)
    }

    /// Removes an event hub.
    pub fn remove_event_hub(&mut self, id: &str) -> Result<(), ChangeError> {
        self.resources.remove_event_hub(id)
    }

    /// Adds an event hub to an existing namespace.
    pub fn add_event_hub(&mut self, id: &str, consumer_groups: &[&str]) -> Result<(), ChangeError> {
        self.resources.add_event_hub(id, consumer_groups)
    }

    /// Adds or replaces a table of a database (resource id).
    pub fn set_table(&mut self, database: &str, table: &str, mappings: &[&str]) -> Result<(), ChangeError> {
        self.resources.set_table(database, table, mappings)
    }

    /// Drops a table of a database (resource id).
    pub fn remove_table(&mut self, database: &str, table: &str) -> Result<(), ChangeError> {
        self.resources.remove_table(database, table)
    }

    /// Adds an empty database to an existing cluster; one that is there stays as it is.
    pub fn add_database(&mut self, id: &str) -> Result<(), ChangeError> {
        self.resources.add_database(id)
    }

    /// Removes a database with its data connections.
    pub fn remove_database(&mut self, id: &str) -> Result<(), ChangeError> {
        self.resources.remove_database(id)
    }

    /// Puts a data connection there as someone else would have: unchecked and at rest.
    pub fn add_data_connection(&mut self, id: &str, body: &Value) -> Result<(), ChangeError> {
        let now = self.now();
        self.resources.add_data_connection(id, body, now)
    }

    /// Overwrites members of a data connection's properties; null removes one.
    pub fn set_data_connection_members(
        &mut self,
        id: &str,
        members: &Map<String, Value>,
    ) -> Result<(), ChangeError> {
        self.resources.set_data_connection_members(id, members)
    }

    /// Removes a data connection at once.
    pub fn remove_data_connection(&mut self, id: &str) -> Result<(), ChangeError> {
        self.resources.remove_data_connection(id)
    }

    /// A data connection as GET answers it in the newest api-version; nothing when there is none.
    pub fn data_connection(&self, id: &str) -> Option<Value> {
        let id = ResourceId::parse(id).ok()?;
        self.resources
            .connection(&id)
            .map(|connection| self.resources.render_newest(connection))
    }

    /// Ids of all data connections, as their creators wrote them.
    pub fn data_connection_ids(&self) -> Vec<String> {
        self.resources
            .data_connections
            .iter()
            .map(|c| c.id.to_string())
            .collect()
    }
}
