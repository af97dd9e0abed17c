//! Sends a recording's requests and compares the answers. Operations end when the recording says so.

use azure_emulator::resources::{Failure, Operation, ResourceId};
use azure_emulator::{MintUserToken, Options, World};
use reqwest::Method;
use serde_json::Value;

use super::compare::{self, Names};
use super::recording::{Exchange, Recording, Subject};
use super::scene::{self, Granted, Scene};
use crate::support::{Cloud, Reply, start_seeded};

/// How it went.
pub(super) struct Played {
    pub(super) sent: usize,
    /// Polls of operations that started before the recording, or not at all.
    pub(super) left_out: usize,
    /// Requests that are not about data connections. They are not sent: what clusters and databases hold, for one, the
    /// scene can't arrange, and a loose comparison would hide what differs.
    pub(super) of_others: usize,
    pub(super) different: Vec<String>,
    /// What came back, in order.
    pub(super) answers: Vec<Reply>,
}

impl Played {
    pub(super) fn summary(&self) -> String {
        format!(
            "{} sent, {} polls of unknown operations left out, {} requests about other resources left out",
            self.sent, self.left_out, self.of_others
        )
    }

    /// Every difference; a recording of which nothing could be sent is one, too.
    pub(super) fn verdict(&self, name: &str) -> Vec<String> {
        let mut found = self.different.clone();
        if self.sent == 0 {
            found.push(format!("{name}: nothing was sent ({})", self.summary()));
        }
        found
    }
}

/// Causes of failures that the scene arranges; any other failure is ordered.
const ARRANGED: &[&str] = &[
    "table does not exist",
    "mapping rule does not exist",
    "already used",
];

pub(super) async fn play(recording: &Recording) -> Played {
    let scene = Scene::of(recording);
    let stage = Stage::set(scene).await;
    let mut names = Names::of(recording);
    let mut urls: Vec<(String, [String; 2])> = Vec::new();
    let mut played = Played {
        sent: 0,
        left_out: 0,
        of_others: 0,
        different: Vec::new(),
        answers: Vec::new(),
    };
    for (index, exchange) in recording.exchanges.iter().enumerate() {
        if exchange.subject() == Subject::Other {
            played.of_others += 1;
            continue;
        }
        stage.let_time_pass(exchange, &names);
        stage.grant(index, exchange);
        let here = match exchange.subject() {
            Subject::Operation(id, located) => {
                // Also an operation that had no URL here: what started it is in the list of differences then.
                let url = urls.iter().find(|(known, _)| *known == id);
                let Some(url) = url
                    .map(|(_, both)| &both[usize::from(located)])
                    .filter(|url| !url.is_empty())
                else {
                    played.left_out += 1;
                    continue;
                };
                stage.cloud.poll(&stage.token, url).await
            }
            _ => stage.send(exchange).await,
        };
        played.sent += 1;
        if let Some(old) = exchange.operation() {
            let async_url = here.header("azure-asyncoperation").to_owned();
            let new = Exchange::operation_of_url(&async_url).unwrap_or_default();
            names.operations.insert(old.clone(), new);
            // A PUT gives out one form; a client may know how the other one looks.
            urls.push((old, [async_url, here.header("location").to_owned()]));
        }
        let place = format!(
            "{} [{index}] {} {}",
            recording.name, exchange.method, exchange.path
        );
        let found = compare::compare(exchange, &here, &names);
        played
            .different
            .extend(found.into_iter().map(|what| format!("{place}\n    {what}")));
        played.answers.push(here);
    }
    stage.cloud.emulator.stop().await;
    played
}

struct Stage {
    cloud: Cloud,
    token: String,
    granted: Vec<Granted>,
}

impl Stage {
    async fn set(scene: Scene) -> Stage {
        let options = Options {
            operation_duration: std::time::Duration::from_secs(24 * 3600),
            ..Options::default()
        };
        let cloud = start_seeded(scene.seed(), options).await;
        let request = MintUserToken {
            user: scene::USER.to_owned(),
            tenant: scene::TENANT.to_owned(),
            client_app: scene::APP.to_owned(),
            api: "azure-resource-manager".to_owned(),
            scopes: vec!["user_impersonation".to_owned()],
            ..MintUserToken::default()
        };
        let token = cloud.emulator.mint_user_token(&request).unwrap();
        let granted = scene.granted;
        Stage {
            cloud,
            token,
            granted,
        }
    }

    /// Puts there what this exchange takes for granted, and takes away what was only in the way of an earlier one.
    fn grant(&self, index: usize, exchange: &Exchange) {
        let is_write = matches!(exchange.method, Method::PUT | Method::PATCH);
        self.cloud.emulator.edit(|world| {
            for granted in &self.granted {
                let id = granted.id.as_str();
                if granted.at == index {
                    let is_held = granted.passes && holds(world, &granted.body);
                    if !is_held {
                        world.add_data_connection(id, &granted.body).unwrap();
                    }
                } else if granted.passes
                    && granted.at < index
                    && is_write
                    && world.data_connection(id).is_some()
                {
                    world.remove_data_connection(id).unwrap();
                }
            }
        });
    }

    async fn send(&self, exchange: &Exchange) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let body = Some(&exchange.body).filter(|body| !body.is_null());
        let headers = [("authorization", bearer.as_str())];
        let path = exchange.path.replace(' ', "%20");
        self.cloud
            .arm(exchange.method.clone(), &path, &headers, body)
            .await
    }

    /// Ends those operations that the recorded answer shows to be over.
    fn let_time_pass(&self, exchange: &Exchange, names: &Names) {
        let runs = |state: &Value| {
            let word = state.as_str().unwrap_or_default();
            ["Creating", "Deleting", "Running", "Accepted", "Moving"].contains(&word)
        };
        match exchange.subject() {
            Subject::Operation(old, _) => {
                let is_running = exchange.status == 202 || runs(&exchange.answer["status"]);
                if let Some(id) = names.operations.get(&old).filter(|_| !is_running) {
                    self.finish(exchange, |operation| operation.id == *id);
                }
            }
            Subject::Connection(id) => {
                let is_running = runs(&exchange.answer["properties"]["provisioningState"]);
                if exchange.method != Method::GET || !is_running {
                    self.finish(exchange, |operation| operation.connection == id);
                }
            }
            Subject::Connections(database) => {
                let all = exchange.answer["value"].as_array().cloned().unwrap_or_default();
                let resting = all
                    .iter()
                    .filter(|item| !runs(&item["properties"]["provisioningState"]));
                let resting: Vec<ResourceId> = resting
                    .filter_map(|item| ResourceId::parse(item["id"].as_str()?).ok())
                    .collect();
                let shown = |id: &ResourceId| {
                    all.iter().any(|item| {
                        item["id"]
                            .as_str()
                            .is_some_and(|t| ResourceId::parse(t).as_ref() == Ok(id))
                    })
                };
                self.finish(exchange, |operation| {
                    operation.connection.is_within(&database)
                        && (resting.contains(&operation.connection) || !shown(&operation.connection))
                });
            }
            Subject::Action(..) | Subject::Other => {}
        }
    }

    fn finish(&self, exchange: &Exchange, which: impl Fn(&Operation) -> bool) {
        let error = &exchange.answer["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let (code, message) = (text("code"), text("message"));
        let is_arranged = ARRANGED.iter().any(|cause| message.contains(cause));
        self.cloud.emulator.edit(|world| {
            if exchange.answer["status"] == "Failed" && !is_arranged {
                world.fail_operations(&Failure { code, message }, which);
            } else {
                world.finish_operations(which);
            }
        });
    }
}

/// Whether some data connection has the body's event hub and consumer group already.
fn holds(world: &World, body: &Value) -> bool {
    let both = |body: &Value| {
        let text = |name: &str| body["properties"][name].as_str().map(str::to_ascii_lowercase);
        (text("eventHubResourceId"), text("consumerGroup"))
    };
    let ids = world.data_connection_ids();
    ids.iter()
        .filter_map(|id| world.data_connection(id))
        .any(|shown| both(&shown) == both(body))
}

impl Exchange {
    fn operation_of_url(url: &str) -> Option<String> {
        let path = url.split('?').next()?;
        path.rsplit_once("/operationResults/")
            .map(|(_, id)| id.to_owned())
    }
}
