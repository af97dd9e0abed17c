//! The seed's format. Every member that may be left out says so by its type.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::arm::{Arm, RoleDefinition};
use super::sources::{EventSubscription, StorageAccount, SystemTopic};
use crate::directory::PolicySpec;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) tenants: Vec<Tenant>,
    #[serde(default)]
    pub(super) users: Vec<User>,
    #[serde(default)]
    pub(super) apps: Vec<App>,
    #[serde(default)]
    pub(super) app_role_assignments: Vec<AppRoleAssignment>,
    #[serde(default)]
    pub(super) subscriptions: Vec<Subscription>,
    #[serde(default)]
    pub(super) clusters: Vec<Cluster>,
    #[serde(default)]
    pub(super) namespaces: Vec<Namespace>,
    #[serde(default)]
    pub(super) storage_accounts: Vec<StorageAccount>,
    #[serde(default)]
    pub(super) system_topics: Vec<SystemTopic>,
    #[serde(default)]
    pub(super) event_subscriptions: Vec<EventSubscription>,
    #[serde(default)]
    pub(super) role_definitions: Vec<RoleDefinition>,
    #[serde(default)]
    pub(super) role_assignments: Vec<RoleAssignment>,
    #[serde(default)]
    pub(super) data_connections: Vec<DataConnection>,
    #[serde(default)]
    pub(super) issuers: Vec<Issuer>,
    #[serde(default)]
    pub(super) arm: Arm,
    #[serde(default)]
    pub(super) groups: Vec<Group>,
    #[serde(default)]
    pub(super) conditional_access: Vec<PolicySpec>,
    #[serde(default)]
    pub(super) token_rates: Vec<TokenRate>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) tenant: String,
    #[serde(default)]
    pub(super) members: Vec<String>,
}

/// How many requests the token endpoint answers in each such time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenRate {
    pub(super) tenant: String,
    /// All apps together if left out.
    pub(super) app: Option<String>,
    pub(super) requests: u32,
    pub(super) seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tenant {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) domains: Vec<String>,
    #[serde(default)]
    pub(super) requires_mfa: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    /// Its domain names the home tenant.
    pub(super) upn: String,
    pub(super) name: String,
    pub(super) oid: String,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default = "yes")]
    pub(super) mfa_enrolled: bool,
    #[serde(default)]
    pub(super) guest_in: Vec<Guest>,
    /// Tenants that the user may consent for.
    #[serde(default)]
    pub(super) admin_of: Vec<String>,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guest {
    pub(super) tenant: String,
    pub(super) oid: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    pub(super) name: String,
    pub(super) client_id: String,
    /// Home tenant.
    pub(super) tenant: String,
    #[serde(default)]
    pub(super) identifier_uris: Vec<String>,
    /// 1 or 2.
    #[serde(default = "two")]
    pub(super) token_version: u8,
    #[serde(default)]
    pub(super) secrets: Vec<Secret>,
    #[serde(default)]
    pub(super) certificates: Vec<Certificate>,
    #[serde(default)]
    pub(super) federated_credentials: Vec<FederatedCredential>,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    pub(super) app_roles: Vec<String>,
    #[serde(default)]
    pub(super) optional_claims: Vec<String>,
    #[serde(default)]
    pub(super) redirect_uris: Vec<String>,
    /// Tenants with a service principal, besides the home tenant.
    #[serde(default)]
    pub(super) provisioned_in: Vec<String>,
    /// What the registration asks for, besides what is consented to below.
    #[serde(default)]
    pub(super) permissions: Vec<Permission>,
    #[serde(default)]
    pub(super) consents: Vec<Consent>,
}

fn two() -> u8 {
    2
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Secret {
    pub(super) value: String,
    pub(super) expires: Option<DateTime<Utc>>,
}

/// One of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Certificate {
    pub(super) pem: Option<String>,
    /// A file with the PEM, seen from the seed's folder.
    pub(super) path: Option<std::path::PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FederatedCredential {
    pub(super) issuer: String,
    pub(super) subject: String,
    #[serde(default = "token_exchange")]
    pub(super) audience: String,
}

fn token_exchange() -> String {
    "api://AzureADTokenExchange".to_owned()
}

/// An issuer outside of this cloud.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issuer {
    pub(super) issuer: String,
    /// The key set as JSON.
    pub(super) jwks: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Permission {
    pub(super) resource: String,
    pub(super) scopes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consent {
    pub(super) tenant: String,
    pub(super) resource: String,
    pub(super) scopes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppRoleAssignment {
    pub(super) principal: String,
    pub(super) tenant: String,
    pub(super) app: String,
    pub(super) role: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) tenant: String,
    #[serde(default)]
    pub(super) resource_groups: Vec<ResourceGroup>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceGroup {
    pub(super) name: String,
    pub(super) location: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cluster {
    pub(super) id: String,
    pub(super) location: String,
    #[serde(default)]
    pub(super) databases: Vec<Database>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Database {
    pub(super) name: String,
    #[serde(default)]
    pub(super) tables: Vec<Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) name: String,
    #[serde(default)]
    pub(super) mappings: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Namespace {
    pub(super) id: String,
    pub(super) location: String,
    #[serde(default)]
    pub(super) disable_local_auth: bool,
    #[serde(default)]
    pub(super) event_hubs: Vec<EventHub>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventHub {
    pub(super) name: String,
    #[serde(default)]
    pub(super) consumer_groups: Vec<String>,
    #[serde(default = "four")]
    pub(super) partitions: u32,
}

fn four() -> u32 {
    4
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleAssignment {
    pub(super) principal: String,
    pub(super) role: String,
    pub(super) scope: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataConnection {
    pub(super) id: String,
    #[serde(default = "event_hub")]
    pub(super) kind: String,
    pub(super) properties: serde_json::Map<String, serde_json::Value>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) created_by: String,
}

fn event_hub() -> String {
    "EventHub".to_owned()
}
