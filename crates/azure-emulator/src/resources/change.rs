//! Changes to resources that tests make behind ARM's back.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::connection::{DataConnection, Wanted};
use super::{Database, EventHub, InvalidResourceId, ResourceId, Resources, Table};
use crate::directory::UnknownName;

/// Why a change could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Something named does not exist.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// An id is none.
    #[error(transparent)]
    Id(#[from] InvalidResourceId),
    /// The id is of another type than the change is about.
    #[error("\"{0}\" is not the id of a {1}")]
    WrongType(String, &'static str),
    /// It is there already.
    #[error("there is a {0} \"{1}\" already")]
    Exists(&'static str, String),
    /// A member of an event subscription's body is missing or of another kind.
    #[error(
        "an event subscription's body needs `{0}`; it delivers to an EventHub, with `destination` or with `deliveryWithResourceIdentity`"
    )]
    EventSubscription(&'static str),
    /// The body is not a JSON object with `properties`.
    #[error("a data connection's body is an object with `properties`")]
    Body,
}

impl Resources {
    /// Removes an event hub. Data connections that name it stay, as at ARM.
    pub fn remove_event_hub(&mut self, id: &str) -> Result<(), ChangeError> {
        let id = ResourceId::parse(id)?;
        if self.event_hub(&id).is_none() {
            return Err(UnknownName::new("event hub", id.as_str()).into());
        }
        for namespace in &mut self.namespaces {
            namespace
                .event_hubs
                .retain(|hub| namespace.id.child("eventhubs", &hub.name) != id);
        }
        Ok(())
    }

    /// Adds an event hub with these consumer groups besides `$Default` to an existing namespace.
    pub fn add_event_hub(&mut self, id: &str, consumer_groups: &[&str]) -> Result<(), ChangeError> {
        let id = ResourceId::parse(id)?;
        let parent = id
            .parent()
            .ok_or_else(|| ChangeError::WrongType(id.to_string(), "event hub"))?;
        let namespace = (self.namespaces.iter_mut().find(|n| n.id == parent))
            .ok_or_else(|| UnknownName::new("namespace", parent.as_str()))?;
        if !id.is_type("Microsoft.EventHub", &["namespaces", "eventhubs"]) {
            return Err(ChangeError::WrongType(id.to_string(), "event hub"));
        }
        if namespace
            .event_hubs
            .iter()
            .any(|h| h.name.eq_ignore_ascii_case(id.name()))
        {
            return Err(ChangeError::Exists("event hub", id.to_string()));
        }
        namespace.event_hubs.push(EventHub {
            name: id.name().to_owned(),
            consumer_groups: consumer_groups.iter().map(|&g| g.to_owned()).collect(),
            partitions: 4,
        });
        Ok(())
    }

    /// Adds a consumer group to an event hub.
    pub fn add_consumer_group(&mut self, hub: &str, group: &str) -> Result<(), ChangeError> {
        let hub = self.hub_mut(hub)?;
        if hub.consumer_group(group).is_some() {
            return Err(ChangeError::Exists("consumer group", group.to_owned()));
        }
        hub.consumer_groups.push(group.to_owned());
        Ok(())
    }

    /// Removes a consumer group from an event hub.
    pub fn remove_consumer_group(&mut self, hub: &str, group: &str) -> Result<(), ChangeError> {
        let groups = &mut self.hub_mut(hub)?.consumer_groups;
        let before = groups.len();
        groups.retain(|known| !known.eq_ignore_ascii_case(group));
        if groups.len() == before {
            return Err(UnknownName::new("consumer group", group).into());
        }
        Ok(())
    }

    fn hub_mut(&mut self, id: &str) -> Result<&mut EventHub, ChangeError> {
        let id = ResourceId::parse(id)?;
        let unknown = || UnknownName::new("event hub", id.as_str());
        let parent = id.parent().ok_or_else(unknown)?;
        let namespace = self.namespaces.iter_mut().find(|n| n.id == parent);
        let hubs = &mut namespace.ok_or_else(unknown)?.event_hubs;
        let found = hubs.iter_mut().find(|h| h.name.eq_ignore_ascii_case(id.name()));
        Ok(found.ok_or_else(unknown)?)
    }

    /// Adds a table with mappings to a database, or replaces the table of that name.
    pub fn set_table(&mut self, database: &str, table: &str, mappings: &[&str]) -> Result<(), ChangeError> {
        let mappings = mappings.iter().map(|&m| m.to_owned()).collect();
        let tables = self.tables(database)?;
        tables.retain(|t| t.name != table);
        tables.push(Table {
            name: table.to_owned(),
            mappings,
        });
        Ok(())
    }

    /// Drops a table.
    pub fn remove_table(&mut self, database: &str, table: &str) -> Result<(), ChangeError> {
        let tables = self.tables(database)?;
        let before = tables.len();
        tables.retain(|t| t.name != table);
        if tables.len() == before {
            return Err(UnknownName::new("table", table).into());
        }
        Ok(())
    }

    /// Adds an empty database to an existing cluster; one that is there stays as it is.
    pub fn add_database(&mut self, id: &str) -> Result<(), ChangeError> {
        let id = ResourceId::parse(id)?;
        if !id.is_type("Microsoft.Kusto", &["clusters", "databases"]) {
            return Err(ChangeError::WrongType(id.to_string(), "database"));
        }
        if self.database(&id).is_some() {
            return Ok(());
        }
        let parent = id.parent();
        let cluster = (self.clusters.iter_mut()).find(|cluster| parent.as_ref() == Some(&cluster.id));
        let unknown = || UnknownName::new("cluster", parent.as_ref().map_or("", |parent| parent.as_str()));
        cluster.ok_or_else(unknown)?.databases.push(Database {
            name: id.name().to_owned(),
            tables: Vec::new(),
        });
        Ok(())
    }

    /// Removes a database and its data connections.
    pub fn remove_database(&mut self, id: &str) -> Result<(), ChangeError> {
        let id = ResourceId::parse(id)?;
        self.tables(id.as_str())?;
        for cluster in &mut self.clusters {
            cluster
                .databases
                .retain(|database| cluster.id.child("databases", &database.name) != id);
        }
        self.data_connections.retain(|c| !c.id.is_within(&id));
        Ok(())
    }

    /// Puts a data connection there as someone else would have: no checks, no operation, at rest.
    /// The body is a PUT's: `location`, `kind`, `properties`; the first two may be left out.
    pub fn add_data_connection(
        &mut self,
        id: &str,
        body: &Value,
        now: DateTime<Utc>,
    ) -> Result<(), ChangeError> {
        let id = ResourceId::parse(id)?;
        if !id.is_type("Microsoft.Kusto", &["clusters", "databases", "dataConnections"]) {
            return Err(ChangeError::WrongType(id.to_string(), "data connection"));
        }
        let database = id.parent().filter(|database| self.database(database).is_some());
        if database.is_none() {
            let database = id
                .parent()
                .map_or_else(String::new, |database| database.to_string());
            return Err(UnknownName::new("database", &database).into());
        }
        let properties = body
            .get("properties")
            .and_then(Value::as_object)
            .ok_or(ChangeError::Body)?
            .clone();
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let location = text("location").unwrap_or(self.location_of(&id)).to_owned();
        let kind = text("kind").unwrap_or("EventHub").to_owned();
        let wanted = Wanted {
            kind,
            location,
            properties,
        };
        let keys = self.keys_for(&wanted);
        self.data_connections.retain(|c| c.id != id);
        self.data_connections
            .push(DataConnection::at_rest(id, wanted, "someone else", now, keys));
        Ok(())
    }

    /// Overwrites members of a data connection's properties; null removes one.
    pub fn set_data_connection_members(
        &mut self,
        id: &str,
        members: &Map<String, Value>,
    ) -> Result<(), ChangeError> {
        let id = ResourceId::parse(id)?;
        let connection = (self.data_connections.iter_mut().find(|c| c.id == id))
            .ok_or_else(|| UnknownName::new("data connection", id.as_str()))?;
        for (name, value) in members {
            if value.is_null() {
                connection.wanted.properties.remove(name);
            } else {
                connection.wanted.properties.insert(name.clone(), value.clone());
            }
        }
        Ok(())
    }

    /// Removes a data connection at once.
    pub fn remove_data_connection(&mut self, id: &str) -> Result<(), ChangeError> {
        let id = ResourceId::parse(id)?;
        if self.connection(&id).is_none() {
            return Err(UnknownName::new("data connection", id.as_str()).into());
        }
        self.data_connections.retain(|c| c.id != id);
        Ok(())
    }

    fn tables(&mut self, database: &str) -> Result<&mut Vec<Table>, ChangeError> {
        let id = ResourceId::parse(database)?;
        let unknown = || UnknownName::new("database", id.as_str());
        let parent = id.parent().ok_or_else(unknown)?;
        let cluster = self
            .clusters
            .iter_mut()
            .find(|c| c.id == parent)
            .ok_or_else(unknown)?;
        let found = cluster
            .databases
            .iter_mut()
            .find(|d| d.name.eq_ignore_ascii_case(id.name()));
        Ok(&mut found.ok_or_else(unknown)?.tables)
    }
}
