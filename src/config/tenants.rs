//! `[tenants]`: whose users are served, and which tenants may be connected in which direction.

use std::collections::HashSet;

use super::Reader;
use crate::authz::policy::{Pair, TenantName};
use crate::authz::{Side, TenantPolicy};
use crate::domain::TenantId;

pub(super) fn read(reader: &mut Reader) -> Option<TenantPolicy> {
    let users = reader.list("tenants.users");
    if users.is_none() {
        reader.report("tenants.users", "is missing: the tenants whose users may call");
    }
    let targets: Vec<TenantId> = reader.list("tenants.targets").unwrap_or_default();
    let sources: Vec<TenantId> = reader.list("tenants.sources").unwrap_or_default();
    let pairs: Vec<Pair> = reader.list("tenants.pairs").unwrap_or_default();
    let service_reads: Vec<TenantId> = reader.list("tenants.service_reads").unwrap_or_default();
    let home = reader.maybe("tenants.home");
    let names: Vec<TenantName> = reader.list("tenants.names").unwrap_or_default();
    let mut named = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !named.insert(name.tenant)) {
        reader.report("tenants.names", format!("{} has two names", twice.tenant));
    }
    let policy = TenantPolicy {
        home,
        users: users?.into_iter().collect(),
        targets: targets.into_iter().collect(),
        sources: sources.into_iter().collect(),
        pairs: pairs.into_iter().collect(),
        service_reads: service_reads.into_iter().collect(),
        names: names.into_iter().collect(),
    };
    let allowed =
        |tenant: &&TenantId| policy.allows(**tenant, Side::Target) || policy.allows(**tenant, Side::Source);
    if let Some(tenant) = policy.service_reads.iter().find(|tenant| !allowed(tenant)) {
        let detail = format!("{tenant} is no tenant that may be connected; list it as target or source too");
        reader.report("tenants.service_reads", detail);
    }
    if let Some(home) = policy.home.filter(|home| !policy.users.contains(home)) {
        let detail = format!("{home} is no tenant whose users may call; list it in tenants.users too");
        reader.report("tenants.home", detail);
    }
    Some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "11111111-0000-4000-8000-000000000001";
    const B: &str = "22222222-0000-4000-8000-000000000002";

    fn policy(text: &str) -> TenantPolicy {
        let mut reader = Reader::from_toml(&format!("[tenants]\nusers = []\n{text}")).expect("TOML");
        let policy = read(&mut reader).expect("complete");
        reader.finish_with_unknown_keys().expect("right");
        policy
    }

    fn tenant(text: &str) -> TenantId {
        text.parse().expect("a GUID")
    }

    #[test]
    fn nothing_is_allowed_that_is_not_listed() {
        let policy = policy("");
        assert!(!policy.allows(tenant(A), Side::Target));
        assert!(!policy.allows_pair(tenant(A), tenant(B)));
        assert!(!policy.allows_pair(tenant(A), tenant(A)));
    }

    #[test]
    fn a_tenant_is_allowed_on_its_side_only() {
        let policy = policy(&format!("targets = [\"{A}\"]\nsources = [\"{B}\"]"));
        assert!(policy.allows_pair(tenant(A), tenant(B)));
        assert!(!policy.allows_pair(tenant(B), tenant(A)));
        assert!(!policy.allows(tenant(B), Side::Target));
    }

    #[test]
    fn the_service_reads_by_itself_in_no_tenant_that_is_not_listed_for_it_and_allowed_as_target() {
        let both = format!("targets = [\"{A}\"]\nsources = [\"{B}\"]");
        assert_eq!(policy(&both).readable_targets().count(), 0);
        let listed = policy(&format!("{both}\nservice_reads = [\"{A}\", \"{B}\"]"));
        assert_eq!(listed.readable_targets().collect::<Vec<_>>(), [tenant(A)]);

        let text = format!("[tenants]\nusers = []\nservice_reads = [\"{A}\"]");
        let mut reader = Reader::from_toml(&text).expect("TOML");
        let _ = read(&mut reader);
        let error = reader
            .finish_with_unknown_keys()
            .expect_err("a tenant of no side");
        assert!(error.to_string().contains("tenants.service_reads"), "{error}");
    }

    #[test]
    fn a_tenant_has_the_one_name_that_is_listed_for_it() {
        let names = policy(&format!(
            "names = [\"{A} = domain1.com\", \"{B}=One, Two = Three\"]"
        ))
        .names;
        assert_eq!(names.of(tenant(A)).as_deref(), Some("domain1.com"));
        assert_eq!(names.of(tenant(B)).as_deref(), Some("One, Two = Three"));
        assert_eq!(policy("").names.of(tenant(A)), None);
        for wrong in [
            format!("\"{A}\""),
            format!("\"{A} = \""),
            "\"domain1.com = domain1.com\"".to_owned(),
            format!("\"{A} = one\", \"{A} = two\""),
        ] {
            let text = format!("[tenants]\nusers = []\nnames = [{wrong}]");
            let mut reader = Reader::from_toml(&text).expect("TOML");
            let _ = read(&mut reader);
            let error = reader.finish_with_unknown_keys().expect_err(&wrong);
            assert!(error.to_string().contains("tenants.names"), "{error}");
        }
    }

    #[test]
    fn a_listed_pair_allows_that_pair_and_no_other() {
        let policy = policy(&format!("pairs = [\"{A} <- {B}\"]"));
        assert!(policy.allows_pair(tenant(A), tenant(B)));
        assert!(!policy.allows_pair(tenant(A), tenant(A)));
        assert!(policy.allows(tenant(B), Side::Source));
        assert!(!policy.allows(tenant(B), Side::Target));
    }
}
