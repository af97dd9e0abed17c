//! Changes of who may do what, and of ARM's door, as tests make them.

use std::time::Duration;

use uuid::Uuid;

use super::rules::ChallengeForm;
use super::throttle::Throttling;
use crate::directory::UnknownName;
use crate::resources::{ChangeError, ResourceId, RoleAssignment, RoleDefinition};
use crate::world::World;

impl World {
    /// Gives a role (name or GUID) to a principal (UPN, object id, group, app name or client id) at a scope.
    pub fn assign_role(&mut self, principal: &str, role: &str, scope: &str) -> Result<(), ChangeError> {
        let (scope, principal_oid) = self.scope_and_oid(principal, scope)?;
        let role_id = self
            .resources
            .role(role, &scope)
            .ok_or_else(|| UnknownName::new("role at that scope", role))?
            .id
            .clone();
        let now = self.now();
        self.resources
            .assign(RoleAssignment::new(principal_oid, role_id, scope), now);
        Ok(())
    }

    /// Takes all roles at exactly this scope from the principal. Roles inherited from above or held through groups stay.
    pub fn revoke_roles(&mut self, principal: &str, scope: &str) -> Result<(), ChangeError> {
        let (scope, oid) = self.scope_and_oid(principal, scope)?;
        let now = self.now();
        self.resources
            .unassign(now, |a| a.principal_oid == oid && a.scope == scope);
        Ok(())
    }

    /// Makes a role that can be given at the scope and below, and gives its GUID.
    pub fn define_role(
        &mut self,
        name: &str,
        scope: &str,
        actions: &[&str],
        not_actions: &[&str],
    ) -> Result<String, ChangeError> {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let scope = ResourceId::parse(scope)?;
        if self.resources.subscription_of(&scope).is_none() {
            return Err(UnknownName::new("subscription", scope.subscription()).into());
        }
        let id = Uuid::new_v4().to_string();
        self.resources.role_definitions.push(RoleDefinition {
            id: id.clone(),
            name: name.to_owned(),
            actions: owned(actions),
            not_actions: owned(not_actions),
            assignable_scopes: vec![scope],
            ..RoleDefinition::default()
        });
        Ok(id)
    }

    /// From now on a role that is given or taken counts only after this long.
    pub fn set_role_lag(&mut self, lag: Duration) {
        self.resources.rights_lag = lag;
    }

    /// Sets ARM's limits; all buckets are full again.
    pub fn set_throttling(&mut self, throttling: Throttling) {
        self.arm.set_throttling(throttling);
    }

    /// From now on users' PUT, PATCH and DELETE in subscriptions of the tenant need tokens with this authentication
    /// context (`acrs`), such as `p1`; nothing lifts the rule.
    pub fn set_writes_need(&mut self, tenant: &str, context: Option<&str>) -> Result<(), UnknownName> {
        let tenant_id = self.directory.tenant_id(tenant)?;
        self.arm.set_writes_need(&tenant_id, context);
        Ok(())
    }

    /// From now on ARM asks in this form for new tokens of users whose sessions were revoked.
    pub fn set_challenge_form(&mut self, form: ChallengeForm) {
        self.arm.set_challenge_form(form);
    }

    fn scope_and_oid(&self, principal: &str, scope: &str) -> Result<(ResourceId, String), ChangeError> {
        let scope = ResourceId::parse(scope)?;
        let subscription = (self.resources.subscription_of(&scope))
            .ok_or_else(|| UnknownName::new("subscription", scope.subscription()))?;
        let oid = self.directory.oid(principal, &subscription.tenant_id)?;
        Ok((scope, oid))
    }
}
