//! Apps: consent, service principals, what they prove themselves with.

use serde::Deserialize;
use serde_json::Value;

use super::{Draft, Subject, Wrong};

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Apps {
    GrantConsent {
        app: String,
        tenant: String,
        resource: String,
        scopes: Vec<String>,
    },
    RevokeConsent {
        app: String,
        tenant: String,
    },
    Provision {
        app: String,
        tenant: String,
    },
    Deprovision {
        app: String,
        tenant: String,
    },
    AddCertificate {
        app: String,
        pem: String,
    },
    AddFederatedCredential {
        app: String,
        issuer: String,
        subject: String,
        audience: Option<String>,
    },
    TrustIssuer {
        issuer: String,
        jwks: Value,
    },
}

impl Subject for Apps {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            Apps::GrantConsent {
                app,
                tenant,
                resource,
                scopes,
            } => {
                let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
                world.grant_consent(&app, &tenant, &resource, &scopes)?;
            }
            Apps::RevokeConsent { app, tenant } => world.revoke_consent(&app, &tenant)?,
            Apps::Provision { app, tenant } => world.provision(&app, &tenant)?,
            Apps::Deprovision { app, tenant } => world.deprovision(&app, &tenant)?,
            Apps::AddCertificate { app, pem } => world.add_certificate(&app, &pem)?,
            Apps::AddFederatedCredential {
                app,
                issuer,
                subject,
                audience,
            } => {
                let audience = audience.as_deref().unwrap_or("api://AzureADTokenExchange");
                world.add_federated_credential(&app, &issuer, &subject, audience)?;
            }
            Apps::TrustIssuer { issuer, jwks } => world.trust_issuer(&issuer, &jwks)?,
        }
        Ok(())
    }
}
