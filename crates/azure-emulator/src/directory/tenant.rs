//! A tenant.

/// One Entra tenant.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// GUID, lower case.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Verified domains; the first is the one that guests' UPNs are made with.
    pub domains: Vec<String>,
    /// The tenant asks everyone for a second factor, for everything, as security defaults do: a policy without a name,
    /// so that refusals have no claims to tell it by. Strangers are refused with AADSTS90072 instead of AADSTS50020
    /// (Microsoft Learn: "Microsoft Entra authentication and authorization error codes").
    pub requires_mfa: bool,
}

impl Tenant {
    /// Whether the name is this tenant's GUID or one of its domains.
    pub fn is_called(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name)
            || self
                .domains
                .iter()
                .any(|domain| domain.eq_ignore_ascii_case(name))
    }

    /// The v1 issuer, which ARM's messages name too.
    pub fn v1_issuer(&self) -> String {
        v1_issuer(&self.id)
    }
}

/// The v1 issuer of a tenant's tokens. v1 tokens keep Microsoft's own host: ARM compares with it literally.
pub(crate) fn v1_issuer(tenant_id: &str) -> String {
    format!("https://sts.windows.net/{tenant_id}/")
}
