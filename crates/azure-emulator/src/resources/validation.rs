//! What Kusto finds wrong with a data connection when its operation ends.
//! Two of the texts are known ("table does not exist", the one on the tuple); the others are modelled on them.

use super::{ResourceId, Resources, Wanted};

/// What Kusto says of an Event Grid connection whose validation leaves out the type of event, its placeholder unfilled
/// (recorded: 2022-12-29). A PUT that leaves it out succeeds.
pub(super) const NO_EVENT_TYPE: &str = "BlobStorageEventType {0} is not supported";

impl Resources {
    /// Everything wrong with `wanted` as the data connection `id`; empty when it may stand.
    pub(super) fn findings(&self, id: &ResourceId, wanted: &Wanted) -> Vec<String> {
        let text = |name: &str| wanted.text(name);
        let mut found = Vec::new();
        if let Some(hub) = wanted.event_hub() {
            self.check_source(id, hub, text("consumerGroup"), &mut found);
        }
        let account = wanted.storage_account().map(ResourceId::parse);
        if account.is_some_and(|id| id.ok().and_then(|id| self.storage_account(&id)).is_none()) {
            found.push("storage account does not exist".to_owned());
        }
        check_format(wanted, &mut found);
        let database = id.parent();
        match database.as_ref().and_then(|id| self.database(id)) {
            None => found.push("Database does not exist".to_owned()),
            Some((_, database)) => {
                if let Some(table) = text("tableName") {
                    match (database.table(table), text("mappingRuleName")) {
                        (None, _) => found.push("table does not exist".to_owned()),
                        (Some(table), Some(mapping)) if !table.mappings.iter().any(|m| m == mapping) => {
                            found.push("mapping rule does not exist".to_owned());
                        }
                        _ => {}
                    }
                }
            }
        }
        found
    }

    fn check_source(&self, id: &ResourceId, hub: &str, group: Option<&str>, found: &mut Vec<String>) {
        let Ok(hub_id) = ResourceId::parse(hub) else {
            found.push("event hub does not exist".to_owned());
            return;
        };
        let Some((_, hub)) = self.event_hub(&hub_id) else {
            found.push("event hub does not exist".to_owned());
            return;
        };
        let Some(group) = group.and_then(|group| hub.consumer_group(group)) else {
            found.push("consumer group does not exist".to_owned());
            return;
        };
        let cluster = |id: &ResourceId| id.parent().and_then(|database| database.parent());
        let taken = self.data_connections.iter().any(|other| {
            other.id != *id
                && cluster(&other.id) == cluster(id)
                && other
                    .text("consumerGroup")
                    .is_some_and(|g| g.eq_ignore_ascii_case(group))
                && (other.wanted.event_hub())
                    .and_then(|h| ResourceId::parse(h).ok())
                    .as_ref()
                    == Some(&hub_id)
        });
        if taken {
            found.push("event hub resource id and consumer group tuple provided are already used".to_owned());
        }
    }
}

/// Microsoft Learn ("Data formats supported by Azure Data Explorer for ingestion", "Create an Event Hubs data
/// connection"): RAW can't come from event hubs, and binary formats can't be compressed. When and in which words Kusto
/// says so is a guess.
fn check_format(wanted: &Wanted, found: &mut Vec<String>) {
    let Some(format) = wanted.text("dataFormat") else {
        return;
    };
    let is = |word: &&str| word.eq_ignore_ascii_case(format);
    let streams = ["EventHub", "EventHubWithManagedIdentity", "IotHub"].contains(&wanted.kind.as_str());
    if streams && is(&"RAW") {
        found.push("data format is not supported".to_owned());
    }
    let binary = ["AVRO", "APACHEAVRO", "PARQUET", "ORC", "W3CLOGFILE"];
    let gzip = wanted
        .text("compression")
        .is_some_and(|c| c.eq_ignore_ascii_case("GZip"));
    if gzip && binary.iter().any(is) {
        found.push("compression is not supported for the data format".to_owned());
    }
}
