//! The checks at the target: the same for every kind of source.

use super::Preflight;
use super::answers::{Existence, PermissionCheck, absence, existence, permission, refused};
use super::report::{Finding, FindingKind, Status, TargetState, has_failed};
use crate::arm::{ArmError, Cluster, DataConnection, from_arm};
use crate::domain::{ClusterId, DataConnectionId, DatabaseId, Error, NewConnection, Target, TenantId};
use crate::sources::NeededRole;
use crate::upstream::ArmToken;

/// What a principal needs on the database to make a data connection.
pub(super) const WRITE_CONNECTION: &str = "Microsoft.Kusto/clusters/databases/dataConnections/write";
/// What a principal needs on the database to delete one.
pub(super) const DELETE_CONNECTION: &str = "Microsoft.Kusto/clusters/databases/dataConnections/delete";

/// The role with which data connections of a cluster are changed.
pub(super) fn role_on(cluster: &ClusterId, action: &'static str) -> NeededRole {
    NeededRole {
        action,
        name: "Contributor",
        noun: "cluster",
        scope: cluster.resource().clone(),
    }
}

impl Preflight {
    /// What a token of the target's tenant shows: findings, and what the create rests on if the cluster can be seen.
    pub(super) async fn check_target(
        &self,
        request: &NewConnection,
        token: &ArmToken,
    ) -> Result<(Vec<Finding>, Option<TargetState>), Error> {
        let (id, cluster, database) = (request.id(), request.cluster(), &request.target.database);
        // The proof of absence is as old as the beginning of its read.
        let look = async {
            let absent_at = self.clock.now();
            (absent_at, self.arm.data_connection(token, &id).await)
        };
        let (region, permissions, database_there, (absent_at, stands)) = tokio::join!(
            self.arm.cluster(token, &cluster),
            self.arm.permissions(token, database.resource()),
            self.arm.database_exists(token, database),
            look,
        );
        let role = role_on(&cluster, WRITE_CONNECTION);
        let mut findings = Vec::new();
        let location = region_of(&mut findings, token, &role, region)?;
        if location.is_some() {
            let permission = permission(permissions, WRITE_CONNECTION, token)?;
            findings.extend(database_findings(
                &role,
                database,
                permission,
                &database_there,
                token,
            )?);
        }
        let is_open = |kind| !has_failed(&findings, kind);
        if is_open(FindingKind::Role) && is_open(FindingKind::Reference) {
            findings.push(name_finding(&id, stands, token)?);
        }
        let target = location.map(|location| TargetState { location, absent_at });
        Ok((findings, target))
    }
}

fn finding(kind: FindingKind, status: Status, tenant: TenantId) -> Finding {
    Finding {
        status,
        kind,
        tenant,
        pointer: Target::DATABASE_POINTER,
    }
}

/// Whether the principal has the role on the database of a cluster that can be read, and whether the database is there.
fn database_findings(
    role: &NeededRole,
    database: &DatabaseId,
    permission: PermissionCheck,
    answer: &Result<bool, ArmError>,
    token: &ArmToken,
) -> Result<[Finding; 2], Error> {
    let found = existence(answer, token)?;
    let is_there = matches!(found, Existence::Yes | Existence::Forbidden);
    let status = match (permission, found) {
        (PermissionCheck::Lacking, _) | (PermissionCheck::Untold, Existence::Forbidden) => None,
        (PermissionCheck::NoScope, _) if is_there => None,
        (PermissionCheck::Held, Existence::Forbidden) => {
            refused(answer, token)?;
            Some(Status::Passed)
        }
        (PermissionCheck::Held, _) => Some(Status::Passed),
        // What cannot be checked here, ARM checks when it processes the create.
        _ => Some(Status::Unknown),
    };
    let of_role = match status {
        Some(status) => finding(FindingKind::Role, status, token.tenant()),
        // ARM lets the cluster be read, so it is there.
        None => Finding::lacks(role, true, token.tenant(), Target::DATABASE_POINTER),
    };
    let status = match found {
        Existence::Yes => Status::Passed,
        Existence::Forbidden => Status::Unknown,
        _ => Status::Failed(format!(
            "the cluster {} has no database {}",
            database.cluster(),
            database.name()
        )),
    };
    Ok([of_role, finding(FindingKind::Reference, status, token.tenant())])
}

/// Whether the name is free.
fn name_finding(
    id: &DataConnectionId,
    stands: Result<Option<DataConnection>, ArmError>,
    token: &ArmToken,
) -> Result<Finding, Error> {
    let is_taken = stands.map_err(|error| from_arm(&error, Some(token)))?.is_some();
    let status = if is_taken {
        Status::Failed(format!(
            "Azure already has a data connection {id}; it was not touched. Choose another name"
        ))
    } else {
        Status::Passed
    };
    Ok(Finding {
        pointer: NewConnection::NAME_POINTER,
        ..finding(FindingKind::Name, status, token.tenant())
    })
}

/// The cluster's region, or what keeps it from being known.
fn region_of(
    findings: &mut Vec<Finding>,
    token: &ArmToken,
    role: &NeededRole,
    answer: Result<Option<Cluster>, ArmError>,
) -> Result<Option<String>, Error> {
    let found = match answer {
        Ok(Some(found)) => return Ok(Some(found.location)),
        Ok(None) => Existence::No,
        Err(error) => existence(&Err(error), token)?,
    };
    findings.push(if found == Existence::Forbidden {
        Finding::lacks(role, false, token.tenant(), Target::DATABASE_POINTER)
    } else {
        let status = Status::Failed(absence(found, role.noun, &role.scope));
        finding(FindingKind::Reference, status, token.tenant())
    });
    Ok(None)
}
