//! Azure Resource Manager as this service needs it: clusters, hubs, permissions, data connections and their operations.
//! Here lives how a call is made, what an answer means and how sure one may be of it.
//! What to do about an answer, how tokens are got, and what is remembered of it live elsewhere (`broker`, `entra`, `db`).

mod answer;
mod call;
mod challenge;
pub mod data_connection;
mod error;
mod failure;
mod headers;
mod json_fields;
mod leave;
mod operation;
mod pace;
mod permissions;
mod refusal;
mod report;
mod resources;
mod sentences;
mod settings;
mod tenant_discovery;
mod trusted_url;

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod testing;
use std::sync::Arc;

pub use data_connection::{
    Accepted, Comparison, Credentials, DataConnection, Deleted, Reading, Recorded, compare, event_hub_body,
    fingerprint,
};
pub use error::{ArmError, ArmErrorKind};
pub(crate) use failure::{failure_of, from_arm, upstream_of};
pub use operation::{OperationState, OperationStatus, OperationUrl};
pub use permissions::Permissions;
pub use refusal::Refusal;
pub use report::{CallReport, CallTrace};
pub use resources::Cluster;
pub(crate) use sentences::reason;
pub use settings::Settings;
pub use trusted_url::PinnedUrlError;

use crate::clock::Clock;
use crate::upstream::Guards;
use crate::upstream::Service;
use tenant_discovery::TenantCache;

/// Azure Resource Manager. Cheap to clone; clones share connections and what is remembered of tenants.
#[derive(Clone)]
pub struct Arm(Arc<Shared>);

struct Shared {
    settings: Settings,
    client: reqwest::Client,
    clock: Clock,
    tenants: TenantCache,
    /// Each tenant's side of ARM.
    lines: Guards,
    /// How fast each principal's calls are made.
    pace: pace::RateLimiter,
}

impl Arm {
    /// Speaks to the ARM of these settings through a client that follows no redirect and bounds each call in time
    /// ([`crate::upstream::client`]).
    #[must_use]
    pub fn new(settings: Settings, client: reqwest::Client, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            tenants: TenantCache::new(settings.tenant_cache),
            lines: Guards::new(Service::Arm, settings.lines.clone()),
            pace: pace::RateLimiter::new(),
            settings,
            client,
            clock,
        }))
    }

    /// ARM's own URL: what operation URLs are pinned to.
    #[must_use]
    pub fn endpoint(&self) -> &url::Url {
        &self.0.settings.endpoint
    }

    /// The `api-version` of every `Microsoft.Kusto` call.
    #[must_use]
    pub fn kusto_api_version(&self) -> &str {
        &self.0.settings.kusto_api_version
    }
}
