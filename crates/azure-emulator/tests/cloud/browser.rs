//! A browser that follows nothing by itself, and the requests that apps send people to the login host with.

use std::collections::HashMap;

use azure_emulator::how_to;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use url::Url;

use crate::support::{Cloud, Reply};

/// The scope of the service's API.
pub(crate) const API_SCOPE: &str = "api://a0000000-0000-4000-8000-000000000001/Connections.ReadWrite";
/// Where the portals are.
pub(crate) const REDIRECT: &str = "http://localhost:4711";

/// What the browser shows, or where it is sent.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<Url>,
    pub(crate) cookie: Option<String>,
    pub(crate) html: String,
}

impl Shown {
    /// The parameters that the app gets, from the query or the fragment.
    pub(crate) fn parameters(&self) -> HashMap<String, String> {
        assert!(self.location.is_some(), "{}", self.html);
        let location = self.location.as_ref().unwrap();
        let text = location.fragment().or(location.query()).unwrap_or_default();
        url::form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect()
    }

    pub(crate) fn parameter(&self, name: &str) -> String {
        self.parameters().remove(name).unwrap_or_default()
    }

    /// `error` and the number in `error_description`.
    pub(crate) fn error(&self) -> (String, u64) {
        (
            self.parameter("error"),
            code_in(&self.parameter("error_description")),
        )
    }

    /// The number that a page shows.
    pub(crate) fn shown_code(&self) -> u64 {
        assert!(self.location.is_none(), "{:?}", self.location);
        code_in(&self.html)
    }

    /// Where the page's form goes, with its hidden fields.
    pub(crate) fn form(&self) -> (String, Vec<(String, String)>) {
        let action = attribute(&self.html, "<form method=\"post\" action=\"");
        let fields = self
            .html
            .split("<input type=\"hidden\" ")
            .skip(1)
            .map(|field| (attribute(field, "name=\""), attribute(field, "value=\"")))
            .collect();
        (action, fields)
    }
}

fn attribute(html: &str, before: &str) -> String {
    let value = html.split_once(before).unwrap().1.split_once('"').unwrap().0;
    value
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

fn code_in(text: &str) -> u64 {
    let digits = text.split_once("AADSTS").map_or("", |(_, rest)| rest);
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

impl Cloud {
    fn browser(&self) -> Client {
        let ca = reqwest::Certificate::from_pem(self.emulator.ca_pem().as_bytes()).unwrap();
        let builder = Client::builder()
            .tls_certs_only([ca])
            .redirect(reqwest::redirect::Policy::none());
        builder.build().unwrap()
    }

    /// Opens a path of the login host, or posts a form to it, with a cookie.
    pub(crate) async fn visit(
        &self,
        path: &str,
        form: Option<&[(String, String)]>,
        cookie: Option<&str>,
    ) -> Shown {
        let url = self.emulator.entra_url().join(path).unwrap();
        let browser = self.browser();
        let mut request = match form {
            None => browser.get(url),
            Some(form) => browser.post(url).form(form),
        };
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let response = request.send().await.unwrap();
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        Shown {
            status: response.status(),
            location: header("location").map(|location| Url::parse(&location).unwrap()),
            cookie: header("set-cookie").map(|cookie| cookie.split(';').next().unwrap().to_owned()),
            html: response.text().await.unwrap(),
        }
    }

    /// An authorization request of the portal, with some parameters replaced or, when empty, left out, answered at
    /// once with these form fields.
    pub(crate) async fn authorize(
        &self,
        tenant: &str,
        changes: &[(&str, &str)],
        answers: &[(&str, &str)],
    ) -> Shown {
        let form: Vec<(String, String)> = owned(answers);
        self.visit(&authorize_path(tenant, changes), Some(&form), None)
            .await
    }

    /// A code for the user, of the request with these changes.
    pub(crate) async fn code(&self, user: &str, tenant: &str, changes: &[(&str, &str)]) -> String {
        let answers = [("account", user), ("method", "pwd"), ("decision", "accept")];
        let shown = self.authorize(tenant, changes, &answers).await;
        let code = shown.parameter("code");
        assert!(!code.is_empty(), "{:?}", shown.parameters());
        code
    }

    /// A request to the token endpoint, as the portal with its secret unless the fields say otherwise.
    pub(crate) async fn token(&self, tenant: &str, fields: &[(&str, &str)]) -> Reply {
        let mut form = vec![
            ("client_id", how_to::PORTAL),
            ("client_secret", "portal-secret-of-the-emulator"),
            ("redirect_uri", REDIRECT),
        ];
        form.retain(|(known, _)| !fields.iter().any(|(name, _)| name == known));
        form.extend(fields.iter().filter(|(_, value)| !value.is_empty()));
        let url = format!("{}{tenant}/oauth2/v2.0/token", self.emulator.entra_url());
        Reply::read(self.http.post(url).form(&form).send().await.unwrap()).await
    }

    /// Redeems a code.
    pub(crate) async fn redeem(&self, tenant: &str, code: &str, fields: &[(&str, &str)]) -> Reply {
        let mut all = vec![("grant_type", "authorization_code"), ("code", code)];
        all.extend(fields);
        self.token(tenant, &all).await
    }

    /// Redeems a refresh token.
    pub(crate) async fn refresh(&self, tenant: &str, token: &str, fields: &[(&str, &str)]) -> Reply {
        let mut all = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        all.extend(fields);
        self.token(tenant, &all).await
    }
}

/// The path of the portal's authorization request, with some parameters replaced or, when empty, left out.
pub(crate) fn authorize_path(tenant: &str, changes: &[(&str, &str)]) -> String {
    let scope = format!("{API_SCOPE} openid profile offline_access");
    let mut query = vec![
        ("client_id", how_to::PORTAL),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", &scope),
        ("state", "a&b"),
        ("nonce", "n1"),
    ];
    for &(name, value) in changes {
        query.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            query.push((name, value));
        }
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    format!("/{tenant}/oauth2/v2.0/authorize?{query}")
}

pub(crate) fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

/// A token's claims.
pub(crate) fn claims(token: &Value) -> Value {
    use base64::Engine as _;
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(part)
        .unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
