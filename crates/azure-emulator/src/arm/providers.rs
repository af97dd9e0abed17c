//! The resource providers of this cloud: which api-versions and which types each of them has.

use std::collections::BTreeSet;

use http::{Method, StatusCode};

use super::api_version;
use super::error::ArmError;
use super::path::Target;
use crate::exchange::Call;
use crate::resources::{ResourceId, Resources};

/// A resource provider. Types are written as messages write them, and compared without case.
pub(super) struct Provider {
    pub(super) namespace: &'static str,
    pub(super) versions: &'static [&'static str],
    pub(super) types: &'static [&'static str],
}

/// Kusto's published versions; the others' stable ones and the previews that clients still pin. Only the types that are
/// emulated are here: others that Azure has are as unknown as those that it doesn't have.
pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        namespace: "Microsoft.Kusto",
        versions: &[
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
        ],
        types: &[
            "clusters",
            "clusters/databases",
            "clusters/databases/dataConnections",
        ],
    },
    Provider {
        namespace: "Microsoft.EventHub",
        versions: &[
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
            "2026-01-01",
        ],
        types: &[
            "namespaces",
            "namespaces/eventhubs",
            "namespaces/eventhubs/consumergroups",
            "namespaces/authorizationRules",
        ],
    },
    Provider {
        namespace: "Microsoft.Storage",
        versions: &[
            "2015-06-15",
            "2016-01-01",
            "2016-05-01",
            "2016-12-01",
            "2017-06-01",
            "2017-10-01",
            "2018-02-01",
            "2018-07-01",
            "2018-11-01",
            "2019-04-01",
            "2019-06-01",
            "2020-08-01-preview",
            "2021-01-01",
            "2021-02-01",
            "2021-04-01",
            "2021-06-01",
            "2021-08-01",
            "2021-09-01",
            "2022-05-01",
            "2022-09-01",
            "2023-01-01",
            "2023-04-01",
            "2023-05-01",
            "2024-01-01",
            "2025-01-01",
            "2025-06-01",
            "2025-08-01",
            "2026-04-01",
            "2026-06-01",
            "2026-09-01",
        ],
        types: &["storageAccounts"],
    },
    Provider {
        namespace: "Microsoft.EventGrid",
        versions: &[
            "2018-01-01",
            "2019-01-01",
            "2019-06-01",
            "2020-04-01-preview",
            "2020-06-01",
            "2020-10-15-preview",
            "2021-06-01-preview",
            "2021-10-15-preview",
            "2021-12-01",
            "2022-06-15",
            "2023-06-01-preview",
            "2023-12-15-preview",
            "2024-06-01-preview",
            "2024-12-15-preview",
            "2025-02-15",
        ],
        types: &[
            "eventSubscriptions",
            "systemTopics",
            "systemTopics/eventSubscriptions",
            "locations/eventSubscriptions",
            "topicTypes/eventSubscriptions",
            "locations/topicTypes/eventSubscriptions",
        ],
    },
];

/// Refuses an address of a provider, type or api-version that is not there, in this order.
pub(super) fn check(
    resources: &Resources,
    call: &Call,
    version: &str,
    target: &Target,
) -> Result<(), ArmError> {
    let (id, kind) = match target {
        Target::Resource(id) if !id.names().is_empty() => (id, id.resource_type()),
        // An action is no type; nor is the rest of a data connection's name that has a slash in it.
        Target::Below(owner, word) if !owner.names().is_empty() => {
            let owner_type = owner.resource_type();
            let has_lists = !owner_type.to_ascii_lowercase().ends_with("/dataconnections");
            let kind = match call.method {
                Method::GET if has_lists => format!("{owner_type}/{word}"),
                _ => owner_type,
            };
            (owner, kind)
        }
        Target::Collection(scope, kind) => (scope, kind.clone()),
        _ => return Ok(()),
    };
    let (namespace, kind) = kind.split_once('/').unwrap_or((&kind, ""));
    let provider = PROVIDERS
        .iter()
        .find(|known| known.namespace.eq_ignore_ascii_case(namespace))
        .ok_or_else(|| unknown_namespace(namespace))?;
    let known = provider
        .types
        .iter()
        .find(|known| known.eq_ignore_ascii_case(kind))
        .ok_or_else(|| unknown_type(provider, version))?;
    if provider.versions.contains(&version) {
        return Ok(());
    }
    let (own, all) = places(resources, id);
    Err(api_version::unknown(
        version,
        known,
        provider.versions,
        own.as_deref(),
        &all,
    ))
}

/// The region of the resource that the id lies in, and all regions: providers are where this cloud's resources are.
fn places(resources: &Resources, id: &ResourceId) -> (Option<String>, Vec<String>) {
    let plain = |location: &str| location.replace(' ', "").to_lowercase();
    let regions = resources.regions();
    let own = regions.iter().find(|(owner, _)| id.is_within(owner));
    let all: BTreeSet<String> = regions.iter().map(|(_, location)| plain(location)).collect();
    (
        own.map(|(_, location)| plain(location)),
        all.into_iter().collect(),
    )
}

fn unknown_namespace(namespace: &str) -> ArmError {
    let message = format!("The resource namespace '{namespace}' is invalid.");
    ArmError::gateway(StatusCode::NOT_FOUND, "InvalidResourceNamespace", message)
}

/// ARM's words name the namespace and not the type.
fn unknown_type(provider: &Provider, version: &str) -> ArmError {
    let message = format!(
        "The resource type could not be found in the namespace '{}' for api version '{version}'.",
        provider.namespace
    );
    ArmError::gateway(StatusCode::NOT_FOUND, "InvalidResourceType", message)
}
