//! The portal's part: an ordinary client of the service's API.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use url::Url;

/// A portal where two accounts are signed in.
pub(super) struct Portal {
    client: Client,
    base: Url,
    actor: String,
    auxiliary: String,
}

/// What the service answered.
pub(super) struct Answer {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) operation: Option<String>,
    pub(super) body: Value,
    pub(super) took: Duration,
}

impl Answer {
    pub(super) fn text(&self, pointer: &str) -> Option<String> {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    }
}

impl Portal {
    pub(super) fn new(base: Url, actor: String, auxiliary: String) -> Self {
        Self {
            client: Client::new(),
            base,
            actor,
            auxiliary,
        }
    }

    pub(super) async fn create(&self, request: &Value) -> anyhow::Result<Answer> {
        let auxiliary = format!("Bearer {}", self.auxiliary);
        let path = "/v1/connections";
        let call = self.client.post(self.base.join(path)?).json(request);
        self.send(
            "POST",
            path,
            call.header("x-ms-authorization-auxiliary", auxiliary),
        )
        .await
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send("GET", path, self.client.get(self.base.join(path)?))
            .await
    }

    pub(super) async fn remove(&self, id: &str) -> anyhow::Result<Answer> {
        let path = format!("/v1/connections/{id}");
        self.send("DELETE", &path, self.client.delete(self.base.join(&path)?))
            .await
    }

    /// Asks for an operation until it has ended, as often as the service says.
    pub(super) async fn follow(&self, operation: &str, patience: Duration) -> anyhow::Result<Answer> {
        let begun_at = Instant::now();
        loop {
            let answer = self.get(operation).await?;
            let status = answer.text("/status").context("an operation without a status")?;
            if matches!(status.as_str(), "succeeded" | "failed") {
                return Ok(answer);
            }
            anyhow::ensure!(
                begun_at.elapsed() < patience,
                "the operation did not end: {}",
                answer.body
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn send(&self, method: &'static str, path: &str, call: RequestBuilder) -> anyhow::Result<Answer> {
        let begun_at = Instant::now();
        let response = call
            .bearer_auth(&self.actor)
            .header("prefer", "wait=10")
            .send()
            .await?;
        let status = response.status().as_u16();
        let operation = response
            .headers()
            .get("operation-location")
            .and_then(|value| value.to_str().ok());
        let operation = operation.map(str::to_owned);
        let body = response
            .json()
            .await
            .with_context(|| format!("{method} {path} answered no JSON"))?;
        Ok(Answer {
            method,
            path: path.to_owned(),
            status,
            operation,
            body,
            took: begun_at.elapsed(),
        })
    }
}
