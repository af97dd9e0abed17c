//! Storage accounts, system topics, event subscriptions.

use serde_json::json;

use super::super::sources;
use super::Builder;
use crate::resources::StorageAccount;

impl Builder {
    pub(super) fn storage_accounts(&mut self, accounts: &[sources::StorageAccount]) {
        for (i, account) in accounts.iter().enumerate() {
            let path = format!("storage_accounts[{i}].id");
            let types = ["storageAccounts"];
            let Some(id) = self.resource_id(&path, &account.id, "Microsoft.Storage", &types) else {
                continue;
            };
            self.resources.storage_accounts.push(StorageAccount {
                kind: account.kind.clone(),
                is_hns_enabled: account.is_hns_enabled,
                allow_shared_key_access: account.allow_shared_key_access,
                allow_shared_key_access_for_blobs: account.allow_shared_key_access_for_blobs,
                ..StorageAccount::new(id, account.location.clone())
            });
        }
    }

    pub(super) fn system_topics(&mut self, topics: &[sources::SystemTopic]) {
        for (i, topic) in topics.iter().enumerate() {
            let made = self
                .resources
                .add_system_topic(&topic.id, &topic.location, &topic.source);
            self.note(format!("system_topics[{i}]"), made);
        }
    }

    pub(super) fn event_subscriptions(&mut self, subscriptions: &[sources::EventSubscription]) {
        for (i, subscription) in subscriptions.iter().enumerate() {
            let body = json!({ "properties": subscription.properties });
            let made = self.resources.set_event_subscription(&subscription.id, &body);
            self.note(format!("event_subscriptions[{i}]"), made);
        }
    }
}
