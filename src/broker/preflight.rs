//! The reads before a change: side by side, every finding in one answer, nothing changed.

use chrono::{DateTime, Utc};

use super::Broker;
use super::refusal::{BrokerError, FieldError, Missing, MissingKind, Refusal, from_arm, upstream_of};
use super::tenants::{SOURCE_POINTER, TARGET_POINTER};
use crate::arm::{ArmError, Cluster, Permissions};
use crate::connection::{ClusterId, Code, DatabaseId, NewConnection, ResourceId, TenantId};
use crate::outbound::ArmToken;

/// What a principal needs on the cluster to make a data connection.
const WRITE_CONNECTION: &str = "Microsoft.Kusto/clusters/databases/dataConnections/write";
/// What a principal needs on the cluster to delete one.
const DELETE_CONNECTION: &str = "Microsoft.Kusto/clusters/databases/dataConnections/delete";
/// What ARM checks on the namespace, as linked access, when a data connection uses the namespace's keys.
const LIST_KEYS: &str = "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action";

/// What the reads before a create found, when nothing stands against it.
#[derive(Debug)]
pub(super) struct Clearance {
    /// The cluster's region: a data connection must name the same.
    pub(super) location: String,
    /// When a read found no data connection of this name.
    pub(super) absent_at: DateTime<Utc>,
}

/// What stands against a request.
#[derive(Debug, Default)]
struct Findings {
    taken: bool,
    errors: Vec<FieldError>,
    missing: Vec<Missing>,
}

impl Findings {
    fn role(&mut self, tenant: TenantId, fix: String) {
        let missing = Missing {
            tenant,
            kind: MissingKind::Role,
            fix,
            url: None,
        };
        if !self.missing.contains(&missing) {
            self.missing.push(missing);
        }
    }

    fn wrong(&mut self, pointer: &str, detail: String) {
        self.errors.push(FieldError {
            pointer: pointer.to_owned(),
            detail,
        });
    }

    /// The one refusal for all findings; what the caller lacks comes before what is not there, since without the access
    /// a "not there" can't be trusted.
    fn refusal(self, id: &str) -> Option<Refusal> {
        let (errors, missing) = (self.errors, self.missing);
        let refusal = if !missing.is_empty() {
            let fixes: Vec<&str> = missing.iter().map(|missing| missing.fix.as_str()).collect();
            Refusal::new(Code::AccessMissing, fixes.join("; "))
        } else if !errors.is_empty() {
            let details: Vec<&str> = errors.iter().map(|error| error.detail.as_str()).collect();
            Refusal::new(Code::ReferenceNotFound, details.join("; "))
        } else if self.taken {
            let detail =
                format!("Azure already has a data connection {id}; it was not touched. Choose another name");
            return Some(Refusal::new(Code::NameTaken, detail.clone()).at("/name", detail));
        } else {
            return None;
        };
        Some(Refusal {
            errors,
            missing,
            ..refusal
        })
    }
}

impl Broker {
    /// Everything ARM can tell before a create.
    pub(super) async fn preflight_create(
        &self,
        request: &NewConnection,
        target: &ArmToken,
        source: &ArmToken,
    ) -> Result<Clearance, BrokerError> {
        let (id, cluster, database) = (request.id(), request.cluster(), &request.target.database);
        let (hub, namespace) = (&request.source.hub, request.source.hub.namespace());
        let (region, writes, database_there, there, keys, hub_there, group_there) = tokio::join!(
            self.arm.cluster(target, &cluster),
            self.arm.permissions(target, cluster.resource()),
            self.arm.database_exists(target, database),
            self.arm.data_connection(target, &id),
            self.arm.permissions(source, namespace.resource()),
            self.arm.event_hub_exists(source, hub),
            self.arm
                .consumer_group_exists(source, hub, &request.source.consumer_group),
        );
        // Taken now, not before the reads: it must not be earlier than what they saw.
        let absent_at = self.clock.now();
        let mut findings = Findings::default();
        let location = region_of(&mut findings, target.tenant(), &cluster, region)?;
        let may_write = may(
            &mut findings,
            target,
            cluster.resource(),
            writes,
            WRITE_CONNECTION,
            "Contributor on the cluster",
        )?;
        if location.is_some() && may_write {
            let there = exists(database_there, target)?;
            if !there {
                findings.wrong(
                    TARGET_POINTER,
                    format!("the cluster has no database {}", database.name()),
                );
            }
        }
        let may_keys = may(
            &mut findings,
            source,
            namespace.resource(),
            keys,
            LIST_KEYS,
            "Azure Event Hubs Data Owner on the namespace",
        )?;
        if may_keys {
            if !exists(hub_there, source)? {
                findings.wrong(
                    SOURCE_POINTER,
                    format!(
                        "the namespace {} has no event hub {}",
                        namespace.name(),
                        hub.name()
                    ),
                );
            } else if !exists(group_there, source)? {
                let detail = format!(
                    "the event hub has no consumer group {}",
                    request.source.consumer_group
                );
                findings.wrong("/source/eventHub/consumerGroup", detail);
            }
        }
        if findings.missing.is_empty() && findings.errors.is_empty() {
            findings.taken = there
                .map_err(|error| from_arm(&error, Some(target.tenant())))?
                .is_some();
        }
        match (findings.refusal(id.resource().as_written()), location) {
            (None, Some(location)) => Ok(Clearance { location, absent_at }),
            (Some(refusal), _) => Err(refusal.into()),
            (None, None) => Err(Refusal::new(Code::ReferenceNotFound, "the cluster was not found").into()),
        }
    }

    /// Whether the caller may delete; asked first, so that a refusal changes nothing.
    pub(super) async fn preflight_remove(
        &self,
        database: &DatabaseId,
        target: &ArmToken,
    ) -> Result<(), BrokerError> {
        let cluster = database.cluster();
        let permissions = self.arm.permissions(target, cluster.resource()).await;
        let mut findings = Findings::default();
        may(
            &mut findings,
            target,
            cluster.resource(),
            permissions,
            DELETE_CONNECTION,
            "Contributor on the cluster",
        )?;
        findings.refusal("").map_or(Ok(()), |refusal| Err(refusal.into()))
    }
}

/// The cluster's region, or what keeps it from being known.
fn region_of(
    findings: &mut Findings,
    tenant: TenantId,
    cluster: &ClusterId,
    answer: Result<Option<Cluster>, ArmError>,
) -> Result<Option<String>, BrokerError> {
    match answer {
        Ok(Some(found)) => Ok(Some(found.location)),
        Ok(None) => {
            findings.wrong(TARGET_POINTER, format!("there is no cluster {}", cluster.name()));
            Ok(None)
        }
        Err(error) if is_forbidden(&error) => {
            findings.role(
                tenant,
                role_fix("Contributor on the cluster", cluster.resource(), tenant),
            );
            Ok(None)
        }
        Err(error) if error.status() == Some(404) => {
            findings.wrong(
                TARGET_POINTER,
                format!(
                    "the cluster {} was not found: {}",
                    cluster.name(),
                    code_of(&error)
                ),
            );
            Ok(None)
        }
        Err(error) => Err(from_arm(&error, Some(tenant))),
    }
}

/// Whether a principal has an action on a scope, or the finding that it hasn't.
fn may(
    findings: &mut Findings,
    token: &ArmToken,
    scope: &ResourceId,
    answer: Result<Permissions, ArmError>,
    action: &str,
    role: &str,
) -> Result<bool, BrokerError> {
    let tenant = token.tenant();
    let allowed = match answer {
        Ok(permissions) => permissions.allows(action),
        Err(error) if is_forbidden(&error) || error.status() == Some(404) => false,
        Err(error) => return Err(from_arm(&error, Some(tenant))),
    };
    if !allowed {
        findings.role(tenant, role_fix(role, scope, tenant));
    }
    Ok(allowed)
}

fn role_fix(role: &str, scope: &ResourceId, tenant: TenantId) -> String {
    format!("give the user the role {role} {} (tenant {tenant})", scope.name())
}

fn exists(answer: Result<bool, ArmError>, token: &ArmToken) -> Result<bool, BrokerError> {
    match answer {
        Ok(there) => Ok(there),
        // The parent is what is not there.
        Err(error) if error.status() == Some(404) => Ok(false),
        Err(error) => Err(from_arm(&error, Some(token.tenant()))),
    }
}

fn is_forbidden(error: &ArmError) -> bool {
    error.status() == Some(403)
}

fn code_of(error: &ArmError) -> String {
    upstream_of(error).code.unwrap_or_default()
}
