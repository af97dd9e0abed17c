//! Principals: whatever a role can be given to.

use super::Directory;

impl Directory {
    /// What the object id stands for in the tenant, in ARM's words; nothing when it is nobody's.
    pub(crate) fn principal_type(&self, tenant_id: &str, oid: &str) -> Option<&'static str> {
        if self.member(tenant_id, oid).is_some() {
            return Some("User");
        }
        if (self.groups.iter()).any(|group| group.tenant_id == tenant_id && group.id == oid) {
            return Some("Group");
        }
        self.apps
            .iter()
            .any(|app| app.principal_in(tenant_id) == Some(oid))
            .then_some("ServicePrincipal")
    }
}
