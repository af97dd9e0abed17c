//! What apps prove themselves with and ask for, who may consent for a tenant, and Microsoft's own apps.

use uuid::Uuid;

use super::{Builder, file};
use crate::directory::{
    App, Certificate, FederatedCredential, GRAPH_APP_ID, RequiredPermission, TOKEN_EXCHANGE_APP_ID,
    TokenVersion, TrustedIssuer,
};

impl Builder {
    /// Microsoft Graph, which is there for the scopes that name no resource, and the audience of federated
    /// credentials. Every tenant has both.
    pub(super) fn microsofts_apps(&mut self) {
        let graph = ["https://graph.microsoft.com", "https://graph.microsoft.com/"];
        let scopes = ["openid", "profile", "email", "offline_access", "User.Read"];
        self.microsofts_app("microsoft-graph", GRAPH_APP_ID, &graph, TokenVersion::V1, &scopes);
        let exchange = ["api://AzureADTokenExchange"];
        let (name, id) = ("azure-ad-token-exchange", TOKEN_EXCHANGE_APP_ID);
        self.microsofts_app(name, id, &exchange, TokenVersion::V2, &[]);
    }

    fn microsofts_app(
        &mut self,
        name: &str,
        client_id: &str,
        uris: &[&str],
        version: TokenVersion,
        scopes: &[&str],
    ) {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let tenants = self.directory.tenants.iter();
        let provisioned = tenants.map(|tenant| (tenant.id.clone(), Uuid::new_v4().to_string()));
        let provisioned = provisioned.collect();
        self.ids.insert(client_id.to_owned());
        self.directory.apps.push(App {
            name: name.to_owned(),
            client_id: client_id.to_owned(),
            home_tenant: "f8cdef31-a31e-4b4a-93e4-5f571e91255a".to_owned(),
            identifier_uris: owned(uris),
            token_version: version,
            secrets: Vec::new(),
            certificates: Vec::new(),
            federated_credentials: Vec::new(),
            scopes: owned(scopes),
            app_roles: Vec::new(),
            optional_claims: Vec::new(),
            redirect_uris: Vec::new(),
            required_permissions: Vec::new(),
            provisioned,
        });
    }

    pub(super) fn credentials(&mut self, apps: &[file::App]) {
        for (i, app) in apps.iter().enumerate() {
            let mut certificates = Vec::new();
            for (j, certificate) in app.certificates.iter().enumerate() {
                let path = format!("apps[{i}].certificates[{j}]");
                let pem = match (&certificate.pem, &certificate.path) {
                    (Some(pem), None) => Ok(pem.clone()),
                    (None, Some(file)) => std::fs::read_to_string(file).map_err(|error| error.to_string()),
                    _ => Err("either pem or path".to_owned()),
                };
                let pem = self.note(&path, pem);
                let read = pem.map(|pem| Certificate::from_pem(&pem));
                certificates.extend(read.and_then(|certificate| self.note(&path, certificate)));
            }
            let federated = |credential: &file::FederatedCredential| FederatedCredential {
                issuer: credential.issuer.clone(),
                subject: credential.subject.clone(),
                audience: credential.audience.clone(),
            };
            let federated = app.federated_credentials.iter().map(federated).collect();
            let built = self
                .directory
                .apps
                .iter_mut()
                .find(|built| built.is_called(&app.client_id));
            if let Some(built) = built {
                built.certificates = certificates;
                built.federated_credentials = federated;
            }
        }
    }

    /// After the consents: what an app was given somewhere, it evidently asks for.
    pub(super) fn permissions(&mut self, apps: &[file::App]) {
        for (i, app) in apps.iter().enumerate() {
            let mut wanted = Vec::new();
            for (j, permission) in app.permissions.iter().enumerate() {
                let path = format!("apps[{i}].permissions[{j}]");
                let resource = self.directory.client_id(&permission.resource);
                let Some(resource_id) = self.note(format!("{path}.resource"), resource) else {
                    continue;
                };
                let resource = self.directory.app(&resource_id);
                let exposes = |scope: &String| resource.is_some_and(|app| app.exposes(scope));
                let unknown: Vec<String> = permission
                    .scopes
                    .iter()
                    .filter(|scope| !exposes(scope))
                    .cloned()
                    .collect();
                for scope in unknown {
                    let message = format!("the resource exposes no \"{scope}\"");
                    self.problem(format!("{path}.scopes"), message);
                }
                wanted.push((resource_id, permission.scopes.clone()));
            }
            let client_id = app.client_id.to_ascii_lowercase();
            let given = self
                .directory
                .consents
                .iter()
                .filter(|c| c.client_id == client_id);
            wanted.extend(given.map(|c| (c.resource_id.clone(), c.scopes.clone())));
            let built = self
                .directory
                .apps
                .iter_mut()
                .find(|built| built.client_id == client_id);
            if let Some(built) = built {
                for (resource_id, scopes) in wanted {
                    require(&mut built.required_permissions, resource_id, scopes);
                }
            }
        }
    }

    pub(super) fn issuers(&mut self, issuers: &[file::Issuer]) {
        for (i, issuer) in issuers.iter().enumerate() {
            let path = format!("issuers[{i}].jwks");
            let jwks = self.note(&path, serde_json::from_str(&issuer.jwks));
            let trusted = jwks.map(|jwks| TrustedIssuer::new(&issuer.issuer, &jwks));
            let trusted = trusted.and_then(|trusted| self.note(&path, trusted));
            self.directory.issuers.extend(trusted);
        }
    }

    pub(super) fn administrators(&mut self, users: &[file::User]) {
        for (i, user) in users.iter().enumerate() {
            for (j, tenant) in user.admin_of.iter().enumerate() {
                let path = format!("users[{i}].admin_of[{j}]");
                let member = self.directory.tenant_id(tenant).and_then(|tenant_id| {
                    let oid = self.directory.oid(&user.upn, &tenant_id)?;
                    Ok((tenant_id, oid))
                });
                let member = self.note(&path, member);
                self.directory.administrators.extend(member);
            }
        }
    }
}

/// Adds scopes of a resource to what an app asks for, each once.
fn require(permissions: &mut Vec<RequiredPermission>, resource_id: String, scopes: Vec<String>) {
    let known = permissions
        .iter_mut()
        .find(|known| known.resource_id == resource_id);
    match known {
        None => permissions.push(RequiredPermission { resource_id, scopes }),
        Some(known) => {
            for scope in scopes {
                if !known.scopes.contains(&scope) {
                    known.scopes.push(scope);
                }
            }
        }
    }
}
