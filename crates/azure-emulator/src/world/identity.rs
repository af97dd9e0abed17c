//! Changes that concern sign-ins: sessions, passwords, groups, Conditional Access, limits of the token endpoint.

use std::time::Duration;

use super::World;
use crate::directory::{PolicySpec, UnknownName};

impl World {
    /// Revokes the user's sessions: what rests on sign-ins up to now counts no more. Refresh tokens and exchanges are
    /// refused with AADSTS50173. ARM refuses tokens that are out, with a claims challenge if their client takes those.
    pub fn revoke_sessions(&mut self, user: &str) -> Result<(), UnknownName> {
        self.directory.revoke_sessions(user, self.clock.now())
    }

    /// The user gets another password: what rests on older sign-ins is refused with AADSTS50133.
    pub fn change_password(&mut self, user: &str) -> Result<(), UnknownName> {
        self.directory.change_password(user, self.clock.now())
    }

    /// Whether the user has registered a second factor. Who has none is told to register one (AADSTS50079) where a
    /// policy asks for it; signing in with a second factor registers it.
    pub fn set_mfa_enrolled(&mut self, user: &str, enrolled: bool) -> Result<(), UnknownName> {
        self.directory.set_mfa_enrolled(user, enrolled)
    }

    /// Removes the user from every tenant.
    pub fn delete_user(&mut self, user: &str) -> Result<(), UnknownName> {
        self.directory.delete_user(user)
    }

    /// Makes a security group with these members (UPN, object id, app); gives its object id.
    pub fn add_group(&mut self, tenant: &str, name: &str, members: &[&str]) -> Result<String, UnknownName> {
        self.directory.add_group(tenant, name, members)
    }

    /// Puts a user or a service principal into a group of the tenant.
    pub fn add_member(&mut self, tenant: &str, group: &str, member: &str) -> Result<(), UnknownName> {
        self.directory.add_member(tenant, group, member)
    }

    /// Takes a user or a service principal out of a group of the tenant.
    pub fn remove_member(&mut self, tenant: &str, group: &str, member: &str) -> Result<(), UnknownName> {
        self.directory.remove_member(tenant, group, member)
    }

    /// Adds a Conditional Access policy; gives its id.
    pub fn add_policy(&mut self, policy: &PolicySpec) -> Result<String, UnknownName> {
        self.directory.add_policy(policy)
    }

    /// Removes a Conditional Access policy by its id or name.
    pub fn remove_policy(&mut self, policy: &str) -> Result<(), UnknownName> {
        self.directory.remove_policy(policy)
    }

    /// From now on the tenant asks everyone for a second factor, for everything; or no more.
    pub fn require_mfa(&mut self, tenant: &str, required: bool) -> Result<(), UnknownName> {
        self.directory.require_mfa(tenant, required)
    }

    /// From now on the tenant's token endpoint answers this many requests in each such time, of one app or of all
    /// together, and the others with 429. Takes the place of an earlier rate of the same tenant and app.
    pub fn limit_tokens(
        &mut self,
        tenant: &str,
        app: Option<&str>,
        requests: u32,
        per: Duration,
    ) -> Result<(), UnknownName> {
        let (tenant_id, client_id) = self.rate_of(tenant, app)?;
        self.limits.set_rate(tenant_id, client_id, requests, per);
        Ok(())
    }

    /// Takes a rate away again.
    pub fn unlimit_tokens(&mut self, tenant: &str, app: Option<&str>) -> Result<(), UnknownName> {
        let (tenant_id, client_id) = self.rate_of(tenant, app)?;
        self.limits.remove_rate(&tenant_id, client_id.as_deref());
        Ok(())
    }

    /// From now on access tokens of users live this long, as by a token lifetime policy.
    pub fn set_token_lifetime(&mut self, lifetime: Duration) {
        self.sign_ins.token_lifetime = Some(lifetime);
    }

    /// Whether identical requests are counted and refused with AADSTS50196 when there are too many. They are, unless
    /// a measurement switches it off.
    pub fn set_loop_detection(&mut self, on: bool) {
        self.limits.set_loop_detection(on);
    }

    fn rate_of(&self, tenant: &str, app: Option<&str>) -> Result<(String, Option<String>), UnknownName> {
        let client_id = app.map(|app| self.directory.client_id(app)).transpose()?;
        Ok((self.directory.tenant_id(tenant)?, client_id))
    }
}
