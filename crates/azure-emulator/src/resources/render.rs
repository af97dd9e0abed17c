//! Data connections as ARM shows them, per api-version
//! (recorded ARM traffic 2020-02-15 and 2021-08-27; the versions that brought each member from the published API).

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::kinds::Absent;
use super::{DataConnection, Kind, Provisioning, ResourceId, Resources, Shape, Wanted};
use crate::exchange::set;

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
        let members = Kind::named(&connection.wanted.kind).map_or(&[][..], |kind| kind.members);
        for member in members {
            if api_version < member.since {
                properties.remove(member.name);
            } else if member.shape == Shape::Instant
                && let Some(sent) = connection.text(member.name)
                && let Ok(instant) = DateTime::parse_from_rfc3339(sent)
            {
                // Answered to the write as it was sent, shown as all moments are (recorded: 2023-05-02).
                let shown = rfc3339_ticks(instant.to_utc());
                properties.insert(member.name.to_owned(), json!(shown));
            } else if is_left_out(properties.get(member.name))
                && let Some(value) = absent(member.absent, connection)
            {
                properties.insert(member.name.to_owned(), value);
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
                "createdByType": author_type(&connection.created_by),
                "createdAt": rfc3339_ticks(connection.created_at),
                "lastModifiedBy": connection.modified_by,
                "lastModifiedByType": author_type(&connection.modified_by),
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

/// Empty text stands for nothing: Microsoft's own templates send it so.
fn is_left_out(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value == "")
}

/// People are called by their UPN, apps by their id (common types of the published API: `systemData`).
fn author_type(author: &str) -> &'static str {
    if uuid::Uuid::parse_str(author).is_ok() {
        "Application"
    } else {
        "User"
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

fn absent(how: Absent, connection: &DataConnection) -> Option<Value> {
    Some(match how {
        Absent::Never => return None,
        Absent::Text if !connection.rewritten => json!(""),
        Absent::Text | Absent::Null => Value::Null,
        Absent::Empty => json!([]),
        Absent::Word(word) => json!(word),
        Absent::False => json!(false),
        Absent::Creation => json!(rfc3339_ticks(connection.retrieval_start)),
        Absent::Identity => identity_object(connection.text("managedIdentityResourceId")),
    })
}

/// Identities don't exist here; each still has one object id, worked out from its resource id.
fn identity_object(identity: Option<&str>) -> Value {
    let Some(identity) = identity else {
        return Value::Null;
    };
    let digest = Sha256::digest(identity.to_ascii_lowercase());
    let bytes = digest
        .iter()
        .take(16)
        .fold(0_u128, |all, byte| (all << 8) | u128::from(*byte));
    json!(
        uuid::Builder::from_random_bytes(bytes.to_be_bytes())
            .into_uuid()
            .to_string()
    )
}

/// The id as Kusto writes it: collection segments in Pascal case whatever the request wrote, names in the caller's.
pub(crate) fn envelope_id(id: &ResourceId) -> String {
    let collections = ["Clusters", "Databases", "DataConnections"];
    let names = id.names();
    if names.len() > collections.len() {
        return id.to_string();
    }
    let mut text = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Kusto",
        id.subscription(),
        id.resource_group().unwrap_or_default(),
    );
    for (collection, name) in collections.into_iter().zip(names) {
        let _ = write!(text, "/{collection}/{name}");
    }
    text
}

fn envelope(id: &ResourceId, wanted: &Wanted, api_version: &str) -> Value {
    let mut body = json!({
        "id": envelope_id(id),
        "name": id.names().join("/"),
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

/// RFC 3339 in UTC, to the tick (100 ns) and without the zeros at the end, as .NET's JSON is written.
pub(crate) fn rfc3339_ticks(at: DateTime<Utc>) -> String {
    let ticks = format!("{:07}", at.timestamp_subsec_nanos() / 100);
    let fraction = ticks.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{}{dot}{fraction}Z", at.format("%Y-%m-%dT%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_to_the_tick_without_zeros_at_the_end() {
        let at = |nanos| DateTime::from_timestamp(1_588_069_349, nanos).unwrap();
        assert_eq!(rfc3339_ticks(at(549_257_000)), "2020-04-28T10:22:29.549257Z");
        assert_eq!(rfc3339_ticks(at(999_999_999)), "2020-04-28T10:22:29.9999999Z");
        assert_eq!(rfc3339_ticks(at(0)), "2020-04-28T10:22:29Z");
    }
}
