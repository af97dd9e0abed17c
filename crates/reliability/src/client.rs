//! A portal as the trials play it: an HTTP client of the service with somebody's tokens.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use http::{HeaderMap, Method};
use serde_json::Value;
use uuid::Uuid;

/// The longest wait for an answer.
const LONGEST: Duration = Duration::from_secs(40);

/// The problem codes of changes that were recorded and ended without effect.
pub(crate) const FAILED: [&str; 2] = ["createFailed", "removeFailed"];

/// A client of one replica. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
    auxiliary: Option<String>,
}

/// What the service answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its JSON; null if it is none.
    pub body: Value,
}

impl Answer {
    /// A text of the body; empty if there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whether the service took on what was asked for, even if it has failed by now.
    #[must_use]
    pub fn is_taken_on(&self) -> bool {
        (200..300).contains(&self.status) || self.has_failed()
    }

    /// Whether the change was recorded and ended without effect.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        FAILED.contains(&self.text("/code"))
    }

    /// The connection that is in the way of a create, and that the answer says to remove first.
    #[must_use]
    pub fn to_be_removed_first(&self) -> Option<&str> {
        if self.text("/cause") == "drifted" {
            return Some(self.connection());
        }
        let is_in_the_way = self.text("/code") == "connectionExists";
        let mut words = self.text("/detail").split_whitespace();
        words.find(|word| is_in_the_way && Uuid::try_parse(word).is_ok())
    }

    /// The id of the connection that the answer is about.
    #[must_use]
    pub fn connection(&self) -> &str {
        self.text(if self.has_failed() { "/connectionId" } else { "/id" })
    }

    /// The id of the operation that the answer is about.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.text(if self.has_failed() {
            "/operationId"
        } else {
            "/lastOperation/id"
        })
    }
}

impl Client {
    /// A client of the replica there, in the name of whose token it is.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    #[expect(
        clippy::disallowed_methods,
        reason = "a client of the service, not one of its own"
    )]
    pub fn new(address: SocketAddr, token: &str, auxiliary: Option<&str>) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(LONGEST)
            .no_proxy()
            .build()
            .context("no HTTP client")?;
        Ok(Self {
            http,
            base: format!("http://{address}"),
            token: token.to_owned(),
            auxiliary: auxiliary.map(|token| format!("Bearer {token}")),
        })
    }

    /// The same person at another replica.
    #[must_use]
    pub fn at(&self, address: SocketAddr) -> Self {
        Self {
            base: format!("http://{address}"),
            ..self.clone()
        }
    }

    /// The same person without the auxiliary token: a request that needs the target's tenant alone.
    #[must_use]
    pub fn alone(&self) -> Self {
        Self {
            auxiliary: None,
            ..self.clone()
        }
    }

    /// A call to be completed and sent with [`Client::send`].
    pub fn call(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let call = self.http.request(method, format!("{}{path}", self.base));
        let call = call.bearer_auth(&self.token);
        match &self.auxiliary {
            Some(tokens) => call.header("x-ms-authorization-auxiliary", tokens),
            None => call,
        }
    }

    /// Sends a call.
    ///
    /// # Errors
    /// When no answer came: the replica is dead, or hangs.
    pub async fn send(&self, call: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
        let response = call.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?;
        Ok(Answer {
            status,
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        })
    }

    /// Reads a path.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.call(Method::GET, path)).await
    }

    /// Creates a connection, waiting so many seconds for its end; with a key, repeatably.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn create(&self, request: &Value, wait: u32, key: Option<&str>) -> anyhow::Result<Answer> {
        let call = self.call(Method::POST, "/v1/connections").json(request);
        self.send(keyed(call, wait, key)).await
    }

    /// Removes a connection, waiting so many seconds for its end; with a key, repeatably.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn remove(&self, connection: &str, wait: u32, key: Option<&str>) -> anyhow::Result<Answer> {
        let call = self.call(Method::DELETE, &format!("/v1/connections/{connection}"));
        self.send(keyed(call, wait, key)).await
    }
}

fn keyed(call: reqwest::RequestBuilder, wait: u32, key: Option<&str>) -> reqwest::RequestBuilder {
    let call = call.header("prefer", format!("wait={wait}"));
    match key {
        Some(key) => call.header("idempotency-key", key),
        None => call,
    }
}
