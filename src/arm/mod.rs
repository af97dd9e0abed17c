//! Azure Resource Manager as this service needs it: clusters, hubs, permissions, data connections and their operations.
//! This module makes calls and decides what a response means, and how certain that is.
//! What follows from a response, tokens and records are the business of `operations`, `entra` and `db`.

mod answer;
mod call;
mod call_permit;
mod challenge;
pub mod data_connection;
mod error;
mod failure;
mod headers;
mod operation;
mod permissions;
mod refusal;
mod report;
mod resources;
mod sentences;
mod settings;
mod tenant_discovery;
mod throttled;
mod trusted_url;

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod testing;
use std::sync::Arc;

pub use data_connection::{Accepted, Credentials, DataConnection, Deleted};
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
use crate::upstream::{Guards, Service};
use tenant_discovery::TenantCache;

/// Azure Resource Manager. Cheap to clone; clones share connections and the cache of tenants.
#[derive(Clone)]
pub struct Arm(Arc<Shared>);

struct Shared {
    settings: Settings,
    client: reqwest::Client,
    clock: Clock,
    tenants: TenantCache,
    /// One guard for each tenant.
    guards: Guards,
    /// What ARM refused for too many calls.
    throttled: throttled::Throttled,
}

impl Arm {
    /// Calls the ARM of these settings through a client that follows no redirect and bounds each call in time
    /// ([`crate::upstream::client`]).
    #[must_use]
    pub fn new(settings: Settings, client: reqwest::Client, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            tenants: TenantCache::new(settings.tenant_cache),
            guards: Guards::new(Service::Arm, settings.limits.clone()),
            throttled: throttled::Throttled::new(settings.limits.longest_retry_after),
            settings,
            client,
            clock,
        }))
    }

    /// ARM's own URL, which operation URLs must belong to.
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
