//! A local stand-in for Entra's two endpoints, over plain HTTP on loopback, and tokens signed with keys made for the run.
//! It answers what a test sets; what real Entra would answer is the emulator's part, in the integration tests.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey};
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData as _, SigningKey as _};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use url::Url;
use uuid::Uuid;

use super::{Entra, Settings, UserToken};
use crate::clock::Clock;
use crate::domain::TenantId;
use crate::upstream::GuardLimits;

/// The tenant of domain1.com, whose users' tokens are accepted.
pub(super) const HOME: TenantId = TenantId::new(Uuid::from_u128(0x1111_1111_0000_4000_8000_0000_0000_0001));
/// The tenant of domain2.com: accepted as a place to exchange at, not as an issuer.
pub(super) const OTHER: TenantId = TenantId::new(Uuid::from_u128(0x2222_2222_0000_4000_8000_0000_0000_0002));
/// acc1@domain1.com.
pub(super) const USER: Uuid = Uuid::from_u128(0xaaaa_aaaa_0000_4000_8000_0000_0000_000a);
/// The portal that calls.
pub(super) const PORTAL: Uuid = Uuid::from_u128(0xbbbb_bbbb_0000_4000_8000_0000_0000_000b);
/// This service.
pub(super) const API: Uuid = Uuid::from_u128(0xcccc_cccc_0000_4000_8000_0000_0000_000c);
/// When every test begins, in seconds since 1970.
pub(super) const START: i64 = 1_800_000_000;
/// The key that the stand-in publishes.
pub(super) static PUBLISHED: LazyLock<TestKey> = LazyLock::new(|| TestKey::new("key-1"));
/// Another one, which it publishes only when a test says so.
pub(super) static SECOND: LazyLock<TestKey> = LazyLock::new(|| TestKey::new("key-2"));

pub(super) struct TestKey {
    kid: &'static str,
    pair: KeyPair,
}

impl TestKey {
    fn new(kid: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).expect("an RSA key");
        Self { kid, pair }
    }

    /// Its entry in the document of keys.
    pub(super) fn published(&self, issuer: &str) -> Value {
        let key = DecodingKey::from_rsa_der(self.pair.der_bytes());
        let jwk = Jwk::from_decoding_key(&key, Some(Algorithm::RS256)).expect("a JWK");
        let AlgorithmParameters::RSA(rsa) = jwk.algorithm else {
            panic!("not an RSA key")
        };
        json!({"kty": "RSA", "use": "sig", "kid": self.kid, "x5t": self.kid, "n": rsa.n, "e": rsa.e, "issuer": issuer})
    }

    /// A token with these claims and the header that Entra writes.
    pub(super) fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({"typ": "JWT", "alg": "RS256", "kid": self.kid}), claims)
    }

    /// A token with a header of the test's own.
    pub(super) fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.pair.sign(signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

pub(super) fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

pub(super) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(START, 0).expect("a date")
}

/// Settings of a service that takes tokens of the portal's users in the home tenant.
pub(super) fn settings(authority: &Url) -> Settings {
    Settings {
        authority: authority.clone(),
        v1_issuer: "https://sts.windows.net/{tenantid}/".to_owned(),
        v2_issuer: "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned(),
        client_id: API,
        consent_page: Url::parse("https://bridge.example.com/consent").ok(),
        audiences: vec![API.to_string(), format!("api://{API}")],
        secret: SecretString::from("the-client-secret"),
        calling_apps: [PORTAL].into(),
        issuing_tenants: [HOME].into(),
        clock_skew: Duration::from_secs(60),
        arm_scope: "https://management.azure.com/.default".to_owned(),
        arm_audiences: vec!["https://management.azure.com".to_owned()],
        keys_refresh: Duration::from_secs(24 * 3600),
        keys_minimum_interval: Duration::from_secs(300),
        limits: GuardLimits {
            pause: Duration::ZERO,
            ..GuardLimits::default()
        },
        identical_exchanges: 14,
    }
}

/// The claims of a v2.0 token of acc1@domain1.com.
pub(super) fn user_claims() -> Value {
    json!({
        "ver": "2.0", "iss": format!("https://login.microsoftonline.com/{HOME}/v2.0"), "aud": API.to_string(),
        "tid": HOME.to_string(), "oid": USER.to_string(), "azp": PORTAL.to_string(), "azpacr": "1",
        "scp": "Connections.Read Connections.ReadWrite", "roles": ["Auditor"], "uti": "unique-1",
        "preferred_username": "acc1@domain1.com", "iat": START, "nbf": START, "exp": START + 3600,
    })
}

/// The same with members changed; `null` removes one.
pub(super) fn user_claims_with(changes: &Value) -> Value {
    changed(user_claims(), changes)
}

fn changed(mut claims: Value, changes: &Value) -> Value {
    let members: &mut Map<String, Value> = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// An ARM token as Entra issues it for the user in a tenant (v1.0), changed by a test. Its signature is nothing.
pub(super) fn arm_token(tenant: TenantId, changes: &Value) -> String {
    let claims = json!({
        "ver": "1.0", "iss": format!("https://sts.windows.net/{tenant}/"), "aud": "https://management.azure.com/",
        "tid": tenant.to_string(), "oid": USER.to_string(), "appid": API.to_string(), "scp": "user_impersonation",
        "nbf": START, "exp": START + 4000,
    });
    format!(
        "{}.{}.c2ln",
        encode(&json!({"typ": "JWT", "alg": "RS256"})),
        encode(&changed(claims, changes))
    )
}

/// A successful answer with that token.
pub(super) fn issued(token: &str) -> Reply {
    let body = json!({"token_type": "Bearer", "scope": "https://management.azure.com/user_impersonation",
        "expires_in": 4000, "ext_expires_in": 4000, "access_token": token});
    Reply::json(200, &body)
}

/// One answer of the token endpoint.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, &body.to_string())
    }

    pub(super) fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// One request to the token endpoint.
#[derive(Debug, Clone)]
pub(super) struct TokenRequest {
    pub(super) path: String,
    pub(super) form: HashMap<String, String>,
    pub(super) headers: HeaderMap,
}

/// The stand-in. Ends with the test's runtime.
pub(super) struct LocalEntra {
    pub(super) url: Url,
    shared: Arc<Shared>,
}

struct Shared {
    keys: Mutex<Reply>,
    key_requests: watch::Sender<usize>,
    replies: Mutex<VecDeque<Reply>>,
    token_requests: watch::Sender<Vec<TokenRequest>>,
    /// While false, requests arrive and are counted, and wait for their answers.
    open: watch::Sender<bool>,
}

impl LocalEntra {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
        let shared = Arc::new(Shared {
            keys: Mutex::new(keys_reply(&[PUBLISHED.published(template)])),
            key_requests: watch::Sender::new(0),
            replies: Mutex::default(),
            token_requests: watch::Sender::default(),
            open: watch::Sender::new(true),
        });
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
        let url = Url::parse(&format!("http://{address}/")).expect("a URL");
        Self { url, shared }
    }

    /// A service that uses it, with a clock that the test drives.
    pub(super) fn service(&self) -> (Entra, Clock) {
        let clock = Clock::driven(start());
        let entra = Entra::new(settings(&self.url), client(), clock.clone());
        (entra, clock)
    }

    /// Keeps all answers back until [`LocalEntra::release`].
    pub(super) fn hold(&self) {
        self.shared.open.send_replace(false);
    }

    pub(super) fn release(&self) {
        self.shared.open.send_replace(true);
    }

    pub(super) fn publish(&self, keys: &[Value]) {
        self.answer_keys(keys_reply(keys));
    }

    pub(super) fn answer_keys(&self, reply: Reply) {
        *locked(&self.shared.keys) = reply;
    }

    pub(super) fn key_requests(&self) -> usize {
        *self.shared.key_requests.borrow()
    }

    pub(super) async fn key_requests_reach(&self, count: usize) {
        let mut requests = self.shared.key_requests.subscribe();
        requests
            .wait_for(|seen| *seen >= count)
            .await
            .expect("the stand-in");
    }

    /// The next answer of the token endpoint. Without one it issues the token that is asked for.
    pub(super) fn reply(&self, reply: Reply) {
        locked(&self.shared.replies).push_back(reply);
    }

    pub(super) fn token_requests(&self) -> Vec<TokenRequest> {
        self.shared.token_requests.borrow().clone()
    }

    pub(super) async fn token_requests_reach(&self, count: usize) {
        let mut requests = self.shared.token_requests.subscribe();
        requests
            .wait_for(|seen| seen.len() >= count)
            .await
            .expect("the stand-in");
    }
}

/// The client of the service has https only; this one is for the stand-in.
#[expect(
    clippy::disallowed_methods,
    reason = "the builder in `upstream` refuses plain HTTP, as it should"
)]
fn client() -> reqwest::Client {
    // Whichever part of the test process was first has installed it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .no_proxy()
        .build()
        .expect("a client")
}

fn keys_reply(keys: &[Value]) -> Reply {
    Reply::json(200, &json!({ "keys": keys }))
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let is_token = uri.path().ends_with("/oauth2/v2.0/token");
    if is_token {
        let form = url::form_urlencoded::parse(&body).into_owned().collect();
        let path = uri.path().to_owned();
        shared
            .token_requests
            .send_modify(|seen| seen.push(TokenRequest { path, form, headers }));
    } else {
        shared.key_requests.send_modify(|seen| *seen += 1);
    }
    let mut open = shared.open.subscribe();
    open.wait_for(|open| *open).await.expect("the stand-in");
    let reply = if is_token {
        locked(&shared.replies)
            .pop_front()
            .unwrap_or_else(|| issued_for(uri.path()))
    } else {
        locked(&shared.keys).clone()
    };
    let status = StatusCode::from_u16(reply.status).expect("a status");
    let mut response = (status, reply.body).into_response();
    for (name, value) in reply.headers {
        response
            .headers_mut()
            .insert(name, value.parse().expect("a header value"));
    }
    response
}

fn issued_for(path: &str) -> Reply {
    let tenant: TenantId = path.split('/').nth(1).expect("a tenant").parse().expect("a GUID");
    issued(&arm_token(tenant, &json!({})))
}

/// The user token that most tests of the exchange begin with.
pub(super) async fn accepted(entra: &Entra, claims: &Value) -> UserToken {
    let token = SecretString::from(PUBLISHED.sign(claims));
    entra.validate(token).await.expect("a valid token")
}
