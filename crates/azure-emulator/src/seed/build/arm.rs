//! ARM's rules and the roles that tenants made.

use std::time::Duration;

use uuid::Uuid;

use super::super::arm::{Arm, Body, Bucket, ChallengeForm, RoleDefinition, Throttling};
use super::Builder;
use crate::arm;
use crate::resources::{self, ResourceId};

impl Builder {
    pub(super) fn role_definitions(&mut self, roles: &[RoleDefinition]) {
        for (i, role) in roles.iter().enumerate() {
            let path = format!("role_definitions[{i}]");
            let id = match &role.id {
                Some(id) => self.guid(&format!("{path}.id"), id),
                None => Uuid::new_v4().to_string(),
            };
            if role.scopes.is_empty() {
                self.problem(format!("{path}.scopes"), "a role has at least one scope");
            }
            let mut assignable_scopes = Vec::new();
            for (j, scope) in role.scopes.iter().enumerate() {
                let path = format!("{path}.scopes[{j}]");
                let Some(scope) = self.note(&path, ResourceId::parse(scope)) else {
                    continue;
                };
                if self.resources.subscription_of(&scope).is_none() {
                    let message = format!("there is no subscription \"{}\"", scope.subscription());
                    self.problem(path, message);
                }
                assignable_scopes.push(scope);
            }
            self.resources.role_definitions.push(resources::RoleDefinition {
                id,
                name: role.name.clone(),
                description: role.description.clone(),
                actions: role.actions.clone(),
                not_actions: role.not_actions.clone(),
                data_actions: role.data_actions.clone(),
                not_data_actions: role.not_data_actions.clone(),
                assignable_scopes,
            });
        }
    }

    pub(super) fn arm(&mut self, rules: &Arm) {
        for (i, rule) in rules.writes_need.iter().enumerate() {
            let tenant_id = self.tenant_id(&format!("arm.writes_need[{i}].tenant"), &rule.tenant);
            self.arm.set_writes_need(&tenant_id, Some(&rule.context));
        }
        self.arm.set_challenge_form(match rules.challenge_form {
            None | Some(ChallengeForm::Standard) => arm::ChallengeForm::Standard,
            Some(ChallengeForm::Older) => arm::ChallengeForm::Older,
        });
        self.resources.rights_lag = Duration::from_secs(rules.role_lag_seconds);
        if let Some(limits) = &rules.throttling {
            self.arm.set_throttling(throttling(limits));
        }
    }
}

fn throttling(limits: &Throttling) -> arm::Throttling {
    let usual = arm::Throttling::default();
    let bucket = |bucket: Option<Bucket>, usual: arm::BucketSize| {
        bucket.map_or(usual, |bucket| arm::BucketSize {
            calls: bucket.calls,
            refill_per_second: bucket.refill_per_second,
        })
    };
    arm::Throttling {
        enforced: limits.enforced,
        reads: bucket(limits.reads, usual.reads),
        writes: bucket(limits.writes, usual.writes),
        deletes: bucket(limits.deletes, usual.deletes),
        global_factor: limits.global_factor.unwrap_or(usual.global_factor),
        body: limits.body.map(|body| match body {
            Body::Subscription => arm::ThrottledBody::Subscription,
            Body::BackendStorage => arm::ThrottledBody::BackendStorage,
            Body::Resource => arm::ThrottledBody::Resource,
            Body::Plain => arm::ThrottledBody::Plain,
        }),
    }
}
