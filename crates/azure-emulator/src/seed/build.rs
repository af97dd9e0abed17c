//! From the file to directory and resources. Problems are collected, so that one run names them all.

use std::collections::HashSet;
use std::fmt::Display;

use uuid::Uuid;

use super::{Problem, Seed, file};
use crate::directory::{
    ARM_APP_ID, ARM_APP_NAME, App, AppRoleGrant, Consent, Directory, Membership, Secret, Tenant,
    TokenVersion, User,
};
use crate::resources::{
    BUILT_IN, Cluster, DataConnection, Database, EventHub, Namespace, ResourceId, Resources, RoleAssignment,
    Subscription, Table, Wanted,
};

/// Builds the seed, or tells everything that is wrong with it.
pub(super) fn build(file: &file::File) -> Result<Seed, Vec<Problem>> {
    let mut builder = Builder::default();
    builder.tenants(&file.tenants);
    builder.users(&file.users);
    builder.arm_app();
    builder.apps(&file.apps);
    builder.consents(&file.apps);
    builder.app_roles(&file.app_role_assignments);
    builder.subscriptions(&file.subscriptions);
    builder.clusters(&file.clusters);
    builder.namespaces(&file.namespaces);
    builder.role_assignments(&file.role_assignments);
    builder.data_connections(&file.data_connections);
    if builder.problems.is_empty() {
        Ok(Seed {
            directory: builder.directory,
            resources: builder.resources,
        })
    } else {
        Err(builder.problems)
    }
}

#[derive(Default)]
struct Builder {
    directory: Directory,
    resources: Resources,
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
            Ok(guid) if !self.ids.insert(guid.to_string()) => self.problem(path, "this GUID is used twice"),
            Ok(_) => {}
            Err(_) => self.problem(path, format!("\"{text}\" is no GUID")),
        }
        text.to_ascii_lowercase()
    }

    fn tenant_id(&mut self, path: &str, name: &str) -> String {
        let found = self.directory.tenant_id(name);
        self.note(path, found).unwrap_or_default()
    }

    fn tenants(&mut self, tenants: &[file::Tenant]) {
        for (i, tenant) in tenants.iter().enumerate() {
            let id = self.guid(&format!("tenants[{i}].id"), &tenant.id);
            if tenant.domains.is_empty() {
                self.problem(
                    format!("tenants[{i}].domains"),
                    "a tenant has at least one domain",
                );
            }
            for (j, domain) in tenant.domains.iter().enumerate() {
                if self.directory.tenant(domain).is_some() {
                    self.problem(
                        format!("tenants[{i}].domains[{j}]"),
                        format!("\"{domain}\" belongs to another tenant"),
                    );
                }
            }
            let (name, domains) = (tenant.name.clone(), tenant.domains.clone());
            self.directory.tenants.push(Tenant {
                id,
                name,
                domains,
                requires_mfa: tenant.requires_mfa,
            });
        }
    }

    fn users(&mut self, users: &[file::User]) {
        for (i, user) in users.iter().enumerate() {
            let domain = user.upn.split_once('@').map_or("", |(_, domain)| domain);
            let home_tenant = self.tenant_id(&format!("users[{i}].upn"), domain);
            if self.directory.user(&user.upn).is_some() {
                self.problem(format!("users[{i}].upn"), "this UPN is used twice");
            }
            let oid = self.guid(&format!("users[{i}].oid"), &user.oid);
            let mut memberships = vec![Membership {
                tenant_id: home_tenant.clone(),
                oid,
                enabled: user.enabled,
            }];
            for (j, guest) in user.guest_in.iter().enumerate() {
                let path = format!("users[{i}].guest_in[{j}]");
                let tenant_id = self.tenant_id(&format!("{path}.tenant"), &guest.tenant);
                let oid = self.guid(&format!("{path}.oid"), &guest.oid);
                memberships.push(Membership {
                    tenant_id,
                    oid,
                    enabled: user.enabled,
                });
            }
            let (upn, name) = (user.upn.clone(), user.name.clone());
            self.directory.users.push(User {
                upn,
                name,
                home_tenant,
                memberships,
            });
        }
    }

    /// ARM's own app: in every tenant, v1 tokens, and the audiences that public-cloud clients ask for.
    fn arm_app(&mut self) {
        let provisioned = self
            .directory
            .tenants
            .iter()
            .map(|t| (t.id.clone(), Uuid::new_v4().to_string()))
            .collect();
        self.ids.insert(ARM_APP_ID.to_owned());
        self.directory.apps.push(App {
            name: ARM_APP_NAME.to_owned(),
            client_id: ARM_APP_ID.to_owned(),
            home_tenant: "f8cdef31-a31e-4b4a-93e4-5f571e91255a".to_owned(),
            identifier_uris: vec![
                "https://management.azure.com/".to_owned(),
                "https://management.core.windows.net/".to_owned(),
            ],
            token_version: TokenVersion::V1,
            secrets: Vec::new(),
            scopes: vec!["user_impersonation".to_owned()],
            app_roles: Vec::new(),
            optional_claims: vec!["xms_cc".to_owned()],
            redirect_uris: Vec::new(),
            provisioned,
        });
    }

    fn apps(&mut self, apps: &[file::App]) {
        for (i, app) in apps.iter().enumerate() {
            let client_id = self.guid(&format!("apps[{i}].client_id"), &app.client_id);
            let home_tenant = self.tenant_id(&format!("apps[{i}].tenant"), &app.tenant);
            if self.directory.app(&app.name).is_some() {
                self.problem(format!("apps[{i}].name"), "this name is used twice");
            }
            let token_version = match app.token_version {
                1 => TokenVersion::V1,
                2 => TokenVersion::V2,
                _ => {
                    self.problem(format!("apps[{i}].token_version"), "1 or 2");
                    TokenVersion::V2
                }
            };
            let mut provisioned = vec![(home_tenant.clone(), Uuid::new_v4().to_string())];
            for (j, tenant) in app.provisioned_in.iter().enumerate() {
                let tenant_id = self.tenant_id(&format!("apps[{i}].provisioned_in[{j}]"), tenant);
                provisioned.push((tenant_id, Uuid::new_v4().to_string()));
            }
            let secret = |s: &file::Secret| Secret {
                value: s.value.clone(),
                expires: s.expires,
            };
            self.directory.apps.push(App {
                name: app.name.clone(),
                client_id,
                home_tenant,
                identifier_uris: app.identifier_uris.clone(),
                token_version,
                secrets: app.secrets.iter().map(secret).collect(),
                scopes: app.scopes.clone(),
                app_roles: app.app_roles.clone(),
                optional_claims: app.optional_claims.clone(),
                redirect_uris: app.redirect_uris.clone(),
                provisioned,
            });
        }
    }

    /// After all apps, since they name each other.
    fn consents(&mut self, apps: &[file::App]) {
        for (i, app) in apps.iter().enumerate() {
            for (j, consent) in app.consents.iter().enumerate() {
                let path = format!("apps[{i}].consents[{j}]");
                let tenant_id = self.tenant_id(&format!("{path}.tenant"), &consent.tenant);
                let resource = self.directory.client_id(&consent.resource);
                let Some(resource_id) = self.note(format!("{path}.resource"), resource) else {
                    continue;
                };
                for (k, scope) in consent.scopes.iter().enumerate() {
                    if !self
                        .directory
                        .app(&resource_id)
                        .is_some_and(|app| app.exposes(scope))
                    {
                        self.problem(
                            format!("{path}.scopes[{k}]"),
                            format!("the resource exposes no \"{scope}\""),
                        );
                    }
                }
                let (client_id, scopes) = (app.client_id.to_ascii_lowercase(), consent.scopes.clone());
                self.directory.consents.push(Consent {
                    tenant_id,
                    client_id,
                    resource_id,
                    scopes,
                });
            }
        }
    }

    fn app_roles(&mut self, assignments: &[file::AppRoleAssignment]) {
        for (i, given) in assignments.iter().enumerate() {
            let path = format!("app_role_assignments[{i}]");
            let tenant_id = self.tenant_id(&format!("{path}.tenant"), &given.tenant);
            let resource = self.directory.client_id(&given.app);
            let oid = self.directory.oid(&given.principal, &tenant_id);
            let resource_id = self.note(format!("{path}.app"), resource);
            let oid = self.note(format!("{path}.principal"), oid);
            let (Some(resource_id), Some(oid)) = (resource_id, oid) else {
                continue;
            };
            let role = given.role.clone();
            if !self
                .directory
                .app(&resource_id)
                .is_some_and(|app| app.app_roles.contains(&role))
            {
                self.problem(
                    format!("{path}.role"),
                    format!("the app defines no role \"{role}\""),
                );
            }
            self.directory.app_roles.push(AppRoleGrant {
                tenant_id,
                resource_id,
                oid,
                role,
            });
        }
    }

    fn subscriptions(&mut self, subscriptions: &[file::Subscription]) {
        self.resources.role_definitions = BUILT_IN.to_vec();
        for (i, subscription) in subscriptions.iter().enumerate() {
            let id = self.guid(&format!("subscriptions[{i}].id"), &subscription.id);
            let tenant_id = self.tenant_id(&format!("subscriptions[{i}].tenant"), &subscription.tenant);
            let groups = subscription.resource_groups.iter();
            let resource_groups = groups.map(|g| (g.name.clone(), g.location.clone())).collect();
            let name = subscription.name.clone();
            self.resources.subscriptions.push(Subscription {
                id,
                name,
                tenant_id,
                resource_groups,
            });
        }
    }

    /// A resource id of the given type in a subscription and group of this seed.
    fn resource_id(&mut self, path: &str, text: &str, namespace: &str, types: &[&str]) -> Option<ResourceId> {
        let id = self.note(path, ResourceId::parse(text))?;
        if !id.is_type(namespace, types) {
            self.problem(
                path,
                format!("expected an id of type {namespace}/{}", types.join("/")),
            );
            return None;
        }
        let group = id.resource_group().unwrap_or_default();
        let known = self.resources.subscription_of(&id).map(|subscription| {
            subscription
                .resource_groups
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(group))
        });
        match known {
            None => self.problem(
                path,
                format!("there is no subscription \"{}\"", id.subscription()),
            ),
            Some(false) => self.problem(
                path,
                format!("the subscription has no resource group \"{group}\""),
            ),
            Some(true) if !self.ids.insert(id.key().to_owned()) => {
                self.problem(path, "this id is used twice")
            }
            Some(true) => {}
        }
        Some(id)
    }

    fn clusters(&mut self, clusters: &[file::Cluster]) {
        for (i, cluster) in clusters.iter().enumerate() {
            let path = format!("clusters[{i}].id");
            let Some(id) = self.resource_id(&path, &cluster.id, "Microsoft.Kusto", &["clusters"]) else {
                continue;
            };
            let table = |t: &file::Table| Table {
                name: t.name.clone(),
                mappings: t.mappings.clone(),
            };
            let database = |d: &file::Database| Database {
                name: d.name.clone(),
                tables: d.tables.iter().map(table).collect(),
            };
            let databases = cluster.databases.iter().map(database).collect();
            self.resources.clusters.push(Cluster {
                id,
                location: cluster.location.clone(),
                databases,
            });
        }
    }

    fn namespaces(&mut self, namespaces: &[file::Namespace]) {
        for (i, namespace) in namespaces.iter().enumerate() {
            let path = format!("namespaces[{i}].id");
            let Some(id) = self.resource_id(&path, &namespace.id, "Microsoft.EventHub", &["namespaces"])
            else {
                continue;
            };
            let hub = |h: &file::EventHub| EventHub {
                name: h.name.clone(),
                consumer_groups: h.consumer_groups.clone(),
                partitions: h.partitions,
            };
            let event_hubs = namespace.event_hubs.iter().map(hub).collect();
            self.resources.namespaces.push(Namespace {
                id,
                location: namespace.location.clone(),
                event_hubs,
            });
        }
    }

    fn role_assignments(&mut self, assignments: &[file::RoleAssignment]) {
        for (i, given) in assignments.iter().enumerate() {
            let path = format!("role_assignments[{i}]");
            let Some(scope) = self.note(format!("{path}.scope"), ResourceId::parse(&given.scope)) else {
                continue;
            };
            let Some(subscription) = self.resources.subscription_of(&scope) else {
                let message = format!("there is no subscription \"{}\"", scope.subscription());
                self.problem(format!("{path}.scope"), message);
                continue;
            };
            let oid = self.directory.oid(&given.principal, &subscription.tenant_id);
            let role_id = self.resources.role(&given.role).map(|role| role.id);
            let role_id = self.note(
                format!("{path}.role"),
                role_id.ok_or("there is no such built-in role here"),
            );
            let principal_oid = self.note(format!("{path}.principal"), oid);
            let (Some(role_id), Some(principal_oid)) = (role_id, principal_oid) else {
                continue;
            };
            let id = Uuid::new_v4().to_string();
            self.resources.role_assignments.push(RoleAssignment {
                id,
                principal_oid,
                role_id,
                scope,
            });
        }
    }

    fn data_connections(&mut self, connections: &[file::DataConnection]) {
        let types = ["clusters", "databases", "dataConnections"];
        for (i, connection) in connections.iter().enumerate() {
            let path = format!("data_connections[{i}].id");
            let Some(id) = self.resource_id(&path, &connection.id, "Microsoft.Kusto", &types) else {
                continue;
            };
            if id
                .parent()
                .and_then(|database| self.resources.database(&database))
                .is_none()
            {
                self.problem(&path, "its database is not in this seed");
            }
            let location = self.resources.location_of(&id).to_owned();
            let (kind, properties) = (connection.kind.clone(), connection.properties.clone());
            let wanted = Wanted {
                kind,
                location,
                properties,
            };
            let (by, at) = (&connection.created_by, connection.created_at);
            self.resources
                .data_connections
                .push(DataConnection::at_rest(id, wanted, by, at));
        }
    }
}
