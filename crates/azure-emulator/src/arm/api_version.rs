//! api-versions: there must be one, and the provider must know it.

use std::collections::BTreeSet;

use http::StatusCode;

use super::error::ArmError;
use crate::exchange::Call;
use crate::resources::{ResourceId, Resources};

/// Kusto's published versions.
pub(super) const KUSTO: &[&str] = &[
    "2019-01-21",
    "2019-05-15",
    "2019-09-07",
    "2019-11-09",
    "2020-02-15",
    "2020-06-14",
    "2020-09-18",
    "2021-01-01",
    "2021-08-27",
    "2022-02-01",
    "2022-07-07",
    "2022-11-11",
    "2022-12-29",
    "2023-05-02",
    "2023-08-15",
    "2024-04-13",
    "2025-02-14",
];
/// Event Hubs' stable versions and the previews that clients still pin.
pub(super) const EVENT_HUB: &[&str] = &[
    "2014-09-01",
    "2015-08-01",
    "2017-04-01",
    "2018-01-01-preview",
    "2021-01-01-preview",
    "2021-06-01-preview",
    "2021-11-01",
    "2022-01-01-preview",
    "2022-10-01-preview",
    "2023-01-01-preview",
    "2024-01-01",
    "2024-05-01-preview",
    "2025-05-01-preview",
];
/// Versions of the permissions call.
pub(super) const AUTHORIZATION: &[&str] = &["2015-07-01", "2018-01-01-preview", "2018-07-01", "2022-04-01"];

/// The call's api-version; ARM refuses every call without one.
pub(super) fn given(call: &Call) -> Result<&str, ArmError> {
    call.query("api-version")
        .filter(|version| !version.is_empty())
        .ok_or_else(|| {
            let message = "The api-version query parameter (?api-version=) is required for all requests.";
            ArmError::gateway(StatusCode::BAD_REQUEST, "MissingApiVersionParameter", message)
        })
}

/// Refuses a version that the resource's provider does not have. Providers are where this cloud's resources are.
pub(super) fn known(
    resources: &Resources,
    version: &str,
    id: &ResourceId,
    supported: &[&str],
) -> Result<(), ArmError> {
    let regions = || {
        let clusters = resources.clusters.iter().map(|c| (&c.id, &c.location));
        clusters.chain(resources.namespaces.iter().map(|n| (&n.id, &n.location)))
    };
    let plain = |location: &String| location.replace(' ', "").to_lowercase();
    let own = || {
        regions()
            .find(|(owner, _)| id.is_within(owner))
            .map(|(_, location)| plain(location))
    };
    let all = || {
        regions()
            .map(|(_, location)| plain(location))
            .collect::<BTreeSet<String>>()
    };
    of_type(version, &id.resource_type(), supported, || (own(), all()))
}

/// The same for a type that is in no region.
pub(super) fn known_anywhere(version: &str, resource_type: &str, supported: &[&str]) -> Result<(), ArmError> {
    of_type(version, resource_type, supported, Default::default)
}

fn of_type(
    version: &str,
    resource_type: &str,
    supported: &[&str],
    places: impl FnOnce() -> (Option<String>, BTreeSet<String>),
) -> Result<(), ArmError> {
    if supported.contains(&version) {
        return Ok(());
    }
    let (own, all) = places();
    let message = format!(
        "No registered resource provider found for location '{}' and API version '{version}' for type \
         '{resource_type}'. The supported api-versions are '{}'. The supported locations are '{}'.",
        own.as_deref().unwrap_or("null"),
        supported.join(", "),
        all.into_iter().collect::<Vec<_>>().join(", "),
    );
    Err(ArmError::gateway(
        StatusCode::BAD_REQUEST,
        "NoRegisteredProviderFound",
        message,
    ))
}
