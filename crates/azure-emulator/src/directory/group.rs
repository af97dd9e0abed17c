//! Security groups of a tenant, and as whom a principal may hold something.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Directory, UnknownName};

/// A security group. Groups in groups are not known here.
#[derive(Clone, Debug)]
pub struct Group {
    /// Object id, which roles can be given to.
    pub id: String,
    /// Name, one of its kind in the tenant.
    pub name: String,
    /// The tenant's GUID.
    pub tenant_id: String,
    /// Object ids, in that tenant, of users and service principals.
    pub members: BTreeSet<String>,
}

impl Group {
    /// Whether the name is the group's name or its object id.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.id.eq_ignore_ascii_case(name)
    }
}

impl Directory {
    /// A group of the tenant (GUID) by name or object id.
    pub fn group(&self, name: &str, tenant_id: &str) -> Option<&Group> {
        self.groups
            .iter()
            .find(|group| group.tenant_id == tenant_id && group.is_called(name))
    }

    /// The group's object id.
    pub(crate) fn group_id(&self, name: &str, tenant_id: &str) -> Result<String, UnknownName> {
        self.group(name, tenant_id)
            .map(|group| group.id.clone())
            .ok_or_else(|| UnknownName::new("group in that tenant", name))
    }

    /// Object ids of the groups of the tenant (GUID) that the object is in.
    pub fn groups_of(&self, tenant_id: &str, oid: &str) -> impl Iterator<Item = &str> {
        self.groups
            .iter()
            .filter(move |group| group.tenant_id == tenant_id && group.members.contains(oid))
            .map(|group| group.id.as_str())
    }

    /// As whom the user or service principal with this object id in the tenant (GUID) may have been given something:
    /// itself first, then its groups.
    pub fn principals_of(&self, tenant_id: &str, oid: &str) -> Vec<String> {
        let itself = std::iter::once(oid);
        itself
            .chain(self.groups_of(tenant_id, oid))
            .map(str::to_owned)
            .collect()
    }

    /// Makes a group with these members (UPN, object id, app); gives its object id. A group of that name in that tenant
    /// is an error.
    pub fn add_group(&mut self, tenant: &str, name: &str, members: &[&str]) -> Result<String, UnknownName> {
        let tenant_id = self.tenant_id(tenant)?;
        if self.group(name, &tenant_id).is_some() {
            return Err(UnknownName::new("free group name", name));
        }
        let member = |member: &&str| self.oid(member, &tenant_id);
        let members = members.iter().map(member).collect::<Result<_, _>>()?;
        let id = Uuid::new_v4().to_string();
        self.groups.push(Group {
            id: id.clone(),
            name: name.to_owned(),
            tenant_id,
            members,
        });
        Ok(id)
    }

    /// Puts a user or a service principal into a group of the tenant.
    pub fn add_member(&mut self, tenant: &str, group: &str, member: &str) -> Result<(), UnknownName> {
        let (group, oid) = self.group_and_oid(tenant, group, member)?;
        group.members.insert(oid);
        Ok(())
    }

    /// Takes a user or a service principal out of a group of the tenant.
    pub fn remove_member(&mut self, tenant: &str, group: &str, member: &str) -> Result<(), UnknownName> {
        let (group, oid) = self.group_and_oid(tenant, group, member)?;
        if group.members.remove(&oid) {
            Ok(())
        } else {
            Err(UnknownName::new("member of that group", member))
        }
    }

    fn group_and_oid(
        &mut self,
        tenant: &str,
        group: &str,
        member: &str,
    ) -> Result<(&mut Group, String), UnknownName> {
        let tenant_id = self.tenant_id(tenant)?;
        let oid = self.oid(member, &tenant_id)?;
        let found = self
            .groups
            .iter_mut()
            .find(|known| known.tenant_id == tenant_id && known.is_called(group));
        let found = found.ok_or_else(|| UnknownName::new("group in that tenant", group))?;
        Ok((found, oid))
    }
}
