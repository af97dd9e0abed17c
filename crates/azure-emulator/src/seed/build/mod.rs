//! From the file to directory and resources. Problems are collected, so that one run names them all.
//! `directory` and `resources` each build their half, `sources` storage accounts and their events, `arm` ARM's rules; what they share stands here.
//! The format itself is `file`'s.

mod arm;
mod credentials;
mod directory;
mod identity;
mod resources;
mod sources;

use std::collections::HashSet;
use std::fmt::Display;

use uuid::Uuid;

use super::{Problem, Seed, file};
use crate::arm::Rules;
use crate::directory::Directory;
use crate::entra::Limits;
use crate::resources::Resources;

/// Builds the seed, or tells everything that is wrong with it.
pub(super) fn build(file: &file::File) -> Result<Seed, Vec<Problem>> {
    let mut builder = Builder::default();
    builder.tenants(&file.tenants);
    builder.users(&file.users);
    builder.arm_app();
    builder.microsofts_apps();
    builder.apps(&file.apps);
    builder.consents(&file.apps);
    builder.credentials(&file.apps);
    builder.permissions(&file.apps);
    builder.issuers(&file.issuers);
    builder.administrators(&file.users);
    builder.groups(&file.groups);
    builder.policies(&file.conditional_access);
    builder.token_rates(&file.token_rates);
    builder.app_roles(&file.app_role_assignments);
    builder.subscriptions(&file.subscriptions);
    builder.clusters(&file.clusters);
    builder.namespaces(&file.namespaces);
    builder.storage_accounts(&file.storage_accounts);
    builder.system_topics(&file.system_topics);
    builder.event_subscriptions(&file.event_subscriptions);
    builder.role_definitions(&file.role_definitions);
    builder.role_assignments(&file.role_assignments);
    builder.arm(&file.arm);
    builder.data_connections(&file.data_connections);
    if builder.problems.is_empty() {
        Ok(Seed {
            directory: builder.directory,
            resources: builder.resources,
            arm: builder.arm,
            limits: builder.limits,
        })
    } else {
        Err(builder.problems)
    }
}

#[derive(Default)]
struct Builder {
    directory: Directory,
    resources: Resources,
    arm: Rules,
    limits: Limits,
    problems: Vec<Problem>,
    ids: HashSet<String>,
}

impl Builder {
    fn problem(&mut self, path: impl Display, message: impl Display) {
        self.problems.push(Problem {
            path: path.to_string(),
            message: message.to_string(),
        });
    }

    /// Notes an error under its path and goes on without the value.
    fn note<T, E: Display>(&mut self, path: impl Display, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.problem(path, error)).ok()
    }

    /// A GUID in lower case that nothing else in the seed has.
    fn guid(&mut self, path: &str, text: &str) -> String {
        match Uuid::parse_str(text) {
            Ok(guid) if !self.ids.insert(guid.to_string()) => {
                self.problem(path, "this GUID is used twice");
            }
            Ok(_) => {}
            Err(_) => self.problem(path, format!("\"{text}\" is no GUID")),
        }
        text.to_ascii_lowercase()
    }

    fn tenant_id(&mut self, path: &str, name: &str) -> String {
        let found = self.directory.tenant_id(name);
        self.note(path, found).unwrap_or_default()
    }
}
