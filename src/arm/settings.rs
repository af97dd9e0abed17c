//! What the operator decides about ARM.

use std::time::Duration;

use url::Url;

use crate::upstream::GuardLimits;

/// Where ARM is, and how it is spoken to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// ARM's root, such as `https://management.azure.com/`. Tokens are sent to its origin and nowhere else.
    pub endpoint: Url,
    /// The `api-version` of every `Microsoft.Kusto` call, such as `2024-04-13`.
    pub kusto_api_version: String,
    /// How long a subscription's tenant is believed before ARM is asked again: subscriptions can be moved.
    pub tenant_cache: Duration,
    /// How much each tenant's side of ARM is asked.
    pub limits: GuardLimits,
}
