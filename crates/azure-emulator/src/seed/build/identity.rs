//! Groups, Conditional Access policies, and rates of the token endpoint.

use std::time::Duration;

use super::{Builder, file};
use crate::directory::{Group, PolicySpec};
use crate::entra::LONGEST_RATE;

impl Builder {
    /// After users and apps, before everything that a group can be given.
    pub(super) fn groups(&mut self, groups: &[file::Group]) {
        for (i, group) in groups.iter().enumerate() {
            let path = format!("groups[{i}]");
            let id = self.guid(&format!("{path}.id"), &group.id);
            let tenant_id = self.tenant_id(&format!("{path}.tenant"), &group.tenant);
            if self.directory.group(&group.name, &tenant_id).is_some() {
                self.problem(format!("{path}.name"), "this name is used twice in the tenant");
            }
            let members = self.oids(&format!("{path}.members"), &group.members, &tenant_id);
            self.directory.groups.push(Group {
                id,
                name: group.name.clone(),
                tenant_id,
                members: members.into_iter().collect(),
            });
        }
    }

    pub(super) fn policies(&mut self, policies: &[PolicySpec]) {
        for (i, policy) in policies.iter().enumerate() {
            let path = format!("conditional_access[{i}]");
            let before = self.problems.len();
            let tenant_id = self.tenant_id(&format!("{path}.tenant"), &policy.tenant);
            if let Some(id) = &policy.id {
                self.guid(&format!("{path}.id"), id);
            }
            self.oids(&format!("{path}.users"), &policy.users, &tenant_id);
            for (j, group) in policy.groups.iter().enumerate() {
                let found = self.directory.group_id(group, &tenant_id);
                self.note(format!("{path}.groups[{j}]"), found);
            }
            for (member, apps) in [("resources", &policy.resources), ("apps", &policy.apps)] {
                for (j, app) in apps.iter().enumerate() {
                    let found = self.directory.client_id(app);
                    self.note(format!("{path}.{member}[{j}]"), found);
                }
            }
            if policy.requires.is_none() && policy.sign_in_frequency.is_none() {
                self.problem(&path, "requires or sign_in_frequency, or both");
            }
            if self.problems.len() == before {
                let added = self.directory.add_policy(policy);
                self.note(&path, added);
            }
        }
    }

    pub(super) fn token_rates(&mut self, rates: &[file::TokenRate]) {
        for (i, rate) in rates.iter().enumerate() {
            let path = format!("token_rates[{i}]");
            let tenant_id = self.tenant_id(&format!("{path}.tenant"), &rate.tenant);
            let client_id = rate.app.as_ref().and_then(|app| {
                let found = self.directory.client_id(app);
                self.note(format!("{path}.app"), found)
            });
            if !(1..=LONGEST_RATE).contains(&rate.seconds) {
                self.problem(format!("{path}.seconds"), "at least 1, and at most a year");
            }
            let per = Duration::from_secs(rate.seconds);
            self.limits.set_rate(tenant_id, client_id, rate.requests, per);
        }
    }

    fn oids(&mut self, path: &str, names: &[String], tenant_id: &str) -> Vec<String> {
        let mut oids = Vec::new();
        for (j, name) in names.iter().enumerate() {
            let found = self.directory.oid(name, tenant_id);
            oids.extend(self.note(format!("{path}[{j}]"), found));
        }
        oids
    }
}
