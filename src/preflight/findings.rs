//! Findings against a request, in sentences that can be acted on: each has the full id, and what may be wrong with it.

use crate::arm::{ArmError, from_arm};
use crate::domain::{
    ClusterId, Code, Error, FieldError, Missing, MissingKind, NamespaceId, Refusal, ResourceId, TenantId,
};
use crate::upstream::ArmToken;

/// A role that grants what a request needs, named as in Microsoft's how-to, with the resource that it is needed on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role<'a> {
    /// To make and delete data connections.
    OnCluster(&'a ClusterId),
    /// To list the keys that a data connection reads with.
    OnNamespace(&'a NamespaceId),
}

impl Role<'_> {
    const fn name(self) -> &'static str {
        match self {
            Self::OnCluster(_) => "Contributor",
            Self::OnNamespace(_) => "Azure Event Hubs Data Owner",
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::OnCluster(_) => "cluster",
            Self::OnNamespace(_) => "namespace",
        }
    }

    fn resource(&self) -> &ResourceId {
        match self {
            Self::OnCluster(cluster) => cluster.resource(),
            Self::OnNamespace(namespace) => namespace.resource(),
        }
    }
}

/// Whether a resource exists, as far as ARM discloses it to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum There {
    Yes,
    No,
    /// Not even what it would be part of.
    NoParent,
    /// Not even the resource group.
    NoGroup,
    /// The caller may not know. ARM says so of names that don't exist, too (Microsoft Learn, "Troubleshoot Azure RBAC": a scope that
    /// doesn't exist returns `AuthorizationFailed`).
    Forbidden,
}

/// What ARM's response says about the existence of a resource.
pub(crate) fn there(answer: &Result<bool, ArmError>, token: &ArmToken) -> Result<There, Error> {
    match answer {
        Ok(true) => Ok(There::Yes),
        Ok(false) => Ok(There::No),
        Err(error) if error.is_code("ResourceGroupNotFound") => Ok(There::NoGroup),
        Err(error) if error.is_code("ParentResourceNotFound") => Ok(There::NoParent),
        Err(error) if error.status() == Some(404) => Ok(There::No),
        Err(error) if error.status() == Some(403) => Ok(There::Forbidden),
        Err(error) => Err(from_arm(error, Some(token))),
    }
}

/// What is said of a resource of a group that is not there.
pub(crate) fn absence(found: There, noun: &str, id: &ResourceId) -> String {
    if found == There::NoGroup {
        return format!(
            "there is no resource group {} in subscription {}, where the {noun} {id} should be: check both",
            id.resource_group(),
            id.subscription()
        );
    }
    format!("there is no {noun} {id}: check {PARTS}")
}

/// What can be mistyped in an id.
const PARTS: &str = "its subscription, resource group and name";

/// What stands against a request.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) taken: bool,
    pub(crate) errors: Vec<FieldError>,
    pub(crate) missing: Vec<Missing>,
}

impl Findings {
    /// The user lacks a role. Whether the resource exists may be unknown: ARM discloses nothing to users without a role.
    pub(crate) fn lacks(&mut self, role: Role<'_>, is_there: bool, tenant: TenantId) {
        let (name, noun, id) = (role.name(), role.noun(), role.resource());
        let mut fix = format!("give the user the role {name} on the {noun} {id} (tenant {tenant})");
        if !is_there {
            fix = format!(
                "{fix}, if that exists: Azure answers the same for a {noun} that doesn't, so check {PARTS} first"
            );
        }
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

    pub(crate) fn wrong(&mut self, pointer: &str, detail: String) {
        self.errors.push(FieldError {
            pointer: pointer.to_owned(),
            detail,
        });
    }

    /// Adds what was found on the other side.
    pub(crate) fn add(&mut self, other: Self) {
        self.taken |= other.taken;
        self.errors.extend(other.errors);
        self.missing.extend(other.missing);
    }

    /// What must be fixed, each in a sentence.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let fixes = self.missing.iter().map(|missing| missing.fix.clone());
        fixes
            .chain(self.errors.iter().map(|error| error.detail.clone()))
            .collect()
    }

    /// The one refusal for all findings; missing rights come before missing resources.
    pub(crate) fn refusal(self, id: &str) -> Option<Refusal> {
        if self.missing.is_empty() && self.errors.is_empty() {
            if !self.taken {
                return None;
            }
            let detail =
                format!("Azure already has a data connection {id}; it was not touched. Choose another name");
            return Some(Refusal::new(Code::NameTaken, detail.clone()).at("/name", detail));
        }
        let code = if self.missing.is_empty() {
            Code::ReferenceNotFound
        } else {
            Code::AccessMissing
        };
        let detail = self.sentences().join("; ");
        Some(Refusal {
            errors: self.errors,
            missing: self.missing,
            ..Refusal::new(code, detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId::new(uuid::Uuid::from_u128(7));

    fn cluster() -> ClusterId {
        "/subscriptions/11111111-0000-4000-8000-000000000001/resourceGroups/rg-1/providers/Microsoft.Kusto/clusters/adx1"
            .parse()
            .expect("an id")
    }

    #[test]
    fn a_resource_that_nobody_showed_may_not_be_there_and_one_that_was_shown_is() {
        let cluster = cluster();
        for (is_there, doubt) in [(true, false), (false, true)] {
            let mut findings = Findings::default();
            findings.lacks(Role::OnCluster(&cluster), is_there, TENANT);
            findings.lacks(Role::OnCluster(&cluster), is_there, TENANT);
            let refusal = findings.refusal("").expect("a refusal");
            assert_eq!((refusal.code, refusal.missing.len()), (Code::AccessMissing, 1));
            assert!(refusal.detail.contains(cluster.resource().as_written()));
            assert_eq!(refusal.detail.contains("if that exists"), doubt);
        }
    }

    #[test]
    fn what_is_not_there_is_named_from_the_outermost_that_is_missing() {
        let cluster = cluster();
        let of = |found| absence(found, "cluster", cluster.resource());
        assert!(of(There::NoGroup).starts_with(
            "there is no resource group rg-1 in subscription 11111111-0000-4000-8000-000000000001"
        ));
        assert_eq!(
            of(There::No),
            format!("there is no cluster {cluster}: check its subscription, resource group and name")
        );
    }
}
