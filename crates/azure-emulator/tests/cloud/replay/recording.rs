//! A recording: requests and what came back.

use std::collections::BTreeMap;

use azure_emulator::resources::ResourceId;
use reqwest::Method;
use serde_json::{Map, Value};

pub(super) struct Recording {
    pub(super) name: String,
    pub(super) exchanges: Vec<Exchange>,
}

/// One request and its answer.
pub(super) struct Exchange {
    pub(super) method: Method,
    /// Path and query without the host, as recorded.
    pub(super) path: String,
    /// Null when there was none.
    pub(super) body: Value,
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    /// Null when there was none.
    pub(super) answer: Value,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subject {
    Connection(ResourceId),
    /// A list of a database's data connections.
    Connections(ResourceId),
    /// An action on a database.
    Action(ResourceId, String),
    /// A poll: the operation's id, and whether in the `Location` form.
    Operation(String, bool),
    /// Anything that is not about data connections: clusters, databases, other providers.
    Other,
}

impl Recording {
    pub(super) fn parse(name: &str, exchanges: &[Value]) -> Recording {
        Recording {
            name: name.to_owned(),
            exchanges: exchanges.iter().map(Exchange::parse).collect(),
        }
    }

    /// Everything that was said in the end about what this exchange started: its answer and those of its polls.
    pub(super) fn outcome(&self, exchange: &Exchange) -> String {
        let mut said = exchange.answer.to_string();
        let Some(operation) = exchange.operation() else {
            return said;
        };
        for poll in &self.exchanges {
            if matches!(poll.subject(), Subject::Operation(id, _) if id == operation) {
                said.push_str(&poll.answer.to_string());
            }
        }
        said
    }
}

impl Exchange {
    fn parse(value: &Value) -> Exchange {
        let (request, response) = (&value["request"], &value["response"]);
        let uri = request["uri"].as_str().unwrap();
        let (_, rest) = uri.split_once("://").unwrap_or(("", uri));
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        let headers = response["headers"].as_object().cloned().unwrap_or_default();
        let text = |value: &Value| match value {
            Value::Array(all) => all.first().and_then(Value::as_str).map(str::to_owned),
            other => other.as_str().map(str::to_owned),
        };
        Exchange {
            method: request["method"].as_str().unwrap().parse().unwrap(),
            path: format!("/{path}"),
            body: body(&request["body"]),
            status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
            headers: headers
                .iter()
                .filter_map(|(name, value)| Some((name.to_ascii_lowercase(), text(value)?)))
                .collect(),
            answer: body(&response["body"]),
        }
    }

    /// The operation that the answer started.
    pub(super) fn operation(&self) -> Option<String> {
        let url = self
            .headers
            .get("azure-asyncoperation")
            .or_else(|| self.headers.get("location"))?;
        operation_of(url.split('?').next().unwrap_or_default())
    }

    pub(super) fn subject(&self) -> Subject {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let path = path.replace("%20", " ").replace("%24", "$");
        if let Some(id) = operation_of(&path) {
            let located = query
                .to_ascii_lowercase()
                .contains("operationresultresponsetype=location");
            return Subject::Operation(id, located);
        }
        let database = |id: &ResourceId| id.is_type("Microsoft.Kusto", &["clusters", "databases"]);
        if let Ok(id) = ResourceId::parse(&path) {
            let types = ["clusters", "databases", "dataConnections"];
            return if id.is_type("Microsoft.Kusto", &types) {
                Subject::Connection(id)
            } else {
                Subject::Other
            };
        }
        let Some((owner, word)) = path.trim_end_matches('/').rsplit_once('/') else {
            return Subject::Other;
        };
        match ResourceId::parse(owner) {
            Ok(id) if database(&id) && word.eq_ignore_ascii_case("dataConnections") => {
                Subject::Connections(id)
            }
            Ok(id) if database(&id) => Subject::Action(id, word.to_ascii_lowercase()),
            _ => Subject::Other,
        }
    }

    /// The data connection's own members in the request, which a validation nests.
    pub(super) fn connection(&self) -> Option<&Map<String, Value>> {
        match self.subject() {
            Subject::Action(_, word) if word == "dataconnectionvalidation" => {
                self.body.get("properties")?.as_object()
            }
            Subject::Connection(_) => self.body.as_object(),
            _ => None,
        }
    }
}

/// A body that was kept as text is read.
fn body(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        None => value.clone(),
    }
}

fn operation_of(path: &str) -> Option<String> {
    let (_, rest) = path
        .to_ascii_lowercase()
        .split_once("/operationresults/")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))?;
    Some(rest.split('/').next().unwrap_or_default().to_owned())
}
