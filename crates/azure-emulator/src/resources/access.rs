//! Who may do what: role assignments at a scope and above it.

use super::{ResourceId, Resources, RoleAssignment, RoleDefinition, Subscription};

impl Resources {
    /// The roles that reach the scope for a caller, who is all of these principals: the object id, and those of its
    /// groups.
    pub fn roles_at(&self, principals: &[String], scope: &ResourceId) -> Vec<&RoleDefinition> {
        self.assignments_at(principals, scope)
            .filter_map(|a| self.role_by_id(&a.role_id))
            .collect()
    }

    /// Whether one of those roles allows the action.
    pub fn allows(&self, principals: &[String], action: &str, scope: &ResourceId) -> bool {
        self.assignments_at(principals, scope)
            .filter_map(|a| self.role_by_id(&a.role_id))
            .any(|role| role.allows(action))
    }

    /// Whether one of the principals holds any role within the scope.
    pub(crate) fn holds_a_role_within(&self, principals: &[String], scope: &ResourceId) -> bool {
        self.counting_assignments()
            .any(|a| principals.contains(&a.principal_oid) && a.scope.is_within(scope))
    }

    /// A role definition by GUID.
    pub(crate) fn role_by_id(&self, id: &str) -> Option<&RoleDefinition> {
        self.role_definitions
            .iter()
            .find(|role| role.id.eq_ignore_ascii_case(id))
    }

    /// A role definition by name or GUID that may be given at the scope.
    pub fn role(&self, name: &str, scope: &ResourceId) -> Option<&RoleDefinition> {
        self.role_definitions
            .iter()
            .filter(|role| role.is_assignable_at(scope))
            .find(|role| role.name.eq_ignore_ascii_case(name) || role.id.eq_ignore_ascii_case(name))
    }

    /// The subscription that an id lies in.
    pub fn subscription_of(&self, id: &ResourceId) -> Option<&Subscription> {
        self.subscription(id.subscription())
    }

    fn assignments_at<'a>(
        &'a self,
        principals: &'a [String],
        scope: &'a ResourceId,
    ) -> impl Iterator<Item = &'a RoleAssignment> {
        self.counting_assignments()
            .filter(|a| principals.contains(&a.principal_oid) && scope.is_within(&a.scope))
    }
}
