//! Who may do what: role assignments at a scope and above it.

use super::{ResourceId, Resources, RoleDefinition, Subscription};

impl Resources {
    /// The roles that reach the scope for this principal: given there or above.
    pub fn roles_at(&self, oid: &str, scope: &ResourceId) -> Vec<&RoleDefinition> {
        self.role_assignments
            .iter()
            .filter(|a| a.principal_oid == oid && scope.is_within(&a.scope))
            .filter_map(|a| self.role_definitions.iter().find(|role| role.id == a.role_id))
            .collect()
    }

    /// Whether one of those roles allows the action.
    pub fn allows(&self, oid: &str, action: &str, scope: &ResourceId) -> bool {
        self.roles_at(oid, scope).iter().any(|role| role.allows(action))
    }

    /// A role definition by name or GUID.
    pub fn role(&self, name: &str) -> Option<&RoleDefinition> {
        self.role_definitions
            .iter()
            .find(|r| r.name.eq_ignore_ascii_case(name) || r.id.eq_ignore_ascii_case(name))
    }

    /// The subscription that an id lies in.
    pub fn subscription_of(&self, id: &ResourceId) -> Option<&Subscription> {
        self.subscription(id.subscription())
    }
}
