//! The cloud that a recording plays in, made from what it names: subscriptions, groups, clusters, databases, tables,
//! event hubs, storage accounts, and the data connections that must have been there before. Nothing here knows a particular id.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use azure_emulator::Seed;
use azure_emulator::resources::ResourceId;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::recording::{Exchange, Recording, Subject};

/// Who sends the requests.
pub(super) const USER: &str = "somebody@recorded.example";
pub(super) const APP: &str = "recorder";
pub(super) const TENANT: &str = "recorded.example";

/// Names as first written, by their lower case.
type Names<T> = BTreeMap<String, (String, T)>;

#[derive(Default)]
pub(super) struct Scene {
    /// Resource groups of subscriptions.
    subscriptions: Names<Names<()>>,
    /// Clusters by id; databases of each; tables and mappings of each.
    clusters: Names<Names<BTreeMap<String, BTreeSet<String>>>>,
    locations: BTreeMap<String, String>,
    /// Namespaces by id; event hubs of each; consumer groups of each.
    namespaces: Names<Names<BTreeSet<String>>>,
    /// Storage accounts by id.
    accounts: Names<()>,
    /// Data connections that the recording takes for granted.
    pub(super) granted: Vec<Granted>,
}

/// A data connection that is there without the recording having made it. It comes just before it is needed: what
/// stood when the recording began, nobody knows.
pub(super) struct Granted {
    /// Index of the exchange that needs it.
    pub(super) at: usize,
    pub(super) id: ResourceId,
    /// As for a PUT.
    pub(super) body: Value,
    /// It is only there to be in somebody's way, and goes before the next write.
    pub(super) passes: bool,
}

impl Scene {
    pub(super) fn of(recording: &Recording) -> Scene {
        let mut scene = Scene::default();
        for exchange in &recording.exchanges {
            let mut said = vec![
                exchange
                    .path
                    .split('?')
                    .next()
                    .unwrap_or_default()
                    .replace("%20", " "),
            ];
            texts(&exchange.body, &mut said);
            texts(&exchange.answer, &mut said);
            said.iter().for_each(|text| scene.note(text));
        }
        for exchange in &recording.exchanges {
            scene.note_location(exchange);
            if let Some(connection) = exchange.connection() {
                let outcome = recording.outcome(exchange);
                scene.note_target(&database_of(exchange), connection, &outcome);
                scene.note_source(connection);
            }
        }
        scene.note_connections(recording);
        scene
    }

    /// An id, or a path with one more word behind it.
    fn note(&mut self, text: &str) {
        let shorter = text.rsplit_once('/').map_or("", |(head, _)| head);
        let Ok(id) = ResourceId::parse(text).or_else(|_| ResourceId::parse(shorter)) else {
            let subscription = text
                .strip_prefix("/subscriptions/")
                .and_then(|rest| rest.split('/').next());
            if let Some(id) = subscription {
                named(&mut self.subscriptions, id);
            }
            return;
        };
        let groups = named(&mut self.subscriptions, id.subscription());
        if let Some(group) = id.resource_group() {
            named(groups, group);
        }
        let up = |wanted: usize| {
            let mut at = Some(id.clone());
            while let Some(id) = at.clone().filter(|id| id.names().len() > wanted) {
                at = id.parent();
            }
            at.filter(|id| id.names().len() == wanted)
        };
        let kind = id.resource_type().to_ascii_lowercase();
        if kind.starts_with("microsoft.kusto/clusters")
            && let Some(cluster) = up(1)
        {
            let databases = named(&mut self.clusters, cluster.as_str());
            if let Some(database) =
                up(2).filter(|id| id.is_type("Microsoft.Kusto", &["clusters", "databases"]))
            {
                named(databases, database.name());
            }
        }
        if kind == "microsoft.storage/storageaccounts" {
            named(&mut self.accounts, id.as_str());
        }
        if kind.starts_with("microsoft.eventhub/namespaces")
            && let Some(namespace) = up(1)
        {
            let hubs = named(&mut self.namespaces, namespace.as_str());
            if let Some(hub) =
                up(2).filter(|id| id.is_type("Microsoft.EventHub", &["namespaces", "eventhubs"]))
            {
                named(hubs, hub.name());
            }
        }
    }

    /// The cluster's region as Kusto spells it, where the recording shows it; else as the caller wrote it.
    fn note_location(&mut self, exchange: &Exchange) {
        let Some(cluster) = database_of(exchange).and_then(|database| database.parent()) else {
            return;
        };
        let shown = [
            exchange.answer.get("location"),
            exchange.answer.pointer("/value/0/location"),
        ];
        let url = exchange
            .headers
            .get("location")
            .or_else(|| exchange.headers.get("azure-asyncoperation"));
        let of_url = url.and_then(|url| url.split("/locations/").nth(1)?.split('/').next());
        let asked = exchange.body.get("location").and_then(Value::as_str);
        let candidates = shown
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .chain(of_url)
            .chain(asked);
        for candidate in candidates.map(|text| text.replace("%20", " ")) {
            let known = self.locations.entry(cluster.key().to_owned()).or_default();
            // The display name has spaces or capitals; a name of one small word is the caller's.
            if known.is_empty()
                || known
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            {
                *known = candidate;
            }
        }
    }

    /// Tables and mappings, unless the recording says that they are missing.
    fn note_target(&mut self, database: &Option<ResourceId>, connection: &Map<String, Value>, outcome: &str) {
        let text = |name: &str| {
            let value = connection.get("properties")?.get(name)?.as_str()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        let (Some(database), Some(table)) = (database, text("tableName")) else {
            return;
        };
        let Some(cluster) = database.parent() else { return };
        if outcome.contains("table does not exist") {
            return;
        }
        let databases = named(&mut self.clusters, cluster.as_str());
        let mappings = named(databases, database.name()).entry(table).or_default();
        if let Some(mapping) =
            text("mappingRuleName").filter(|_| !outcome.contains("mapping rule does not exist"))
        {
            mappings.insert(mapping);
        }
    }

    fn note_source(&mut self, connection: &Map<String, Value>) {
        let Some(properties) = connection.get("properties").and_then(Value::as_object) else {
            return;
        };
        let Some(group) = properties.get("consumerGroup").and_then(Value::as_str) else {
            return;
        };
        for id in properties
            .values()
            .filter_map(Value::as_str)
            .filter_map(|t| ResourceId::parse(t).ok())
        {
            let is_hub = id.is_type("Microsoft.EventHub", &["namespaces", "eventhubs"]);
            if let Some(namespace) = id.parent().filter(|_| is_hub) {
                let hubs = named(&mut self.namespaces, namespace.as_str());
                named(hubs, id.name()).insert(group.to_owned());
            }
        }
    }

    /// Whatever is read, changed or removed before it is made was there before.
    fn note_connections(&mut self, recording: &Recording) {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (at, exchange) in recording.exchanges.iter().enumerate() {
            match exchange.subject() {
                Subject::Connection(id) => {
                    let is_there = exchange.status < 300 && !matches!(exchange.status, 201 | 204);
                    if seen.insert(id.key().to_owned()) && is_there {
                        let body = body_of(recording, exchange, &id);
                        self.grant(at, id, body, false);
                    }
                }
                Subject::Connections(database) => {
                    let items = exchange.answer.get("value").and_then(Value::as_array);
                    for item in items.into_iter().flatten() {
                        let name = item["name"].as_str().and_then(|n| n.rsplit('/').next());
                        let id = database.child("dataConnections", name.unwrap_or_default());
                        if seen.insert(id.key().to_owned()) {
                            self.grant(at, id, at_rest(item), false);
                        }
                    }
                }
                Subject::Action(database, word) if word == "checknameavailability" => {
                    let name = exchange.body["name"].as_str().unwrap_or_default();
                    let id = database.child("dataConnections", name);
                    let is_taken = exchange.answer["reason"] == "AlreadyExists";
                    if is_taken && seen.insert(id.key().to_owned()) {
                        let body = body_of(recording, exchange, &id);
                        self.grant(at, id, body, false);
                    }
                }
                Subject::Action(database, _) if recording.outcome(exchange).contains("already used") => {
                    let holder = database.child("dataConnections", "the-one-that-has-it");
                    self.grant(at, holder, exchange.body["properties"].clone(), true);
                }
                _ => {}
            }
        }
    }

    fn grant(&mut self, at: usize, id: ResourceId, body: Value, passes: bool) {
        self.granted.push(Granted { at, id, body, passes });
    }

    fn write_sources(&self, toml: &mut String) {
        for (id, hubs) in self.namespaces.values() {
            writeln!(
                toml,
                "[[namespaces]]\nid = {id:?}\nlocation = \"Somewhere\"\nevent_hubs = ["
            )
            .unwrap();
            for (name, groups) in hubs.values() {
                let groups: Vec<&String> = groups
                    .iter()
                    .filter(|g| !g.eq_ignore_ascii_case("$Default"))
                    .collect();
                writeln!(toml, "    {{ name = {name:?}, consumer_groups = {groups:?} }},").unwrap();
            }
            toml.push_str("]\n");
        }
        for (id, ()) in self.accounts.values() {
            writeln!(
                toml,
                "[[storage_accounts]]\nid = {id:?}\nlocation = \"Somewhere\""
            )
            .unwrap();
        }
    }

    pub(super) fn seed(&self) -> Seed {
        let mut toml = format!(
            "[[tenants]]\nid = \"eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee\"\nname = \"Recorded\"\ndomains = [\"{TENANT}\"]\n\
             [[users]]\nupn = \"{USER}\"\nname = \"Somebody\"\noid = \"eeeeeeee-eeee-4eee-8eee-eeeeeeeeee01\"\n\
             [[apps]]\nname = \"{APP}\"\nclient_id = \"eeeeeeee-eeee-4eee-8eee-eeeeeeeeee02\"\ntenant = \"{TENANT}\"\n"
        );
        for (id, groups) in self.subscriptions.values() {
            let groups: Vec<String> = groups
                .values()
                .map(|(name, ())| format!("{{ name = {name:?}, location = \"Somewhere\" }}"))
                .collect();
            write!(
                toml,
                "[[subscriptions]]\nid = {id:?}\nname = \"Recorded\"\ntenant = \"{TENANT}\"\nresource_groups = [{}]\n\
                 [[role_assignments]]\nprincipal = \"{USER}\"\nrole = \"Owner\"\nscope = \"/subscriptions/{id}\"\n",
                groups.join(", ")
            )
            .unwrap();
        }
        for (key, (id, databases)) in &self.clusters {
            let location = self
                .locations
                .get(key)
                .filter(|l| !l.is_empty())
                .map_or("Somewhere", String::as_str);
            writeln!(
                toml,
                "[[clusters]]\nid = {id:?}\nlocation = {location:?}\ndatabases = ["
            )
            .unwrap();
            for (name, tables) in databases.values() {
                let table = |(name, mappings): (&String, &BTreeSet<String>)| {
                    let mappings: Vec<&String> = mappings.iter().collect();
                    format!("{{ name = {name:?}, mappings = {mappings:?} }}")
                };
                let tables: Vec<String> = tables.iter().map(table).collect();
                writeln!(
                    toml,
                    "    {{ name = {name:?}, tables = [{}] }},",
                    tables.join(", ")
                )
                .unwrap();
            }
            toml.push_str("]\n");
        }
        self.write_sources(&mut toml);
        let seed = Seed::from_toml(&toml);
        assert!(seed.is_ok(), "{toml}");
        seed.unwrap()
    }
}

/// What a name stands for, made if new.
fn named<'a, T: Default>(all: &'a mut Names<T>, name: &str) -> &'a mut T {
    let fresh = || (name.to_owned(), T::default());
    &mut all.entry(name.to_ascii_lowercase()).or_insert_with(fresh).1
}

fn database_of(exchange: &Exchange) -> Option<ResourceId> {
    match exchange.subject() {
        Subject::Connection(id) => id.parent(),
        Subject::Connections(id) | Subject::Action(id, _) => Some(id),
        Subject::Operation(..) | Subject::Other => None,
    }
}

/// A data connection as it stood before this exchange: as the answer shows it, else as a later request writes it.
fn body_of(recording: &Recording, first: &Exchange, id: &ResourceId) -> Value {
    if first.method == Method::GET {
        return at_rest(&first.answer);
    }
    let of_it = |e: &&Exchange| matches!(e.subject(), Subject::Connection(other) if other == *id);
    let same = recording.exchanges.iter().filter(of_it);
    let written = same.map(|exchange| &exchange.body).find(|body| body.is_object());
    written.cloned().unwrap_or_else(|| json!({ "properties": {} }))
}

fn at_rest(shown: &Value) -> Value {
    let mut properties = shown["properties"].as_object().cloned().unwrap_or_default();
    properties.remove("provisioningState");
    json!({ "kind": shown["kind"].as_str().unwrap_or("EventHub"), "properties": properties })
}

fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|value| texts(value, out)),
        Value::Object(members) => members.values().for_each(|value| texts(value, out)),
        _ => {}
    }
}
