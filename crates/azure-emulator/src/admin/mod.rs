//! The admin API: a small window for people and scripts. Not part of any Azure.
//! It shows the journal without secrets, mints user tokens, and tells what is in the world.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::azure::Azure;
use crate::entra::{self, MintUserToken};
use crate::exchange::{Answer, Call};
use crate::journal::{Entry, Journal};
use crate::server::{Cut, Sent, Site};

/// The admin listener.
pub(crate) struct Admin {
    pub(crate) azure: Arc<Azure>,
    pub(crate) journal: Arc<Journal>,
}

const ROUTES: &str = "GET /admin/journal, DELETE /admin/journal, POST /admin/token, GET /admin/seed-summary";

impl Site for Admin {
    async fn answer(&self, call: Call) -> Result<Sent, Cut> {
        Ok(self.route(&call).into())
    }
}

impl Admin {
    fn route(&self, call: &Call) -> Answer {
        match (&call.method, call.path().as_slice()) {
            (&Method::GET, ["admin", "journal"]) => {
                let entries: Vec<Value> = self.journal.entries().iter().map(Entry::redacted).collect();
                Answer::json(StatusCode::OK, &json!({ "value": entries }))
            }
            (&Method::DELETE, ["admin", "journal"]) => {
                self.journal.clear();
                Answer::empty(StatusCode::NO_CONTENT)
            }
            (&Method::POST, ["admin", "token"]) => self.mint(call),
            (&Method::GET, ["admin", "seed-summary"]) => Answer::json(StatusCode::OK, &self.summary()),
            (method, _) => {
                let message = format!("no {method} {}; there are: {ROUTES}", call.path_and_query);
                refused(StatusCode::NOT_FOUND, &message)
            }
        }
    }

    fn mint(&self, call: &Call) -> Answer {
        let request: TokenRequest = match serde_json::from_slice(&call.body) {
            Ok(request) => request,
            Err(error) => {
                let message =
                    format!("expected {{user, tenant, app, api, scopes, lifetimeSeconds?}}: {error}");
                return refused(StatusCode::BAD_REQUEST, &message);
            }
        };
        let request = MintUserToken {
            user: request.user,
            tenant: request.tenant,
            client_app: request.app,
            api: request.api,
            scopes: request.scopes,
            lifetime: request.lifetime_seconds.map(Duration::from_secs),
            ..MintUserToken::default()
        };
        match entra::mint(&self.azure, &request) {
            Ok((token, lifetime)) => {
                let body = json!({ "accessToken": token, "expiresIn": lifetime.as_secs() });
                Answer::json(StatusCode::OK, &body).with("cache-control", "no-store")
            }
            Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
        }
    }

    fn summary(&self) -> Value {
        let world = self.azure.world();
        let (directory, resources) = (&world.directory, &world.resources);
        let tenant = |id: &str| {
            directory
                .tenant(id)
                .and_then(|t| t.domains.first().cloned())
                .unwrap_or_default()
        };
        json!({
            "entra": self.azure.entra_url.as_str(),
            "arm": self.azure.arm_url.as_str(),
            "now": world.now().to_rfc3339(),
            "tenants": directory.tenants.iter()
                .map(|t| json!({ "id": t.id, "name": t.name, "domains": t.domains })).collect::<Vec<_>>(),
            "users": directory.users.iter().map(|u| json!({
                "upn": u.upn,
                "tenants": u.memberships.iter()
                    .map(|m| json!({ "tenant": tenant(&m.tenant_id), "oid": m.oid, "enabled": m.enabled }))
                    .collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "apps": directory.apps.iter().map(|a| json!({
                "name": a.name,
                "clientId": a.client_id,
                "identifierUris": a.identifier_uris,
                "scopes": a.scopes,
                "appRoles": a.app_roles,
                "provisionedIn": a.provisioned.iter().map(|(id, _)| tenant(id)).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "subscriptions": resources.subscriptions.iter()
                .map(|s| json!({ "id": s.id, "name": s.name, "tenant": tenant(&s.tenant_id) })).collect::<Vec<_>>(),
            "databases": resources.clusters.iter().flat_map(|c| {
                c.databases.iter().map(|d| c.id.child("databases", &d.name).to_string())
            }).collect::<Vec<_>>(),
            "eventHubs": resources.namespaces.iter().flat_map(|n| {
                n.event_hubs.iter().map(|h| n.id.child("eventhubs", &h.name).to_string())
            }).collect::<Vec<_>>(),
            "dataConnections": world.data_connection_ids(),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenRequest {
    user: String,
    tenant: String,
    app: String,
    api: String,
    scopes: Vec<String>,
    lifetime_seconds: Option<u64>,
}

fn refused(status: StatusCode, message: &str) -> Answer {
    Answer::json(status, &json!({ "error": message }))
}
