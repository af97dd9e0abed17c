//! `POST /v1/operations/{id}/continue`: who may go on with an operation that waits, and what comes of it.

mod actors;
mod demanded;
mod others;
mod requester;
mod shown;

use azure_emulator::{Effect, Fault};
use serde_json::{Value, json};

use crate::support::{Answer, App, Portal, continue_operation, request};

/// A removal of acc1's that was sent without effect, and that waits for a caller since its replica was stopped.
struct Waiting {
    app: App,
    connection: String,
    operation: String,
    /// How often it was sent before.
    sent: usize,
}

/// A removal of acc1's whose request is lost, with its connection and operation; whatever is sent again is lost too.
async fn lost_removal() -> (App, String, String) {
    let app = App::hurried().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    let connection = created.text("/id").to_owned();
    let reset = Fault::arm("/dataConnections/", Effect::ResetBeforeEffect);
    app.emulator.inject(reset.method("DELETE").always());
    let removal = app.how_to_portal().remove_waiting(&connection, 0).await;
    let operation = removal.text("/lastOperation/id").to_owned();
    app.wait_for_calls("DELETE", "telemetry", 1).await;
    (app, connection, operation)
}

impl Waiting {
    async fn removal() -> Self {
        let (mut app, connection, operation) = lost_removal().await;
        app.stop_service().await;
        app.emulator.clear_faults();
        app.start_service().await;
        let sent = app.calls("DELETE", "telemetry").len();
        let waiting = Self {
            app,
            connection,
            operation,
            sent,
        };
        waiting.waits().await;
        waiting
    }

    /// Waits until the operation waits for a caller, and returns it as its connection shows it.
    async fn waits(&self) -> Value {
        let path = format!("/v1/connections/{}", self.connection);
        let portal = self.app.how_to_portal();
        let shown = portal
            .wait_for(&path, |body| body["lastOperation"]["status"] == "awaitingCaller")
            .await;
        shown.body["lastOperation"].clone()
    }

    async fn hash(&self) -> String {
        let shown = self.waits().await;
        shown["requestHash"].as_str().expect("a hash").to_owned()
    }

    async fn continue_operation(&self, portal: &Portal, body: Option<Value>) -> Answer {
        continue_operation(portal, &self.operation, body, 20).await
    }

    /// So many removals were sent since it waited.
    fn sent_since(&self) -> usize {
        self.app.calls("DELETE", "telemetry").len() - self.sent
    }

    /// The connection's events of a kind.
    async fn events(&self, kind: &str) -> Vec<Value> {
        let path = format!("/v1/connections/{}/events", self.connection);
        let answer = self.app.how_to_portal().get(&path).await;
        let events = answer.body["value"].as_array().expect("events");
        let fits = events.iter().filter(|event| event["kind"] == kind);
        fits.cloned().collect()
    }
}

fn naming(hash: &str) -> Option<Value> {
    Some(json!({ "requestHash": hash }))
}
