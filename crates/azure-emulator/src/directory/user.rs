//! A person, and the tenants they are in.

use chrono::{DateTime, Utc};

/// One person. The object id differs from tenant to tenant; the person is the same.
#[derive(Clone, Debug)]
pub struct User {
    /// User principal name in the home tenant.
    pub upn: String,
    /// Display name.
    pub name: String,
    /// Home tenant's GUID.
    pub home_tenant: String,
    /// Home first, then the tenants the user is a guest in.
    pub memberships: Vec<Membership>,
    /// A second factor is registered. Who has none can't be asked for it, only to register one.
    pub mfa_enrolled: bool,
    /// Sign-ins up to this moment count no more: the sessions were revoked (`signInSessionsValidFromDateTime`).
    pub tokens_valid_from: Option<DateTime<Utc>>,
    /// When the password was last changed, if ever.
    pub password_changed: Option<DateTime<Utc>>,
}

/// A person's object in one tenant.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The tenant's GUID.
    pub tenant_id: String,
    /// Object id there.
    pub oid: String,
    /// A disabled user gets no tokens; tokens that are out stay valid until they expire.
    pub enabled: bool,
}

impl User {
    /// Whether the name is this user's UPN or one of its object ids.
    pub fn is_called(&self, name: &str) -> bool {
        self.upn.eq_ignore_ascii_case(name)
            || self.memberships.iter().any(|m| m.oid.eq_ignore_ascii_case(name))
    }

    /// The user's object in the tenant, if there is one.
    pub fn in_tenant(&self, tenant_id: &str) -> Option<&Membership> {
        self.memberships.iter().find(|m| m.tenant_id == tenant_id)
    }

    /// Whether the user is a guest there.
    pub fn is_guest_in(&self, tenant_id: &str) -> bool {
        self.home_tenant != tenant_id && self.in_tenant(tenant_id).is_some()
    }

    /// Object id in the home tenant; empty only for a user without one, which no seed can make.
    pub fn home_oid(&self) -> &str {
        self.in_tenant(&self.home_tenant).map_or("", |m| m.oid.as_str())
    }
}
