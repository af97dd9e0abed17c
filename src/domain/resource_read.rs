//! A read that shows whether a resource exists: `sources` describes it, `arm` performs it.

use crate::domain::ResourceId;

/// A read of one resource at ARM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRead {
    /// The name of the call in logs and metrics, such as `GET event hub`.
    pub call: &'static str,
    /// The resource.
    pub id: ResourceId,
    /// The `api-version`.
    pub api_version: &'static str,
    /// The provider's own error codes for a resource that does not exist, beside ARM's.
    pub absent_codes: &'static [&'static str],
}
