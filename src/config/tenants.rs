//! `[tenants]`: whose users are served, and which tenants may be connected in which direction. Nothing is allowed that isn't listed.

use std::collections::HashSet;
use std::str::FromStr;

use super::Reader;
use crate::connection::TenantId;

/// The side of a connection that a tenant is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
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
    targets: HashSet<TenantId>,
    sources: HashSet<TenantId>,
    pairs: HashSet<Pair>,
    /// The tenants that granted the service reads with its own token.
    pub service_reads: HashSet<TenantId>,
    /// The tenant that owns the service's registration, whose operators it has: in others, those hand out app roles who run them.
    pub home: Option<TenantId>,
}

/// A target and a source tenant that may be connected, written `target <- source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Pair {
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
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let users = reader.list("tenants.users");
        if users.is_none() {
            reader.report("tenants.users", "is missing: the tenants whose users may call");
        }
        let targets: Vec<TenantId> = reader.list("tenants.targets").unwrap_or_default();
        let sources: Vec<TenantId> = reader.list("tenants.sources").unwrap_or_default();
        let pairs: Vec<Pair> = reader.list("tenants.pairs").unwrap_or_default();
        let service_reads: Vec<TenantId> = reader.list("tenants.service_reads").unwrap_or_default();
        let home = reader.maybe("tenants.home");
        let policy = Self {
            home,
            users: users?.into_iter().collect(),
            targets: targets.into_iter().collect(),
            sources: sources.into_iter().collect(),
            pairs: pairs.into_iter().collect(),
            service_reads: service_reads.into_iter().collect(),
        };
        let allowed = |tenant: &&TenantId| {
            policy.allows(**tenant, Direction::Target) || policy.allows(**tenant, Direction::Source)
        };
        if let Some(tenant) = policy.service_reads.iter().find(|tenant| !allowed(tenant)) {
            let detail =
                format!("{tenant} is no tenant that may be connected; list it as target or source too");
            reader.report("tenants.service_reads", detail);
        }
        if let Some(home) = policy.home.filter(|home| !policy.users.contains(home)) {
            let detail = format!("{home} is no tenant whose users may call; list it in tenants.users too");
            reader.report("tenants.home", detail);
        }
        Some(policy)
    }

    /// The tenants of targets where the service may read with its own token.
    pub fn readable_targets(&self) -> impl Iterator<Item = TenantId> {
        let granted = self.service_reads.iter().copied();
        granted.filter(|tenant| self.allows(*tenant, Direction::Target))
    }

    /// Whether a token may leave for this tenant on this side, whatever is on the other.
    #[must_use]
    pub fn allows(&self, tenant: TenantId, direction: Direction) -> bool {
        match direction {
            Direction::Target => {
                self.targets.contains(&tenant) || self.pairs.iter().any(|pair| pair.target == tenant)
            }
            Direction::Source => {
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

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "11111111-0000-4000-8000-000000000001";
    const B: &str = "22222222-0000-4000-8000-000000000002";

    fn policy(text: &str) -> TenantPolicy {
        let mut reader = Reader::from_toml(&format!("[tenants]\nusers = []\n{text}")).expect("TOML");
        let policy = TenantPolicy::read(&mut reader).expect("complete");
        reader.finish_with_unknown_keys().expect("right");
        policy
    }

    fn tenant(text: &str) -> TenantId {
        text.parse().expect("a GUID")
    }

    #[test]
    fn nothing_is_allowed_that_is_not_listed() {
        let policy = policy("");
        assert!(!policy.allows(tenant(A), Direction::Target));
        assert!(!policy.allows_pair(tenant(A), tenant(B)));
        assert!(!policy.allows_pair(tenant(A), tenant(A)));
    }

    #[test]
    fn a_tenant_is_allowed_on_its_side_only() {
        let policy = policy(&format!("targets = [\"{A}\"]\nsources = [\"{B}\"]"));
        assert!(policy.allows_pair(tenant(A), tenant(B)));
        assert!(!policy.allows_pair(tenant(B), tenant(A)));
        assert!(!policy.allows(tenant(B), Direction::Target));
    }

    #[test]
    fn the_service_reads_by_itself_in_no_tenant_that_is_not_listed_for_it_and_allowed_as_target() {
        let both = format!("targets = [\"{A}\"]\nsources = [\"{B}\"]");
        assert_eq!(policy(&both).readable_targets().count(), 0);
        let listed = policy(&format!("{both}\nservice_reads = [\"{A}\", \"{B}\"]"));
        assert_eq!(listed.readable_targets().collect::<Vec<_>>(), [tenant(A)]);

        let text = format!("[tenants]\nusers = []\nservice_reads = [\"{A}\"]");
        let mut reader = Reader::from_toml(&text).expect("TOML");
        let _ = TenantPolicy::read(&mut reader);
        let error = reader
            .finish_with_unknown_keys()
            .expect_err("a tenant of no side");
        assert!(error.to_string().contains("tenants.service_reads"), "{error}");
    }

    #[test]
    fn a_listed_pair_allows_that_pair_and_no_other() {
        let policy = policy(&format!("pairs = [\"{A} <- {B}\"]"));
        assert!(policy.allows_pair(tenant(A), tenant(B)));
        assert!(!policy.allows_pair(tenant(A), tenant(A)));
        assert!(policy.allows(tenant(B), Direction::Source));
        assert!(!policy.allows(tenant(B), Direction::Target));
    }
}
