//! Names and ids of the built-in seed `seeds/how-to.toml`, so that tests need not repeat them.

/// Tenant that has the cluster, and home of the service's app.
pub const DOMAIN1: &str = "11111111-1111-4111-8111-111111111111";
/// Tenant that has the event hubs.
pub const DOMAIN2: &str = "22222222-2222-4222-8222-222222222222";
/// Tenant that no configuration should allow.
pub const DOMAIN3: &str = "33333333-3333-4333-8333-333333333333";

/// Client id of the API.
pub const TENANT_BRIDGE: &str = "a0000000-0000-4000-8000-000000000001";
/// App ID URI of the API.
pub const TENANT_BRIDGE_URI: &str = "api://a0000000-0000-4000-8000-000000000001";
/// Client secret of the API.
pub const TENANT_BRIDGE_SECRET: &str = "tenant-bridge-secret-of-the-emulator";
/// Client id of the portal.
pub const PORTAL: &str = "a0000000-0000-4000-8000-000000000002";
/// Client id of a portal that the service should not know.
pub const OTHER_PORTAL: &str = "a0000000-0000-4000-8000-000000000003";
/// Client id of another API.
pub const OTHER_API: &str = "a0000000-0000-4000-8000-000000000004";

/// Subscription of the cluster.
pub const SUBSCRIPTION1: &str = "50000000-0000-4000-8000-000000000001";
/// Subscription of the event hubs.
pub const SUBSCRIPTION2: &str = "50000000-0000-4000-8000-000000000002";
/// Subscription in the third tenant.
pub const SUBSCRIPTION3: &str = "50000000-0000-4000-8000-000000000003";

/// The cluster, in "West Europe".
pub const CLUSTER: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1";
/// Its database with table `Events` and mapping `EventsMapping`.
pub const DATABASE: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1/databases/telemetry";
/// Its second database.
pub const ARCHIVE: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1/databases/archive";
/// Namespace in the second tenant.
pub const NAMESPACE: &str = "/subscriptions/50000000-0000-4000-8000-000000000002/resourceGroups/rg-streams/providers/Microsoft.EventHub/namespaces/ns-domain2";
/// Event hub there, with consumer groups `$Default`, `cg1`, `cg2`.
pub const HUB1: &str = "/subscriptions/50000000-0000-4000-8000-000000000002/resourceGroups/rg-streams/providers/Microsoft.EventHub/namespaces/ns-domain2/eventhubs/hub1";
/// Event hub there, with consumer groups `$Default`, `cg1`.
pub const HUB2: &str = "/subscriptions/50000000-0000-4000-8000-000000000002/resourceGroups/rg-streams/providers/Microsoft.EventHub/namespaces/ns-domain2/eventhubs/hub2";
/// Event hub in the cluster's own tenant.
pub const LOCAL_HUB: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.EventHub/namespaces/ns-domain1/eventhubs/hub1";
/// Event hub in the third tenant.
pub const FOREIGN_HUB: &str = "/subscriptions/50000000-0000-4000-8000-000000000003/resourceGroups/rg-streams/providers/Microsoft.EventHub/namespaces/ns-domain3/eventhubs/hub1";

/// Storage account in the cluster's own tenant; its events go to [`LOCAL_HUB`].
pub const STORAGE1: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Storage/storageAccounts/stdomain1";
/// Storage account in the tenant of the event hubs, with a hierarchical namespace; its events go to [`HUB2`].
pub const STORAGE2: &str = "/subscriptions/50000000-0000-4000-8000-000000000002/resourceGroups/rg-streams/providers/Microsoft.Storage/storageAccounts/stdomain2";
/// Storage account in the third tenant; its system topic delivers to [`HUB2`].
pub const STORAGE3: &str = "/subscriptions/50000000-0000-4000-8000-000000000003/resourceGroups/rg-streams/providers/Microsoft.Storage/storageAccounts/stdomain3";
/// The event subscription on [`STORAGE1`].
pub const SUBSCRIPTION_OF_STORAGE1: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Storage/storageAccounts/stdomain1/providers/Microsoft.EventGrid/eventSubscriptions/blobs-to-hub1";
/// The system topic of [`STORAGE3`].
pub const TOPIC3: &str = "/subscriptions/50000000-0000-4000-8000-000000000003/resourceGroups/rg-streams/providers/Microsoft.EventGrid/systemTopics/topic-domain3";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::resources::ResourceId;

    #[test]
    fn the_names_are_the_seeds_own() {
        let seed = Seed::how_to();
        for tenant in [DOMAIN1, DOMAIN2, DOMAIN3] {
            assert!(seed.directory.tenant(tenant).is_some());
        }
        for app in [TENANT_BRIDGE, PORTAL, OTHER_PORTAL, OTHER_API] {
            assert!(seed.directory.app(app).is_some());
        }
        assert_eq!(
            seed.directory.resource(TENANT_BRIDGE_URI).unwrap().client_id,
            TENANT_BRIDGE
        );
        assert_eq!(
            seed.directory.app("tenant-bridge").unwrap().secrets[0].value,
            TENANT_BRIDGE_SECRET
        );
        for subscription in [SUBSCRIPTION1, SUBSCRIPTION2, SUBSCRIPTION3] {
            assert!(seed.resources.subscription(subscription).is_some());
        }
        let id = |text: &str| ResourceId::parse(text).unwrap();
        assert!(seed.resources.cluster(&id(CLUSTER)).is_some());
        assert!(
            seed.resources.database(&id(DATABASE)).is_some()
                && seed.resources.database(&id(ARCHIVE)).is_some()
        );
        assert!(seed.resources.namespace(&id(NAMESPACE)).is_some());
        for hub in [HUB1, HUB2, LOCAL_HUB, FOREIGN_HUB] {
            assert!(seed.resources.event_hub(&id(hub)).is_some());
        }
        for account in [STORAGE1, STORAGE2, STORAGE3] {
            assert!(seed.resources.storage_account(&id(account)).is_some());
        }
        assert!(
            seed.resources
                .event_subscription(&id(SUBSCRIPTION_OF_STORAGE1))
                .is_some()
        );
        assert!(seed.resources.system_topic(&id(TOPIC3)).is_some());
    }
}
