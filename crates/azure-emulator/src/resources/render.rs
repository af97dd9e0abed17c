//! Data connections as ARM shows them, per api-version
//! (recorded ARM traffic 2020-02-15 and 2021-08-27; the versions that brought each member from the published API).

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{DataConnection, Provisioning, ResourceId, Resources, Wanted};
use crate::exchange::set;

/// How a member that the caller left out is shown.
enum Absent {
    /// `""` after a create, null after an update.
    Text,
    Null,
    Empty,
    Word(&'static str),
    False,
    /// The moment the data connection was made.
    Creation,
}

struct Member {
    name: &'static str,
    /// First api-version that shows it.
    since: &'static str,
    absent: Absent,
}

const fn member(name: &'static str, since: &'static str, absent: Absent) -> Member {
    Member { name, since, absent }
}

const EVENT_HUB: &[Member] = &[
    member("tableName", "", Absent::Text),
    member("mappingRuleName", "", Absent::Text),
    member("dataFormat", "", Absent::Text),
    member("eventSystemProperties", "", Absent::Empty),
    member("compression", "2019-11-09", Absent::Word("None")),
    member("managedIdentityResourceId", "2021-01-01", Absent::Null),
    member("managedIdentityObjectId", "2022-02-01", Absent::Null),
    member("databaseRouting", "2022-02-01", Absent::Word("Single")),
    member("retrievalStartDate", "2022-07-07", Absent::Creation),
];

const EVENT_GRID: &[Member] = &[
    member("tableName", "", Absent::Null),
    member("mappingRuleName", "", Absent::Null),
    member("dataFormat", "", Absent::Null),
    member("ignoreFirstRecord", "2020-09-18", Absent::False),
    member(
        "blobStorageEventType",
        "2020-09-18",
        Absent::Word("Microsoft.Storage.BlobCreated"),
    ),
    member("eventGridResourceId", "2022-02-01", Absent::Null),
    member("managedIdentityResourceId", "2022-02-01", Absent::Null),
    member("managedIdentityObjectId", "2022-02-01", Absent::Null),
    member("databaseRouting", "2022-02-01", Absent::Word("Single")),
];

const IOT_HUB: &[Member] = &[
    member("tableName", "", Absent::Text),
    member("mappingRuleName", "", Absent::Text),
    member("dataFormat", "", Absent::Text),
    member("eventSystemProperties", "", Absent::Empty),
    member("databaseRouting", "2022-02-01", Absent::Word("Single")),
    member("retrievalStartDate", "2022-07-07", Absent::Creation),
];

const COSMOS_DB: &[Member] = &[
    member("mappingRuleName", "", Absent::Null),
    member("managedIdentityObjectId", "", Absent::Null),
    member("retrievalStartDate", "", Absent::Creation),
];

fn members(kind: &str) -> &'static [Member] {
    match kind.to_ascii_lowercase().as_str() {
        "eventgrid" | "eventgridwithmanagedidentity" => EVENT_GRID,
        "iothub" => IOT_HUB,
        "cosmosdb" => COSMOS_DB,
        _ => EVENT_HUB,
    }
}

impl Resources {
    /// A data connection as GET shows it.
    pub fn render(&self, connection: &DataConnection, api_version: &str) -> Value {
        let state = match connection.provisioning {
            Provisioning::Creating => "Creating",
            // The published enum's word for "under way"; no recording shows a GET during an update.
            Provisioning::Updating => "Running",
            Provisioning::Deleting => "Deleting",
            Provisioning::Succeeded => "Succeeded",
        };
        let mut properties = connection.wanted.properties.clone();
        for member in members(&connection.wanted.kind) {
            if api_version < member.since {
                properties.remove(member.name);
            } else if !properties.contains_key(member.name) {
                properties.insert(member.name.to_owned(), absent(&member.absent, connection));
            }
        }
        properties.insert("provisioningState".to_owned(), json!(state));
        let location = self.location_of(&connection.id).to_owned();
        let wanted = Wanted {
            location,
            properties,
            ..connection.wanted.clone()
        };
        let mut body = envelope(&connection.id, &wanted, api_version);
        if api_version <= "2021-01-01" {
            set(&mut body, "tags", json!({}));
        }
        if api_version >= "2025-02-14" {
            let system_data = json!({
                "createdBy": connection.created_by,
                "createdByType": "User",
                "createdAt": rfc3339_ticks(connection.created_at),
                "lastModifiedBy": connection.modified_by,
                "lastModifiedByType": "User",
                "lastModifiedAt": rfc3339_ticks(connection.modified_at),
            });
            set(&mut body, "systemData", system_data);
        }
        body
    }

    /// What a PATCH answers: the request's members, since 2021-08-27 laid over what stood there before
    /// (recorded ARM traffic). The location is Kusto's own spelling already.
    pub(crate) fn echo_patch(&self, before: &DataConnection, wanted: &Wanted, api_version: &str) -> Value {
        let location = self.location_of(&before.id).to_owned();
        let mut wanted = Wanted {
            location,
            ..wanted.clone()
        };
        if api_version < "2021-08-27" {
            let mut body = echo(&before.id, &wanted, "Accepted", api_version);
            set(&mut body, "tags", json!({}));
            return body;
        }
        let shown = self.render(before, api_version);
        let mut properties = shown
            .get("properties")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        properties.extend(wanted.properties);
        wanted.properties = properties;
        echo(&before.id, &wanted, "Accepted", api_version)
    }

    /// A data connection's final looks in the newest api-version.
    pub(crate) fn render_newest(&self, connection: &DataConnection) -> Value {
        self.render(connection, "2025-02-14")
    }
}

/// What a PUT answers: the request's own members, location as sent, and the state.
pub(crate) fn echo(id: &ResourceId, wanted: &Wanted, state: &str, api_version: &str) -> Value {
    let mut wanted = wanted.clone();
    wanted
        .properties
        .insert("provisioningState".to_owned(), json!(state));
    envelope(id, &wanted, api_version)
}

fn absent(how: &Absent, connection: &DataConnection) -> Value {
    match how {
        Absent::Text if connection.rewritten => Value::Null,
        Absent::Text => json!(""),
        Absent::Null => Value::Null,
        Absent::Empty => json!([]),
        Absent::Word(word) => json!(word),
        Absent::False => json!(false),
        Absent::Creation => json!(rfc3339_ticks(connection.created_at)),
    }
}

/// Collection segments in Pascal case whatever the request wrote, names in the caller's case, `name` of three parts.
fn envelope(id: &ResourceId, wanted: &Wanted, api_version: &str) -> Value {
    let names = id.names();
    let [cluster, database, connection] = names.as_slice() else {
        return Value::Object(Map::new());
    };
    let mut body = json!({
        "id": format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Kusto/Clusters/{cluster}/Databases/{database}/DataConnections/{connection}",
            id.subscription(), id.resource_group().unwrap_or_default(),
        ),
        "name": format!("{cluster}/{database}/{connection}"),
        "type": "Microsoft.Kusto/Clusters/Databases/DataConnections",
        "location": wanted.location,
        "kind": wanted.kind,
        "properties": wanted.properties,
    });
    if api_version <= "2021-01-01" {
        set(&mut body, "etag", json!("\"\""));
    }
    body
}

/// RFC 3339 in UTC with seven fractional digits, as .NET writes ticks.
pub(crate) fn rfc3339_ticks(at: DateTime<Utc>) -> String {
    format!(
        "{}.{:07}Z",
        at.format("%Y-%m-%dT%H:%M:%S"),
        at.timestamp_subsec_nanos() / 100
    )
}
