//! The calls that are made, four at a time over kept-alive connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use azure_emulator::how_to;
use serde_json::{Value, json};

use crate::process::Process;

const API: &str = how_to::TENANT_BRIDGE;
const ARM_SCOPE: &str = "https://management.azure.com/.default";
const VERSION: &str = "2025-02-14";
const AT_A_TIME: usize = 4;
/// People's tokens that are exchanged in turn: Entra takes the fifteenth exchange of one within minutes for a loop.
const USER_TOKENS: usize = 200;

/// What is called.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A user's token for one of ARM.
    OnBehalfOf,
    /// An app's token for ARM.
    ClientCredentials,
    /// GET of a data connection.
    Connection,
    /// The same with a token of a second tenant.
    ConnectionWithAuxiliary,
    /// The list of a database's data connections.
    Connections,
    /// A subscription without a token: 401.
    Challenge,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::OnBehalfOf => "token exchange: on-behalf-of",
            Kind::ClientCredentials => "token exchange: client credentials",
            Kind::Connection => "ARM read: a data connection",
            Kind::ConnectionWithAuxiliary => "ARM read: the same, with an auxiliary token",
            Kind::Connections => "ARM read: list of data connections",
            Kind::Challenge => "ARM refusal: no token",
        }
    }
}

/// A client with everything at hand that the calls need.
pub(crate) struct Client {
    http: reqwest::Client,
    token_url: String,
    connections_url: String,
    connection_url: String,
    subscription_url: String,
    user_tokens: Vec<String>,
    turn: AtomicUsize,
    arm_token: String,
    auxiliary: String,
}

/// HTTP/1.1 over TLS, as Microsoft's libraries for Python speak. Whose certificate it is makes no difference here.
pub(crate) fn transport() -> anyhow::Result<reqwest::Client> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder()
        .danger_accept_invalid_certs(true)
        .no_proxy()
        .http1_only()
        .timeout(Duration::from_secs(30));
    Ok(client.build()?)
}

/// A token of acc3@domain1.com, who is a guest in domain2.com, for the service's API.
pub(crate) async fn user_token(http: &reqwest::Client, process: &Process) -> anyhow::Result<String> {
    let body = json!({
        "user": "acc3@domain1.com", "tenant": "domain1.com", "app": "portal", "api": "tenant-bridge",
        "scopes": ["Connections.ReadWrite"],
    });
    let url = format!("{}/admin/token", process.admin);
    let answer = http.post(url).json(&body).send().await?.error_for_status()?;
    text(&answer.json().await?, "accessToken")
}

impl Client {
    /// Exchanges tokens and makes the data connection that is read.
    pub(crate) async fn new(process: &Process) -> anyhow::Result<Client> {
        let http = transport()?;
        let mut user_tokens = Vec::with_capacity(USER_TOKENS);
        for _ in 0..USER_TOKENS {
            user_tokens.push(user_token(&http, process).await?);
        }
        let connections_url = format!("{}{}/dataConnections", process.arm, how_to::DATABASE);
        let mut client = Client {
            token_url: format!("{}/domain1.com/oauth2/v2.0/token", process.entra),
            connection_url: format!("{connections_url}/events?api-version={VERSION}"),
            connections_url: format!("{connections_url}?api-version={VERSION}"),
            subscription_url: format!(
                "{}/subscriptions/{}?api-version=2022-12-01",
                process.arm,
                how_to::SUBSCRIPTION1
            ),
            user_tokens,
            turn: AtomicUsize::new(0),
            arm_token: String::new(),
            auxiliary: String::new(),
            http,
        };
        client.arm_token = client.exchange(&client.token_url).await?;
        let elsewhere = client.token_url.replace("domain1.com", "domain2.com");
        client.auxiliary = format!("Bearer {}", client.exchange(&elsewhere).await?);
        let body = json!({
            "location": "West Europe", "kind": "EventHub",
            "properties": { "eventHubResourceId": how_to::HUB1, "consumerGroup": "cg1" },
        });
        let put = client
            .http
            .put(&client.connection_url)
            .bearer_auth(&client.arm_token);
        let put = put
            .header("x-ms-authorization-auxiliary", &client.auxiliary)
            .json(&body);
        put.send().await?.error_for_status()?;
        Ok(client)
    }

    /// Makes `count` calls.
    pub(crate) async fn run(&self, kind: Kind, count: usize) -> anyhow::Result<()> {
        let lane = |_| async move {
            for _ in 0..count / AT_A_TIME {
                let answer = self.request(kind).send().await?;
                let status = answer.status();
                answer.bytes().await?;
                let wanted = if matches!(kind, Kind::Challenge) { 401 } else { 200 };
                anyhow::ensure!(status.as_u16() == wanted, "{}: {status}", kind.name());
            }
            Ok(())
        };
        let [one, two, three, four] = std::array::from_fn::<_, AT_A_TIME, _>(lane);
        tokio::try_join!(one, two, three, four)?;
        Ok(())
    }

    fn request(&self, kind: Kind) -> reqwest::RequestBuilder {
        let read = |url: &str| self.http.get(url).bearer_auth(&self.arm_token);
        match kind {
            Kind::OnBehalfOf => self.on_behalf_of(&self.token_url),
            Kind::ClientCredentials => self.http.post(&self.token_url).form(&[
                ("grant_type", "client_credentials"),
                ("client_id", API),
                ("client_secret", how_to::TENANT_BRIDGE_SECRET),
                ("scope", ARM_SCOPE),
            ]),
            Kind::Connection => read(&self.connection_url),
            Kind::ConnectionWithAuxiliary => {
                read(&self.connection_url).header("x-ms-authorization-auxiliary", &self.auxiliary)
            }
            Kind::Connections => read(&self.connections_url),
            Kind::Challenge => self.http.get(&self.subscription_url),
        }
    }

    fn on_behalf_of(&self, url: &str) -> reqwest::RequestBuilder {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % USER_TOKENS;
        let assertion = self.user_tokens.get(turn).map_or("", String::as_str);
        self.http.post(url).form(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("requested_token_use", "on_behalf_of"),
            ("client_id", API),
            ("client_secret", how_to::TENANT_BRIDGE_SECRET),
            ("scope", ARM_SCOPE),
            ("assertion", assertion),
        ])
    }

    async fn exchange(&self, url: &str) -> anyhow::Result<String> {
        let answer = self.on_behalf_of(url).send().await?.error_for_status()?;
        text(&answer.json().await?, "access_token")
    }
}

fn text(body: &Value, member: &str) -> anyhow::Result<String> {
    let text = body.get(member).and_then(Value::as_str);
    text.map(str::to_owned)
        .with_context(|| format!("no {member} in {body}"))
}
