//! Does at the emulated Azure what a `fix` or `url` of a problem says, as the people it is for would.

use azure_emulator::how_to;
use http::Method;
use reqwest::{Certificate, Client, redirect};
use serde_json::{Value, json};

use crate::support::{App, Portal};

/// Where callers reach the services of these tests: of an address like this any port is registered.
pub(super) const PUBLIC_URL: &str = "http://localhost:8080/";

/// An administrator's browser and an operator's hands at the emulated Azure.
pub(super) struct Helper<'a> {
    app: &'a App,
    browser: Client,
}

impl<'a> Helper<'a> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a browser beside the service, not a client of its own"
    )]
    pub(super) fn of(app: &'a App) -> Self {
        let authority = Certificate::from_pem(app.emulator.ca_pem().as_bytes()).expect("the authority");
        let browser = Client::builder()
            .tls_certs_only([authority])
            .redirect(redirect::Policy::none())
            .build()
            .expect("a browser");
        Self { app, browser }
    }

    /// One change through the emulator's admin API.
    pub(super) async fn change(&self, change: Value) {
        let url = self
            .app
            .emulator
            .admin_url()
            .join("admin/changes")
            .expect("a URL");
        let answer = self.browser.post(url).json(&change).send().await;
        let answer = answer.expect("the emulator answers");
        assert!(
            answer.status().is_success(),
            "{change}: {:?}",
            answer.text().await
        );
    }

    /// Returns the role that a fix names, on the resource that it names.
    pub(super) async fn give_role(&self, fix: &str, principal: &str) {
        let (_, rest) = fix.split_once("give the user the role ").expect(fix);
        let (role, rest) = rest.split_once(" on the ").expect(fix);
        let (_, rest) = rest.split_once(' ').expect(fix);
        let (scope, _) = rest.split_once(" (tenant ").expect(fix);
        assert!(scope.starts_with("/subscriptions/"), "{fix}");
        self.change(json!({ "assignRole": { "principal": principal, "role": role, "scope": scope } }))
            .await;
    }

    /// Opens the link, consents with this account, and gives the page of the service that Entra leads back to.
    pub(super) async fn consent(&self, url: &str, account: &str) -> String {
        let back = self
            .answer_consent(url, &[("account", account), ("decision", "accept")])
            .await;
        let (answer, page) = self.service().text(&back).await;
        assert_eq!(answer.status, 200, "{page}");
        page
    }

    /// What the link shows.
    pub(super) async fn open(&self, url: &str) -> String {
        let shown = self.browser.get(url).send().await.expect("a page");
        shown.text().await.expect("a page")
    }

    /// Opens the link, answers its page, and gives the path and query that it leads back to.
    pub(super) async fn answer_consent(&self, url: &str, answers: &[(&str, &str)]) -> String {
        let location = self.decide(url, answers).await;
        let back = location.strip_prefix(PUBLIC_URL.trim_end_matches('/'));
        back.expect(&location).to_owned()
    }

    /// The same, wherever it leads.
    pub(super) async fn decide(&self, url: &str, answers: &[(&str, &str)]) -> String {
        let asked = self.browser.get(url).send().await.expect("a page");
        let (status, page) = (asked.status(), asked.text().await.expect("a page"));
        assert!(status.is_success(), "{url}: {page}");
        let answered = self
            .browser
            .post(url)
            .form(answers)
            .send()
            .await
            .expect("an answer");
        let location = answered
            .headers()
            .get("location")
            .map(|value| value.to_str().expect("text").to_owned());
        match location {
            Some(location) => location,
            None => panic!("{url}: {:?}", answered.text().await),
        }
    }

    /// The service, as anyone who is led to its page sees it.
    fn service(&self) -> Portal {
        self.app.portal()
    }
}

/// Who a role in this tenant is given to.
pub(super) fn account<'a>(tenant: &str, actor: &'a str, auxiliary: Option<&'a str>) -> &'a str {
    match auxiliary {
        Some(auxiliary) if tenant == how_to::DOMAIN2 => auxiliary,
        _ => actor,
    }
}

/// A create, removal or continuation, to be sent again and again.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

impl Request {
    pub(super) fn create(name: &str) -> Self {
        Self {
            method: Method::POST,
            path: "/v1/connections".to_owned(),
            body: Some(crate::support::request(name)),
        }
    }

    pub(super) async fn send(&self, portal: &Portal) -> crate::support::Answer {
        let call = portal
            .call(self.method.clone(), &self.path)
            .header("prefer", "wait=20");
        let call = match &self.body {
            Some(body) => call.json(body),
            None => call,
        };
        portal.send(call).await
    }
}
