//! The problems that were provoked, and the calls that provoke them.

use std::collections::BTreeSet;

use azure_emulator::how_to;
use http::Method;
use reqwest::RequestBuilder;

use crate::support::{Answer, Portal, request};

const NOWHERE: &str = "01900000-0000-7000-8000-000000000001";

/// The paths of one connection.
pub(super) struct Calls {
    pub(super) connection: String,
    pub(super) events: String,
    pub(super) feed: String,
    pub(super) operation: String,
    /// Where an operation that waits for its requester goes on.
    pub(super) go_on: String,
}

impl Calls {
    pub(super) fn of(created: &Answer, waiting: &Answer) -> Self {
        let connection = format!("/v1/connections/{}", created.text("/id"));
        Self {
            events: format!("{connection}/events"),
            feed: format!("/v1/events?connection={}", created.text("/id")),
            operation: format!("/v1/operations/{}", created.text("/lastOperation/id")),
            connection,
            go_on: format!("/v1/operations/{}/continue", waiting.text("/lastOperation/id")),
        }
    }

    /// The operations that only look, each with a call that makes it look at ARM for a caller who is not in the record.
    fn reads<'a>(&'a self, portal: &'a Portal) -> impl Iterator<Item = (&'static str, RequestBuilder)> + 'a {
        let list = format!("/v1/connections?database={}", how_to::DATABASE);
        [
            ("listConnections", list),
            ("getConnection", self.connection.clone()),
            ("listConnectionEvents", self.events.clone()),
            ("listEvents", self.feed.clone()),
            ("getOperation", self.operation.clone()),
        ]
        .into_iter()
        .map(|(operation, path)| (operation, portal.call(Method::GET, &path)))
    }

    /// The operations that change something.
    fn writes<'a>(&'a self, portal: &'a Portal) -> impl Iterator<Item = (&'static str, RequestBuilder)> + 'a {
        let mut body = request("another");
        body["source"]["eventHub"]["consumerGroup"] = "cg1".into();
        let create = portal.call(Method::POST, "/v1/connections").json(&body);
        let remove = portal.call(Method::DELETE, &self.connection);
        let go_on = portal.call(Method::POST, &self.go_on);
        [
            ("createConnection", create),
            ("removeConnection", remove),
            ("continueOperation", go_on),
        ]
        .into_iter()
    }
}

/// Operation, status and code of each problem that came.
#[derive(Default)]
pub(super) struct Provoked(BTreeSet<(String, u16, String)>);

impl Provoked {
    pub(super) fn codes(&self) -> BTreeSet<(String, u16, String)> {
        self.0.clone()
    }

    #[track_caller]
    pub(super) fn one(&mut self, operation: &str, answer: &Answer, status: u16, code: &str) {
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (status, Some(code)),
            "{operation}: {}",
            answer.body
        );
        answer.is_problem(status, code);
        let seconds = answer.header("retry-after");
        assert_eq!(
            seconds.is_some(),
            matches!(status, 429 | 503) || code == "changeInProgress",
            "{operation}: {code}"
        );
        let for_now = matches!(status, 408 | 429 | 503) || code == "changeInProgress";
        assert_eq!(answer.body["retryable"], for_now, "{operation}: {code}");
        for header in ["ratelimit", "ratelimit-policy"] {
            let told = answer.header(header).is_some();
            assert_eq!(told, status == 429, "{operation}: {code}: {header}");
        }
        self.0.insert((operation.to_owned(), status, code.to_owned()));
    }

    pub(super) async fn reads(&mut self, calls: &Calls, portal: &Portal, status: u16, code: &str) {
        for (operation, call) in calls.reads(portal) {
            let answer = portal.send(call).await;
            self.one(operation, &answer, status, code);
        }
    }

    pub(super) async fn writes(&mut self, calls: &Calls, portal: &Portal, status: u16, code: &str) {
        for (operation, call) in calls.writes(portal) {
            let answer = portal.send(call).await;
            self.one(operation, &answer, status, code);
        }
    }

    pub(super) async fn all(&mut self, calls: &Calls, portal: &Portal, status: u16, code: &str) {
        self.reads(calls, portal, status, code).await;
        self.writes(calls, portal, status, code).await;
    }

    /// With a parameter that no operation has. What comes after tokens is looked at before anything that is there.
    pub(super) async fn with_unknown_parameter(&mut self, calls: &Calls, portal: &Portal) {
        for (operation, call) in calls.reads(portal).chain(calls.writes(portal)) {
            let answer = portal.send(call.query(&[("dryRun", "true")])).await;
            self.one(operation, &answer, 400, "invalidRequest");
        }
    }

    /// A change under a condition that can't be evaluated.
    pub(super) async fn under_a_condition(&mut self, calls: &Calls, portal: &Portal) {
        for (operation, call) in calls.writes(portal) {
            let call = call.header("if-unmodified-since", "Sat, 29 Oct 1994 19:43:31 GMT");
            let answer = portal.send(call).await;
            self.one(operation, &answer, 412, "preconditionFailed");
        }
    }

    /// What is not there.
    pub(super) async fn nowhere(&mut self, portal: &Portal) {
        let connection = format!("/v1/connections/{NOWHERE}");
        for (operation, method, path) in [
            ("getConnection", Method::GET, connection.clone()),
            ("removeConnection", Method::DELETE, connection.clone()),
            (
                "listConnectionEvents",
                Method::GET,
                format!("{connection}/events"),
            ),
            (
                "listEvents",
                Method::GET,
                format!("/v1/events?connection={NOWHERE}"),
            ),
            ("getOperation", Method::GET, format!("/v1/operations/{NOWHERE}")),
            (
                "continueOperation",
                Method::POST,
                format!("/v1/operations/{NOWHERE}/continue"),
            ),
        ] {
            let answer = portal.send(portal.call(method, &path)).await;
            self.one(operation, &answer, 404, "notFound");
        }
    }
}
