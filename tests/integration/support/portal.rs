//! A portal: an ordinary HTTP client of the service.

use std::net::SocketAddr;

use reqwest::{Client, ClientBuilder, Method, RequestBuilder};
use serde_json::{Value, json};

use super::eventually;

/// A client with the tokens it sends.
#[derive(Clone)]
pub(crate) struct Portal {
    client: Client,
    base: String,
    token: Option<String>,
    auxiliary: Option<String>,
    key: Option<String>,
}

/// What the service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn text(&self, pointer: &str) -> &str {
        let value = self.body.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("{pointer} is no text in {}", self.body))
    }

    /// The connection that the answer is about, also if it is the problem of a change that failed.
    pub(crate) fn connection(&self) -> &str {
        self.text(if self.body.get("connectionId").is_some() {
            "/connectionId"
        } else {
            "/id"
        })
    }

    /// The operation that the answer is about, also if it is the problem of a change that failed.
    pub(crate) fn operation(&self) -> &str {
        let problem = self.body.get("operationId").is_some();
        self.text(if problem {
            "/operationId"
        } else {
            "/lastOperation/id"
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The answer is this problem, complete as every problem must be.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> &Self {
        assert_eq!(
            (self.status, &self.body["code"]),
            (status, &Value::from(code)),
            "{}",
            self.body
        );
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.header("x-ms-error-code"), Some(code));
        assert_eq!(self.body["status"], status);
        assert_eq!(self.header("x-request-id"), self.body["requestId"].as_str());
        assert_eq!(
            self.text("/type"),
            format!("urn:problem-type:tenant-bridge:{code}")
        );
        assert!(!self.text("/title").is_empty() && !self.text("/detail").is_empty());
        self
    }
}

/// The service speaks plain HTTP here: to read the machine's certificates for each portal would be most of its cost.
fn plain(client: ClientBuilder) -> Client {
    client.tls_certs_only([]).build().expect("a client")
}

impl Portal {
    #[expect(
        clippy::disallowed_methods,
        reason = "a client of the service, not one of its own"
    )]
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            client: plain(Client::builder()),
            base: format!("http://{address}"),
            token: None,
            auxiliary: None,
            key: None,
        }
    }

    /// The same portal at another replica.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self {
            base: format!("http://{address}"),
            ..self.clone()
        }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same portal, which goes nowhere by itself.
    #[expect(
        clippy::disallowed_methods,
        reason = "a client of the service, not one of its own"
    )]
    pub(crate) fn without_redirects(&self) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            client: plain(client),
            ..self.clone()
        }
    }

    /// Tokens as they stand in the header: `a` or `a, Bearer b`.
    pub(crate) fn with_auxiliary(&self, tokens: &str) -> Self {
        Self {
            auxiliary: Some(format!("Bearer {tokens}")),
            ..self.clone()
        }
    }

    pub(crate) fn without_auxiliary(&self) -> Self {
        Self {
            auxiliary: None,
            ..self.clone()
        }
    }

    /// Sends this `Idempotency-Key`.
    pub(crate) fn keyed(&self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self.clone()
        }
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let mut call = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            call = call.bearer_auth(token);
        }
        if let Some(tokens) = &self.auxiliary {
            call = call.header("x-ms-authorization-auxiliary", tokens);
        }
        if let Some(key) = &self.key {
            call = call.header("idempotency-key", key);
        }
        call
    }

    pub(crate) async fn send(&self, call: RequestBuilder) -> Answer {
        self.send_for_bytes(call).await.0
    }

    /// What is no JSON, too.
    pub(crate) async fn text(&self, path: &str) -> (Answer, String) {
        self.send_for_text(self.call(Method::GET, path)).await
    }

    pub(crate) async fn send_for_text(&self, call: RequestBuilder) -> (Answer, String) {
        let (answer, bytes) = self.send_for_bytes(call).await;
        (answer, String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn send_for_bytes(&self, call: RequestBuilder) -> (Answer, Vec<u8>) {
        let response = call.send().await.expect("the service answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let answer = Answer {
            status,
            headers,
            body,
        };
        (answer, bytes.into())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.call(Method::GET, path)).await
    }

    /// Creates and waits for the end, as far as the service lets one wait.
    pub(crate) async fn create(&self, request: &Value) -> Answer {
        self.create_waiting(request, 20).await
    }

    /// Creates and waits so many seconds.
    pub(crate) async fn create_waiting(&self, request: &Value, seconds: u32) -> Answer {
        let call = self
            .call(Method::POST, "/v1/connections")
            .header("prefer", format!("wait={seconds}"));
        self.send(call.json(request)).await
    }

    pub(crate) async fn connection(&self, id: &str) -> Answer {
        self.get(&format!("/v1/connections/{id}")).await
    }

    pub(crate) async fn remove(&self, id: &str) -> Answer {
        self.remove_waiting(id, 20).await
    }

    pub(crate) async fn remove_waiting(&self, id: &str, seconds: u32) -> Answer {
        let call = self.call(Method::DELETE, &format!("/v1/connections/{id}"));
        self.send(call.header("prefer", format!("wait={seconds}"))).await
    }

    /// The kinds of all of a connection's events, in order, from every page.
    pub(crate) async fn event_kinds(&self, id: &str) -> Vec<String> {
        let mut kinds = Vec::new();
        let mut next = Some(format!("/v1/connections/{id}/events"));
        while let Some(path) = next {
            let answer = self.get(&path).await;
            let events = answer.body["value"].as_array().expect("events");
            let kind = |event: &Value| event["kind"].as_str().unwrap_or_default().to_owned();
            kinds.extend(events.iter().map(kind));
            next = answer.body["nextLink"].as_str().map(str::to_owned);
        }
        kinds
    }

    /// Asks for the operation until it has ended.
    pub(crate) async fn follow(&self, operation: &str) -> Answer {
        self.wait_for(&format!("/v1/operations/{operation}"), |body| {
            matches!(body["status"].as_str(), Some("succeeded" | "failed"))
        })
        .await
    }

    /// Follows the operation to its end, and continues it in this user's name whenever it waits for a caller.
    pub(crate) async fn continue_to_end(&self, operation: &str) -> Answer {
        let path = format!("/v1/operations/{operation}");
        let ended = eventually(async || {
            let answer = self.get(&path).await;
            match answer.body["status"].as_str() {
                Some("succeeded" | "failed") => return Some(answer),
                Some("awaitingCaller") => {
                    let hash = json!({ "requestHash": answer.body["requestHash"] });
                    let continued = continue_operation(self, operation, Some(hash), 0).await;
                    assert!([200, 202].contains(&continued.status), "{}", continued.body);
                }
                _ => {}
            }
            None
        });
        match ended.await {
            Some(answer) => answer,
            None => panic!("{path} did not end: {}", self.get(&path).await.body),
        }
    }

    /// Asks for a path until its body is as wanted.
    pub(crate) async fn wait_for(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Answer {
        let found =
            eventually(async || Some(self.get(path).await).filter(|answer| wanted(&answer.body))).await;
        match found {
            Some(answer) => answer,
            None => panic!("{path} did not become as wanted: {}", self.get(path).await.body),
        }
    }

    /// Asks for a create until it is done at once. Meanwhile its answer may have one of these statuses, and no other.
    pub(crate) async fn create_at_last(&self, wanted: &Value, meanwhile: &[u16]) -> Answer {
        let done = eventually(async || {
            let answer = self.create(wanted).await;
            if matches!(answer.status, 200 | 201) {
                return Some(answer);
            }
            assert!(meanwhile.contains(&answer.status), "{}", answer.body);
            None
        });
        done.await.expect("it is done at last")
    }
}

/// Continues an operation, and waits for its end so many seconds.
pub(crate) async fn continue_operation(
    portal: &Portal,
    operation: &str,
    body: Option<Value>,
    seconds: u32,
) -> Answer {
    let path = format!("/v1/operations/{operation}/continue");
    let call = portal
        .call(Method::POST, &path)
        .header("prefer", format!("wait={seconds}"));
    let call = match body {
        Some(body) => call.json(&body),
        None => call,
    };
    portal.send(call).await
}
