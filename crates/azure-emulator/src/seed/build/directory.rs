//! Tenants, people, apps and what was given to them.

use uuid::Uuid;

use super::{Builder, file};
use crate::directory::{
    ARM_APP_ID, ARM_APP_NAME, App, AppRoleGrant, Consent, Membership, Secret, Tenant, TokenVersion, User,
};

impl Builder {
    pub(super) fn tenants(&mut self, tenants: &[file::Tenant]) {
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

    pub(super) fn users(&mut self, users: &[file::User]) {
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
                mfa_enrolled: user.mfa_enrolled,
                tokens_valid_from: None,
                password_changed: None,
            });
        }
    }

    /// ARM's own app: in every tenant, v1 tokens, and the audiences that public-cloud clients ask for.
    pub(super) fn arm_app(&mut self) {
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
            certificates: Vec::new(),
            federated_credentials: Vec::new(),
            scopes: vec!["user_impersonation".to_owned()],
            app_roles: Vec::new(),
            optional_claims: vec!["xms_cc".to_owned()],
            redirect_uris: Vec::new(),
            required_permissions: Vec::new(),
            provisioned,
        });
    }

    pub(super) fn apps(&mut self, apps: &[file::App]) {
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
                certificates: Vec::new(),
                federated_credentials: Vec::new(),
                scopes: app.scopes.clone(),
                app_roles: app.app_roles.clone(),
                optional_claims: app.optional_claims.clone(),
                redirect_uris: app.redirect_uris.clone(),
                required_permissions: Vec::new(),
                provisioned,
            });
        }
    }

    /// After all apps, since they name each other.
    pub(super) fn consents(&mut self, apps: &[file::App]) {
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
                    principal: None,
                });
            }
        }
    }

    pub(super) fn app_roles(&mut self, assignments: &[file::AppRoleAssignment]) {
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
}
