//! A running emulator and the calls that tests make of it.

use std::time::Duration;

use azure_emulator::{Emulator, MintUserToken, Options, Seed, TokenOverrides, how_to};
use reqwest::{Certificate, Client, Method, StatusCode};
use serde_json::{Value, json};

/// ARM's scope as SDKs write it.
pub(crate) const ARM_SCOPE: &str = "https://management.azure.com/.default";

pub(crate) struct Cloud {
    pub(crate) emulator: Emulator,
    pub(crate) http: Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    pub(crate) async fn read(response: reqwest::Response) -> Reply {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null);
        Reply {
            status,
            headers,
            body,
        }
    }
}

/// Operations end when a test says so, however slow the machine is.
pub(crate) async fn start() -> Cloud {
    let operation_duration = Duration::from_secs(30);
    let options = Options {
        operation_duration,
        ..Options::default()
    };
    start_with(options).await
}

pub(crate) async fn start_with(options: Options) -> Cloud {
    start_seeded(Seed::how_to(), options).await
}

pub(crate) async fn start_seeded(seed: Seed, options: Options) -> Cloud {
    let emulator = Emulator::start(seed, options).await.unwrap();
    let ca = Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
    let http = Client::builder()
        .tls_certs_only([ca])
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    Cloud { emulator, http }
}

impl Cloud {
    /// A user token for the API, of the portal.
    pub(crate) fn mint(&self, user: &str, tenant: &str) -> String {
        self.mint_wrong(user, tenant, TokenOverrides::default())
    }

    pub(crate) fn mint_wrong(&self, user: &str, tenant: &str, overrides: TokenOverrides) -> String {
        let request = MintUserToken {
            user: user.to_owned(),
            tenant: tenant.to_owned(),
            client_app: "portal".to_owned(),
            api: "tenant-bridge".to_owned(),
            scopes: vec!["Connections.ReadWrite".to_owned()],
            overrides,
            ..MintUserToken::default()
        };
        self.emulator.mint_user_token(&request).unwrap()
    }

    /// An ARM token without an exchange, wrong in a chosen way.
    pub(crate) fn mint_arm(&self, user: &str, tenant: &str, overrides: TokenOverrides) -> String {
        let request = MintUserToken {
            user: user.to_owned(),
            tenant: tenant.to_owned(),
            client_app: "tenant-bridge".to_owned(),
            api: "azure-resource-manager".to_owned(),
            scopes: vec!["user_impersonation".to_owned()],
            overrides,
            ..MintUserToken::default()
        };
        self.emulator.mint_user_token(&request).unwrap()
    }

    /// An ARM token of the API's own app in the tenant.
    pub(crate) async fn app_token(&self, tenant: &str) -> String {
        let changes = [("grant_type", "client_credentials")];
        let reply = self.exchange_with(tenant, "", &changes).await;
        assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
        reply.body["access_token"].as_str().unwrap().to_owned()
    }

    /// An on-behalf-of request at a tenant's endpoint, with some fields replaced or, when empty, left out.
    pub(crate) async fn exchange_with(
        &self,
        tenant: &str,
        assertion: &str,
        changes: &[(&str, &str)],
    ) -> Reply {
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("client_id", how_to::TENANT_BRIDGE),
            ("client_secret", how_to::TENANT_BRIDGE_SECRET),
            ("assertion", assertion),
            ("scope", ARM_SCOPE),
            ("requested_token_use", "on_behalf_of"),
        ];
        for &(name, value) in changes {
            form.retain(|(known, _)| *known != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        let url = format!("{}{tenant}/oauth2/v2.0/token", self.emulator.entra_url());
        Reply::read(self.http.post(url).form(&form).send().await.unwrap()).await
    }

    pub(crate) async fn exchange(&self, tenant: &str, assertion: &str) -> Reply {
        self.exchange_with(tenant, assertion, &[]).await
    }

    /// An ARM token of the user in the tenant, got the honest way.
    pub(crate) async fn arm_token(&self, user: &str, tenant: &str) -> String {
        let home = user.split_once('@').unwrap().1;
        let reply = self.exchange(tenant, &self.mint(user, home)).await;
        assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
        reply.body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn entra(&self, path: &str) -> Reply {
        let url = format!("{}{path}", self.emulator.entra_url());
        Reply::read(self.http.get(url).send().await.unwrap()).await
    }

    /// A call to ARM with a path that starts with a slash.
    pub(crate) async fn arm(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let base = self.emulator.arm_url().as_str().trim_end_matches('/');
        let mut request = self.http.request(method, format!("{base}{path}"));
        for &(name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Reply::read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Reply {
        self.arm(
            Method::GET,
            path,
            &[("authorization", &format!("Bearer {token}"))],
            None,
        )
        .await
    }

    /// A call to ARM with one token and perhaps a body.
    pub(crate) async fn send(&self, method: Method, token: &str, path: &str, body: Option<&Value>) -> Reply {
        let token = format!("Bearer {token}");
        self.arm(method, path, &[("authorization", &token)], body).await
    }

    /// PUT of a data connection with the primary token and auxiliary ones.
    pub(crate) async fn put(&self, token: &str, auxiliary: &[&str], path: &str, body: &Value) -> Reply {
        let auxiliary = auxiliary
            .iter()
            .map(|token| format!("Bearer {token}"))
            .collect::<Vec<_>>()
            .join(", ");
        let primary = format!("Bearer {token}");
        let mut headers = vec![("authorization", primary.as_str())];
        if !auxiliary.is_empty() {
            headers.push(("x-ms-authorization-auxiliary", &auxiliary));
        }
        self.arm(Method::PUT, path, &headers, Some(body)).await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Reply {
        self.arm(
            Method::DELETE,
            path,
            &[("authorization", &format!("Bearer {token}"))],
            None,
        )
        .await
    }

    /// Polls an operation URL as it was given, spaces repaired.
    pub(crate) async fn poll(&self, token: &str, url: &str) -> Reply {
        let request = self.http.get(url.replace(' ', "%20")).bearer_auth(token);
        Reply::read(request.send().await.unwrap()).await
    }

    /// Moves the clock past the end of every running operation.
    pub(crate) fn finish_operations(&self) {
        self.emulator.clock().advance(Duration::from_secs(60));
    }
}

/// The data connection's path in the database `telemetry`.
pub(crate) fn connection(name: &str) -> String {
    connection_at(name, "2024-04-13")
}

pub(crate) fn connection_at(name: &str, api_version: &str) -> String {
    format!(
        "{}/dataConnections/{name}?api-version={api_version}",
        how_to::DATABASE
    )
}

/// A PUT body for an event hub and consumer group.
pub(crate) fn event_hub_body(hub: &str, group: &str) -> Value {
    json!({
        "location": "West Europe",
        "kind": "EventHub",
        "properties": { "eventHubResourceId": hub, "consumerGroup": group, "tableName": "Events",
            "mappingRuleName": "EventsMapping", "dataFormat": "JSON" },
    })
}
