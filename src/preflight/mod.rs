//! The reads before a change: in parallel, all findings in one response, nothing changed.

mod findings;

use chrono::{DateTime, Utc};
use findings::{Findings, Role, There, absence, there};

use crate::arm::{Arm, ArmError, Cluster, Permissions, from_arm};
use crate::authz::Caller;
use crate::authz::tenants::{SOURCE_POINTER, TARGET_POINTER, TenantPair, Tenants, is_of_another_tenant};
use crate::clock::Clock;
use crate::domain::{
    ClusterId, Code, ConnectionRecord, DataConnectionId, DatabaseId, Error, NewConnection, Refusal,
};
use crate::tokens::exchange::TokenExchange;
use crate::upstream::ArmToken;

/// What a principal needs on the database to make a data connection.
const WRITE_CONNECTION: &str = "Microsoft.Kusto/clusters/databases/dataConnections/write";
/// What a principal needs on the database to delete one.
const DELETE_CONNECTION: &str = "Microsoft.Kusto/clusters/databases/dataConnections/delete";
/// What ARM checks on the namespace, as linked access, when a data connection uses the namespace's keys.
const LIST_KEYS: &str = "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action";

/// What the reads before a create found, when nothing stands against it.
#[derive(Debug)]
pub(crate) struct Clearance {
    /// The cluster's region: a data connection must name the same.
    pub(crate) location: String,
    /// When a read found no data connection of this name.
    pub(crate) absent_at: DateTime<Utc>,
}

/// The reads before a change. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Preflight {
    arm: Arm,
    clock: Clock,
    pub(crate) tenants: Tenants,
    pub(crate) exchange: TokenExchange,
}

impl Preflight {
    /// Reads at this ARM, with tokens of this exchange.
    pub(crate) fn new(arm: Arm, clock: Clock, tenants: Tenants, exchange: TokenExchange) -> Self {
        Self {
            arm,
            clock,
            tenants,
            exchange,
        }
    }

    /// Everything that is checked before a create: the tenants of the subscriptions, tokens of those tenants, and the reads with them.
    /// Cached tenants or tokens that prove outdated are requested once more.
    ///
    /// # Errors
    /// Everything that stands against the create.
    pub(crate) async fn create(
        &self,
        caller: &Caller,
        request: &NewConnection,
    ) -> Result<(TenantPair, Clearance), Error> {
        match self.authorize_and_check(caller, request).await {
            Err(error) if is_of_another_tenant(&error) => {
                self.tenants.forget(request).await;
                self.authorize_and_check(caller, request).await
            }
            Err(error) if self.exchange.forget_refused(caller, &error).await => {
                self.authorize_and_check(caller, request).await
            }
            Err(error) if self.tenants.have_moved(request, &error).await => {
                self.tenants.forget(request).await;
                self.authorize_and_check(caller, request).await
            }
            checked => checked,
        }
    }

    /// Everything that is asked before a create: whose the subscriptions are, for tokens of those tenants, and what ARM lets
    /// them see.
    async fn authorize_and_check(
        &self,
        caller: &Caller,
        request: &NewConnection,
    ) -> Result<(TenantPair, Clearance), Error> {
        let tenants = self.tenants.of_request(request).await?;
        let needed = tenants.distinct();
        caller.refuse_unneeded(&needed)?;
        let (tokens, refusal) = self.exchange.each(caller, &needed).await;
        let of = |tenant| tokens.iter().find(|token| token.tenant() == tenant);
        let (target, source) = (of(tenants.target), of(tenants.source));
        match (refusal, target, source) {
            (None, Some(target), Some(source)) => {
                let clearance = self.preflight_create(request, target, source).await?;
                Ok((tenants, clearance))
            }
            (Some(refusal), target, source) => {
                Err(self.complete_refusal(refusal, request, target, source).await)
            }
            (None, ..) => Err(Error::Internal("an exchange for no tenant".to_owned())),
        }
    }

    /// All checks at ARM before a create.
    pub(crate) async fn preflight_create(
        &self,
        request: &NewConnection,
        target: &ArmToken,
        source: &ArmToken,
    ) -> Result<Clearance, Error> {
        let (target_side, source_side) = tokio::join!(
            // Boxed: side by side, the calls of both would lie in the request's own future.
            Box::pin(self.check_target(request, target)),
            Box::pin(self.check_source(request, source))
        );
        let (mut findings, clearance) = target_side?;
        findings.add(source_side?);
        match (findings.refusal(request.id().resource().as_written()), clearance) {
            (None, Some(clearance)) => Ok(clearance),
            (Some(refusal), _) => Err(refusal.into()),
            (None, None) => Err(Refusal::new(Code::ReferenceNotFound, "the cluster was not found").into()),
        }
    }

    /// A refusal for a missing token of one tenant, with the findings that the other tenant's token shows: a caller who fixes the one
    /// should not have to return to learn of the other.
    pub(crate) async fn complete_refusal(
        &self,
        error: Error,
        request: &NewConnection,
        target: Option<&ArmToken>,
        source: Option<&ArmToken>,
    ) -> Error {
        let Error::Refused(mut refusal) = error else {
            return error;
        };
        if refusal.code != Code::AccessMissing {
            return Error::Refused(refusal);
        }
        let looked = match (target, source) {
            (Some(target), None) => self
                .check_target(request, target)
                .await
                .map(|(findings, _)| findings),
            (None, Some(source)) => self.check_source(request, source).await,
            _ => return Error::Refused(refusal),
        };
        let findings = match looked {
            Ok(findings) => findings,
            Err(error) => return error,
        };
        for detail in findings.sentences() {
            refusal.detail = format!("{}; {detail}", refusal.detail);
        }
        refusal.errors.extend(findings.errors);
        // The target comes first, as everywhere.
        let place = if target.is_some() {
            0
        } else {
            refusal.missing.len()
        };
        refusal.missing.splice(place..place, findings.missing);
        Error::Refused(refusal)
    }

    /// What stands against a create on the target's side, and what speaks for it if the cluster can be seen.
    async fn check_target(
        &self,
        request: &NewConnection,
        token: &ArmToken,
    ) -> Result<(Findings, Option<Clearance>), Error> {
        let (id, cluster, database) = (request.id(), request.cluster(), &request.target.database);
        // The proof of absence is as old as the beginning of its read.
        let look = async {
            let absent_at = self.clock.now();
            (absent_at, self.arm.data_connection(token, &id).await)
        };
        let (region, rights, database_there, (absent_at, stands)) = tokio::join!(
            self.arm.cluster(token, &cluster),
            self.arm.permissions(token, database.resource()),
            self.arm.database_exists(token, database),
            look,
        );
        let mut findings = Findings::default();
        let location = region_of(&mut findings, token, &cluster, region)?;
        if location.is_some() {
            let right = right(rights, WRITE_CONNECTION, token)?;
            let found = there(&database_there, token)?;
            let is_there = matches!(found, There::Yes | There::Forbidden);
            match (right, found) {
                // ARM lets the cluster be read, so it is there.
                (Right::Lacking, _) | (Right::Untold, There::Forbidden) => {
                    findings.lacks(Role::OnCluster(&cluster), true, token.tenant());
                }
                (Right::NoScope, _) if is_there => {
                    findings.lacks(Role::OnCluster(&cluster), true, token.tenant());
                }
                (Right::Held, There::Forbidden) => refused(&database_there, token)?,
                // What cannot be checked here, ARM checks when it processes the create.
                _ => {}
            }
            if !is_there {
                findings.wrong(
                    TARGET_POINTER,
                    format!("the cluster {cluster} has no database {}", database.name()),
                );
            }
        }
        if findings.missing.is_empty() && findings.errors.is_empty() {
            findings.taken = stands.map_err(|error| from_arm(&error, Some(token)))?.is_some();
        }
        Ok((
            findings,
            location.map(|location| Clearance { location, absent_at }),
        ))
    }

    /// What stands against a create on the source's side.
    async fn check_source(&self, request: &NewConnection, token: &ArmToken) -> Result<Findings, Error> {
        let (hub, group) = (&request.source.hub, &request.source.consumer_group);
        let namespace = hub.namespace();
        let (rights, hub_there, group_there) = tokio::join!(
            self.arm.permissions(token, namespace.resource()),
            self.arm.event_hub_exists(token, hub),
            self.arm.consumer_group_exists(token, hub, group),
        );
        let mut findings = Findings::default();
        let right = right(rights, LIST_KEYS, token)?;
        let found = there(&hub_there, token)?;
        // ARM checks the right to read before the existence, so a "not found" is reliable.
        let missing = match (found, right) {
            (There::NoGroup | There::NoParent, _) => Some(found),
            (There::No, Right::NoScope) => Some(There::No),
            _ => None,
        };
        if let Some(missing) = missing {
            findings.wrong(
                SOURCE_POINTER,
                absence(missing, "namespace", namespace.resource()),
            );
            return Ok(findings);
        }
        match (right, found) {
            (Right::Lacking | Right::NoScope, _) | (Right::Untold, There::Forbidden) => {
                let is_there = found != There::Forbidden || matches!(group_there, Ok(true));
                findings.lacks(Role::OnNamespace(&namespace), is_there, token.tenant());
            }
            (Right::Held, There::Forbidden) => refused(&hub_there, token)?,
            _ => {}
        }
        match found {
            There::No => {
                let detail = format!("the namespace {namespace} has no event hub {}", hub.name());
                findings.wrong(SOURCE_POINTER, detail);
            }
            There::Yes => match there(&group_there, token)? {
                There::Yes => {}
                There::Forbidden if findings.missing.is_empty() => refused(&group_there, token)?,
                There::Forbidden => {}
                _ => {
                    let detail = format!("the event hub {hub} has no consumer group {group}");
                    findings.wrong("/source/eventHub/consumerGroup", detail);
                }
            },
            _ => {}
        }
        Ok(findings)
    }

    /// Whether the caller may make data connections there.
    pub(crate) async fn preflight_write(
        &self,
        database: &DatabaseId,
        target: &ArmToken,
    ) -> Result<(), Error> {
        self.preflight_right(database, target, WRITE_CONNECTION).await
    }

    /// Whether ARM takes the token to read a data connection with. What ARM can't tell now the operation finds out later, and what
    /// it would be in may be gone.
    pub(crate) async fn preflight_read(&self, id: &DataConnectionId, target: &ArmToken) -> Result<(), Error> {
        match self.arm.data_connection(target, id).await {
            Err(error) if matches!(error.status(), Some(401 | 403)) => Err(from_arm(&error, Some(target))),
            _ => Ok(()),
        }
    }

    /// Checks that the caller may remove a connection, with the caller's own token.
    pub(crate) async fn permit_removal(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
    ) -> Result<ArmToken, Error> {
        let permit = async || {
            let target = self.exchange.one(caller, record.target_tenant).await?;
            self.preflight_remove(&record.target.database, &target).await?;
            Ok(target)
        };
        match permit().await {
            Err(error) if self.exchange.forget_refused(caller, &error).await => permit().await,
            told => told,
        }
    }

    /// Checks that the caller may delete before anything is recorded, so that a refusal changes nothing.
    pub(crate) async fn preflight_remove(
        &self,
        database: &DatabaseId,
        target: &ArmToken,
    ) -> Result<(), Error> {
        self.preflight_right(database, target, DELETE_CONNECTION).await
    }

    async fn preflight_right(
        &self,
        database: &DatabaseId,
        target: &ArmToken,
        action: &str,
    ) -> Result<(), Error> {
        let permissions = self.arm.permissions(target, database.resource()).await;
        let mut findings = Findings::default();
        // A missing database is no reason to refuse: the operation finds out and reports it.
        if right(permissions, action, target)? == Right::Lacking {
            findings.lacks(Role::OnCluster(&database.cluster()), false, target.tenant());
        }
        findings.refusal("").map_or(Ok(()), |refusal| Err(refusal.into()))
    }
}

/// The cluster's region, or what keeps it from being known.
fn region_of(
    findings: &mut Findings,
    token: &ArmToken,
    cluster: &ClusterId,
    answer: Result<Option<Cluster>, ArmError>,
) -> Result<Option<String>, Error> {
    let found = match answer {
        Ok(Some(found)) => return Ok(Some(found.location)),
        Ok(None) => There::No,
        Err(error) => there(&Err(error), token)?,
    };
    if found == There::Forbidden {
        findings.lacks(Role::OnCluster(cluster), false, token.tenant());
    } else {
        findings.wrong(TARGET_POINTER, absence(found, "cluster", cluster.resource()));
    }
    Ok(None)
}

/// ARM's refusal of a read that the caller's role should allow, passed on as such.
fn refused(answer: &Result<bool, ArmError>, token: &ArmToken) -> Result<(), Error> {
    match answer {
        Ok(_) => Ok(()),
        Err(error) => Err(from_arm(error, Some(token))),
    }
}

/// Whether a principal has an action on a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Right {
    Held,
    Lacking,
    /// ARM doesn't let the principal ask. Whether the roles of the how-to let one is not documented.
    Untold,
    /// ARM knows no such scope, or doesn't show it.
    NoScope,
}

fn right(answer: Result<Permissions, ArmError>, action: &str, token: &ArmToken) -> Result<Right, Error> {
    match answer {
        Ok(permissions) if permissions.allows(action) => Ok(Right::Held),
        Ok(_) => Ok(Right::Lacking),
        Err(error) if error.status() == Some(403) => Ok(Right::Untold),
        Err(error) if error.status() == Some(404) => Ok(Right::NoScope),
        Err(error) => Err(from_arm(&error, Some(token))),
    }
}
