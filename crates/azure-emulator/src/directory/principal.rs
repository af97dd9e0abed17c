//! Principals: whatever a role can be given to.

use super::Directory;

impl Directory {
    /// What a role may have been given to, to reach the principal with this object id in the tenant.
    pub(crate) fn principals_of(&self, _tenant_id: &str, oid: &str) -> Vec<String> {
        vec![oid.to_owned()]
    }

    /// What the object id stands for in the tenant, in ARM's words; nothing when it is nobody's.
    pub(crate) fn principal_type(&self, tenant_id: &str, oid: &str) -> Option<&'static str> {
        if self.member(tenant_id, oid).is_some() {
            return Some("User");
        }
        self.apps
            .iter()
            .any(|app| app.principal_in(tenant_id) == Some(oid))
            .then_some("ServicePrincipal")
    }
}
