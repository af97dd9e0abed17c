//! Invitations.

use uuid::Uuid;

use super::{Directory, Membership, UnknownName};

impl Directory {
    /// Makes a user of another tenant a guest; with the given object id, or a new one. A guest stays what they are.
    pub fn add_guest(&mut self, user: &str, tenant: &str, oid: Option<Uuid>) -> Result<(), UnknownName> {
        let tenant_id = self.tenant_id(tenant)?;
        let unknown = || UnknownName::new("user", user);
        let user = (self.users.iter_mut().find(|known| known.is_called(user))).ok_or_else(unknown)?;
        if user.in_tenant(&tenant_id).is_none() {
            let enabled = user.memberships.iter().all(|m| m.enabled);
            let oid = oid.unwrap_or_else(Uuid::new_v4).to_string();
            user.memberships.push(Membership {
                tenant_id,
                oid,
                enabled,
            });
        }
        Ok(())
    }
}
