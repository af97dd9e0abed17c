//! Whose users are served, and which tenants may be connected in which direction. Nothing is allowed that isn't listed.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use crate::domain::TenantId;

/// The side of a connection that a tenant is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The tenant of the cluster.
    Target,
    /// The tenant of the event stream.
    Source,
}

/// Which tenants may be connected, in which direction.
#[derive(Debug, Clone)]
pub struct TenantPolicy {
    /// The tenants whose user tokens are accepted.
    pub users: HashSet<TenantId>,
    pub(crate) targets: HashSet<TenantId>,
    pub(crate) sources: HashSet<TenantId>,
    pub(crate) pairs: HashSet<Pair>,
    /// The tenants that granted the service reads with its own token.
    pub service_reads: HashSet<TenantId>,
    /// The tenant that owns the service's registration, whose operators it has: in others, those hand out app roles who run them.
    pub home: Option<TenantId>,
    /// How tenants are called.
    pub names: TenantNames,
}

/// The names of tenants, for people to read: a domain or a display name.
#[derive(Debug, Clone, Default)]
pub struct TenantNames(HashMap<TenantId, String>);

impl TenantNames {
    /// The tenant's name, if it has one.
    #[must_use]
    pub fn of(&self, tenant: TenantId) -> Option<String> {
        self.0.get(&tenant).cloned()
    }
}

impl FromIterator<TenantName> for TenantNames {
    fn from_iter<T: IntoIterator<Item = TenantName>>(names: T) -> Self {
        Self(
            names
                .into_iter()
                .map(|named| (named.tenant, named.name))
                .collect(),
        )
    }
}

/// A tenant's name, written `tenant = name`.
#[derive(Debug)]
pub(crate) struct TenantName {
    pub(crate) tenant: TenantId,
    name: String,
}

/// The longest name of a tenant, in characters: Entra's limit for display names of organizations.
const MAX_NAME: usize = 256;

impl FromStr for TenantName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a name is written 'tenant = name': a GUID, and up to 256 characters on one line";
        let (tenant, name) = text.split_once('=').ok_or(wrong)?;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(wrong);
        }
        Ok(Self {
            tenant: tenant.trim().parse().map_err(|_| wrong)?,
            name: name.to_owned(),
        })
    }
}

/// A target and a source tenant that may be connected, written `target <- source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Pair {
    target: TenantId,
    source: TenantId,
}

impl FromStr for Pair {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a pair is written 'target tenant <- source tenant', both GUIDs";
        let (target, source) = text.split_once("<-").ok_or(wrong)?;
        Ok(Self {
            target: target.trim().parse().map_err(|_| wrong)?,
            source: source.trim().parse().map_err(|_| wrong)?,
        })
    }
}

impl TenantPolicy {
    /// The tenants of targets where the service may read with its own token.
    pub fn readable_targets(&self) -> impl Iterator<Item = TenantId> {
        let granted = self.service_reads.iter().copied();
        granted.filter(|tenant| self.allows(*tenant, Side::Target))
    }

    /// Whether a token may leave for this tenant on this side, whatever is on the other.
    #[must_use]
    pub fn allows(&self, tenant: TenantId, direction: Side) -> bool {
        match direction {
            Side::Target => {
                self.targets.contains(&tenant) || self.pairs.iter().any(|pair| pair.target == tenant)
            }
            Side::Source => {
                self.sources.contains(&tenant) || self.pairs.iter().any(|pair| pair.source == tenant)
            }
        }
    }

    /// Whether the two may be connected: as a listed pair, or each allowed on its side.
    #[must_use]
    pub fn allows_pair(&self, target: TenantId, source: TenantId) -> bool {
        self.pairs.contains(&Pair { target, source })
            || (self.targets.contains(&target) && self.sources.contains(&source))
    }
}
