//! What the checks before a change found, as data, and the one refusal that they amount to.

use chrono::{DateTime, Utc};

use crate::authz::tenants::TenantPair;
use crate::domain::{Code, Error, FieldError, Missing, MissingKind, Refusal, TenantId};
use crate::sources::NeededRole;

/// What can be mistyped in an id.
pub(super) const PARTS: &str = "its subscription, resource group and name";

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// It stands against nothing.
    Passed,
    /// The change cannot succeed: what is wrong and how to fix it, in a sentence with the full id.
    Failed(String),
    /// Azure does not let this user find out, and checks it itself when it processes the change.
    Unknown,
}

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FindingKind {
    /// A role of the user.
    Role,
    /// Whether a resource that the request names exists.
    Reference,
    /// Whether the data connection's name is free.
    Name,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) status: Status,
    pub(crate) kind: FindingKind,
    /// The tenant whose token it was checked with.
    pub(crate) tenant: TenantId,
    /// The member of the request that it is about: a JSON pointer (RFC 6901).
    pub(crate) pointer: &'static str,
}

/// What was found on the target's side.
#[derive(Debug)]
pub(crate) struct TargetState {
    /// The cluster's region: a data connection must name the same.
    pub(crate) location: String,
    /// When a read found no data connection of this name.
    pub(crate) absent_at: DateTime<Utc>,
}

/// What a create rests on, when nothing stands against it.
#[derive(Debug)]
pub(crate) struct Cleared {
    pub(crate) tenants: TenantPair,
    pub(crate) target: TargetState,
}

/// Everything that was found before a create.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) tenants: TenantPair,
    /// The target's first.
    pub(crate) findings: Vec<Finding>,
    /// Set if a tenant issues no token for this user: what it would have shown is not among the findings.
    pub(crate) no_token: Option<Box<Refusal>>,
    /// Set if the user can see the cluster.
    pub(crate) target: Option<TargetState>,
}

impl Finding {
    /// The user lacks a role. Whether the resource exists may be unknown: ARM discloses nothing to users without a role.
    pub(crate) fn lacks(role: &NeededRole, is_there: bool, tenant: TenantId, pointer: &'static str) -> Self {
        let NeededRole {
            name, noun, scope, ..
        } = role;
        let mut fix = format!("give the user the role {name} on the {noun} {scope} (tenant {tenant})");
        if !is_there {
            fix = format!(
                "{fix}, if that exists: Azure answers the same for a {noun} that doesn't, so check {PARTS} first"
            );
        }
        Self {
            status: Status::Failed(fix),
            kind: FindingKind::Role,
            tenant,
            pointer,
        }
    }

    /// How to fix it, if it failed.
    pub(crate) fn fix(&self) -> Option<&str> {
        match &self.status {
            Status::Failed(fix) => Some(fix),
            Status::Passed | Status::Unknown => None,
        }
    }
}

impl Report {
    /// What the create rests on, if no check failed.
    ///
    /// # Errors
    /// The one refusal for everything that failed.
    pub(crate) fn into_result(self) -> Result<Cleared, Error> {
        let tenants = self.tenants;
        let refusal = match self.no_token {
            Some(no_token) => Some(with_findings(*no_token, &self.findings, tenants)),
            None => refusal(&self.findings),
        };
        match (refusal, self.target) {
            (Some(refusal), _) => Err(refusal.into()),
            (None, Some(target)) => Ok(Cleared { tenants, target }),
            (None, None) => Err(Refusal::new(Code::ReferenceNotFound, "the cluster was not found").into()),
        }
    }

    /// Whether access is missing.
    pub(crate) fn lacks_access(&self) -> bool {
        self.no_token.is_some() || has_failed(&self.findings, FindingKind::Role)
    }
}

/// Whether a check of this kind failed.
pub(super) fn has_failed(findings: &[Finding], kind: FindingKind) -> bool {
    findings
        .iter()
        .any(|finding| finding.kind == kind && finding.fix().is_some())
}

/// The one refusal for all checks that failed. Missing roles come before missing resources, and both before a name that is taken.
pub(super) fn refusal(findings: &[Finding]) -> Option<Refusal> {
    let (missing, errors) = (missing_of(findings), errors_of(findings, FindingKind::Reference));
    let code = match (missing.is_empty(), errors.is_empty()) {
        (false, _) => Code::AccessMissing,
        (true, false) => Code::ReferenceNotFound,
        (true, true) => {
            let errors = errors_of(findings, FindingKind::Name);
            let detail = errors.first()?.detail.clone();
            return Some(Refusal {
                errors,
                ..Refusal::new(Code::NameTaken, detail)
            });
        }
    };
    let detail = sentences(&missing, &errors).join("; ");
    Some(Refusal {
        errors,
        missing,
        ..Refusal::new(code, detail)
    })
}

/// The refusal for a token that is missing, with what the other tenant's token shows: a caller who fixes the one should not have to
/// return to learn of the other.
fn with_findings(mut refusal: Refusal, findings: &[Finding], tenants: TenantPair) -> Refusal {
    let (missing, errors) = (missing_of(findings), errors_of(findings, FindingKind::Reference));
    for sentence in sentences(&missing, &errors) {
        refusal.detail = format!("{}; {sentence}", refusal.detail);
    }
    refusal.errors.extend(errors);
    // The target comes first, as everywhere.
    let (of_target, of_source): (Vec<Missing>, Vec<Missing>) = missing
        .into_iter()
        .partition(|missing| missing.tenant == tenants.target);
    refusal.missing.splice(0..0, of_target);
    refusal.missing.extend(of_source);
    refusal
}

fn missing_of(findings: &[Finding]) -> Vec<Missing> {
    let roles = findings
        .iter()
        .filter(|finding| finding.kind == FindingKind::Role);
    roles
        .filter_map(|finding| {
            Some(Missing {
                tenant: finding.tenant,
                kind: MissingKind::Role,
                fix: finding.fix()?.to_owned(),
                url: None,
            })
        })
        .collect()
}

fn errors_of(findings: &[Finding], kind: FindingKind) -> Vec<FieldError> {
    let of_kind = findings.iter().filter(|finding| finding.kind == kind);
    of_kind
        .filter_map(|finding| {
            Some(FieldError {
                pointer: finding.pointer.to_owned(),
                detail: finding.fix()?.to_owned(),
            })
        })
        .collect()
}

/// What must be fixed, each in a sentence.
fn sentences(missing: &[Missing], errors: &[FieldError]) -> Vec<String> {
    let fixes = missing.iter().map(|missing| missing.fix.clone());
    fixes
        .chain(errors.iter().map(|error| error.detail.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: TenantId = TenantId::new(uuid::Uuid::from_u128(7));
    const SOURCE: TenantId = TenantId::new(uuid::Uuid::from_u128(8));
    const CLUSTER: &str = "/subscriptions/11111111-0000-4000-8000-000000000001/resourceGroups/rg-1/providers/Microsoft.Kusto/clusters/adx1";

    fn role() -> NeededRole {
        NeededRole {
            action: "",
            name: "Contributor",
            noun: "cluster",
            scope: CLUSTER.parse().expect("an id"),
        }
    }

    fn finding(kind: FindingKind, tenant: TenantId, fix: &str) -> Finding {
        Finding {
            status: Status::Failed(fix.to_owned()),
            kind,
            tenant,
            pointer: "/name",
        }
    }

    fn report(findings: Vec<Finding>) -> Report {
        Report {
            tenants: TenantPair {
                target: TARGET,
                source: SOURCE,
            },
            findings,
            no_token: None,
            target: Some(TargetState {
                location: "westus2".to_owned(),
                absent_at: DateTime::UNIX_EPOCH,
            }),
        }
    }

    fn refused(report: Report) -> Refusal {
        match report.into_result() {
            Err(Error::Refused(refusal)) => *refusal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_resource_that_nobody_showed_may_not_be_there_and_one_that_was_shown_is() {
        for (is_there, doubt) in [(true, false), (false, true)] {
            let refusal = refused(report(vec![Finding::lacks(&role(), is_there, TARGET, "/target")]));
            assert_eq!((refusal.code, refusal.missing.len()), (Code::AccessMissing, 1));
            assert!(refusal.detail.contains(CLUSTER));
            assert_eq!(refusal.detail.contains("if that exists"), doubt);
        }
    }

    #[test]
    fn what_passed_or_is_unknown_stands_against_nothing() {
        for status in [Status::Passed, Status::Unknown] {
            for kind in [FindingKind::Role, FindingKind::Reference, FindingKind::Name] {
                let finding = Finding {
                    status: status.clone(),
                    ..finding(kind, TARGET, "")
                };
                let report = report(vec![finding]);
                assert!(!report.lacks_access());
                assert_eq!(report.into_result().expect("cleared").target.location, "westus2");
            }
        }
    }

    #[test]
    fn roles_come_before_resources_and_a_taken_name_is_told_alone() {
        use FindingKind::{Name, Reference, Role};
        let name = finding(Name, TARGET, "taken");
        let resource = finding(Reference, TARGET, "no hub");
        let role = finding(Role, SOURCE, "no role");
        let taken = refused(report(vec![name.clone()]));
        assert_eq!((taken.code, taken.detail.as_str()), (Code::NameTaken, "taken"));
        assert_eq!(taken.errors.len(), 1);
        let absent = refused(report(vec![resource.clone(), name.clone()]));
        assert_eq!(
            (absent.code, absent.detail.as_str()),
            (Code::ReferenceNotFound, "no hub")
        );
        let all = refused(report(vec![resource, name, role]));
        assert_eq!(
            (all.code, all.detail.as_str()),
            (Code::AccessMissing, "no role; no hub")
        );
        assert_eq!((all.errors.len(), all.missing.len()), (1, 1));
    }

    #[test]
    fn a_missing_token_is_told_with_what_the_other_tenant_shows_the_target_first() {
        for (without, other) in [(TARGET, SOURCE), (SOURCE, TARGET)] {
            let no_token = Refusal {
                missing: vec![Missing::proof(without)],
                ..Refusal::new(Code::AccessMissing, "no token")
            };
            let refusal = refused(Report {
                no_token: Some(Box::new(no_token)),
                target: None,
                ..report(vec![finding(FindingKind::Role, other, "no role")])
            });
            assert_eq!(refusal.detail, "no token; no role");
            let tenants: Vec<TenantId> = refusal.missing.iter().map(|missing| missing.tenant).collect();
            assert_eq!(tenants, [TARGET, SOURCE]);
        }
    }
}
