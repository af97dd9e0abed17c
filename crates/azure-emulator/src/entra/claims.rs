//! What stands in a token (Microsoft Learn: "Access token claims reference").

use std::time::Duration;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::directory::{ARM_APP_ID, App, TokenVersion, User};
use crate::sign_ins::SignIn;

/// How many groups a JWT holds.
const MOST_GROUPS: usize = 200;
/// The life of a token that can be revoked.
pub(super) const LONG_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// Everything that decides a token's claims.
pub(crate) struct Ticket<'a> {
    /// `https://localhost:PORT/`
    pub(crate) authority: &'a str,
    pub(crate) tenant_id: &'a str,
    pub(crate) client: &'a App,
    pub(crate) resource: &'a App,
    /// The resource as the caller spelt it.
    pub(crate) audience: &'a str,
    pub(crate) holder: Holder<'a>,
    pub(crate) roles: Vec<&'a str>,
    /// How the client proved itself: `azpacr`/`appidacr`.
    pub(crate) class: &'a str,
    /// The client said `cp1`; shown only when the resource lists `xms_cc` among its optional claims.
    pub(crate) capabilities: &'a [String],
    pub(crate) now: DateTime<Utc>,
    pub(crate) lifetime: Duration,
}

/// Whose token it is.
pub(crate) enum Holder<'a> {
    User {
        user: &'a User,
        oid: &'a str,
        scopes: Vec<String>,
        /// How the user signed in; nothing for tokens made without a sign-in.
        sign_in: Option<&'a SignIn>,
        /// `acrs`: authentication contexts that are satisfied.
        contexts: Vec<String>,
        /// Object ids of the user's groups in the tenant; shown only when the resource lists `groups` among its
        /// optional claims.
        groups: Vec<&'a str>,
    },
    App {
        oid: &'a str,
    },
}

/// Entra spreads lifetimes between 60 and 90 minutes, so that tokens do not all run out together.
pub(crate) fn default_lifetime() -> Duration {
    let [byte] = random::<1>();
    Duration::from_secs(3600 + u64::from(byte) * 1800 / 255)
}

/// The life of a client's token for a resource. Where both take part in continuous access evaluation, tokens live long,
/// since they can be revoked: 20 to 28 hours, here always 24 (Microsoft Learn: "Continuous access evaluation"). Of the
/// resources only ARM does; another API's `xms_cc` is for that API to read.
pub(crate) fn lifetime(resource: &App, capabilities: &[String]) -> Duration {
    let capable = capabilities.iter().any(|word| word.eq_ignore_ascii_case("cp1"));
    if capable && resource.client_id == ARM_APP_ID {
        LONG_LIFETIME
    } else {
        default_lifetime()
    }
}

/// Capabilities that the client declares in `claims`: `{"access_token":{"xms_cc":{"values":["cp1"]}}}`.
pub(crate) fn capabilities(claims: Option<&Value>) -> Vec<String> {
    let values = claims.and_then(|claims| claims.pointer("/access_token/xms_cc/values"));
    let words = values.and_then(Value::as_array).into_iter().flatten();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}

impl Ticket<'_> {
    /// The claims, in the resource's format.
    pub(crate) fn claims(&self) -> Map<String, Value> {
        let issued = self.now.timestamp();
        let expires = issued.saturating_add(i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX));
        let mut claims = Map::new();
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        set("iat", json!(issued));
        set("nbf", json!(issued));
        set("exp", json!(expires));
        set("tid", json!(self.tenant_id));
        set("aio", json!(aio(self.now)));
        set("rh", json!(format!("1.{}.", opaque::<33>())));
        set("uti", json!(opaque::<16>()));
        if !self.roles.is_empty() {
            set("roles", json!(self.roles));
        }
        if !self.capabilities.is_empty() && self.lists("xms_cc") {
            set("xms_cc", json!(self.capabilities));
        }
        self.holder(&mut claims);
        match self.resource.token_version {
            TokenVersion::V1 => self.v1(&mut claims),
            TokenVersion::V2 => self.v2(&mut claims),
        }
        claims
    }

    /// Whether the resource lists this among its optional claims.
    fn lists(&self, claim: &str) -> bool {
        self.resource.optional_claims.iter().any(|listed| listed == claim)
    }

    /// Who holds the token, and what they were given.
    fn holder(&self, claims: &mut Map<String, Value>) {
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        match &self.holder {
            Holder::User {
                user,
                oid,
                scopes,
                sign_in,
                contexts,
                groups,
            } => {
                set("oid", json!(oid));
                set(
                    "sub",
                    json!(pairwise(self.tenant_id, &self.resource.client_id, oid)),
                );
                if let Some(session) = sign_in.and_then(|sign_in| sign_in.session.as_ref()) {
                    set("sid", json!(session));
                }
                if !contexts.is_empty() {
                    set("acrs", json!(contexts));
                }
                set("name", json!(user.name));
                if !scopes.is_empty() {
                    set("scp", json!(scopes.join(" ")));
                }
                if self.lists("groups") {
                    set_groups(&mut set, groups, self.tenant_id, oid);
                }
                if user.is_guest_in(self.tenant_id) {
                    set("idp", json!(crate::directory::v1_issuer(&user.home_tenant)));
                    set("email", json!(user.upn));
                }
            }
            Holder::App { oid } => {
                set("oid", json!(oid));
                set("sub", json!(oid));
                set("idp", json!(crate::directory::v1_issuer(self.tenant_id)));
            }
        }
    }

    fn v1(&self, claims: &mut Map<String, Value>) {
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        set("ver", json!("1.0"));
        set("aud", json!(self.audience));
        set("iss", json!(crate::directory::v1_issuer(self.tenant_id)));
        set("appid", json!(self.client.client_id));
        set("appidacr", json!(self.class));
        // An optional claim that ARM's own registration asks for.
        if self.resource.client_id == ARM_APP_ID {
            set(
                "idtyp",
                json!(if matches!(self.holder, Holder::App { .. }) {
                    "app"
                } else {
                    "user"
                }),
            );
        }
        if let Holder::User { user, sign_in, .. } = &self.holder {
            set("acr", json!("1"));
            let methods = sign_in.map(|sign_in| json!(sign_in.methods));
            set("amr", methods.unwrap_or_else(|| json!(["pwd"])));
            if let Some(device) = sign_in.and_then(|sign_in| sign_in.device.as_ref()) {
                set("deviceid", json!(device));
            }
            set("ipaddr", json!("127.0.0.1"));
            set("unique_name", json!(user.upn));
            // A guest has no UPN of the tenant's own domains; its mail address stands in `email`.
            if !user.is_guest_in(self.tenant_id) {
                set("upn", json!(user.upn));
            }
        }
    }

    fn v2(&self, claims: &mut Map<String, Value>) {
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        set("ver", json!("2.0"));
        set("aud", json!(self.resource.client_id));
        set("iss", json!(format!("{}{}/v2.0", self.authority, self.tenant_id)));
        set("azp", json!(self.client.client_id));
        set("azpacr", json!(self.class));
        if let Holder::User { user, .. } = &self.holder {
            set("preferred_username", json!(user.upn));
        }
    }
}

/// The groups, or, where there are more than a token holds, where to ask for them (Microsoft Learn: "Configure group
/// claims and app roles in tokens").
fn set_groups(
    set: &mut impl FnMut(&str, Value) -> Option<Value>,
    groups: &[&str],
    tenant_id: &str,
    oid: &str,
) {
    if groups.len() <= MOST_GROUPS {
        if !groups.is_empty() {
            set("groups", json!(groups));
        }
        return;
    }
    let endpoint = format!("https://graph.windows.net/{tenant_id}/users/{oid}/getMemberObjects");
    set("_claim_names", json!({ "groups": "src1" }));
    set("_claim_sources", json!({ "src1": { "endpoint": endpoint } }));
}

/// `aio`: opaque to everyone but this emulator, for which it begins with the moment of issue in microseconds.
fn aio(now: DateTime<Utc>) -> String {
    let mut bytes = [0; 48];
    let (moment, rest) = bytes.split_at_mut(8);
    moment.copy_from_slice(&now.timestamp_micros().to_be_bytes());
    rest.copy_from_slice(&random::<40>());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The moment in an `aio`.
pub(super) fn issued(aio: &str) -> Option<DateTime<Utc>> {
    let bytes = URL_SAFE_NO_PAD.decode(aio).ok()?;
    let moment = bytes.first_chunk::<8>()?;
    DateTime::from_timestamp_micros(i64::from_be_bytes(*moment))
}

/// `sub`: the same for one user and one app, and of no use elsewhere.
pub(crate) fn pairwise(tenant_id: &str, client_id: &str, oid: &str) -> String {
    let text = format!("{tenant_id}|{client_id}|{oid}");
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// Random bytes as base64url: claims that nobody may read anything from.
pub(crate) fn opaque<const N: usize>() -> String {
    URL_SAFE_NO_PAD.encode(random::<N>())
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Nothing here is secret to more than a test; a failing generator leaves zeros.
    let _ = rand::fill(&mut bytes);
    bytes
}
