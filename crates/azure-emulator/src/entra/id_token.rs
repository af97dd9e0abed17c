//! ID tokens (Microsoft Learn: "ID token claims reference"): who signed in, for the client itself.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::claims::{opaque, pairwise};
use crate::directory::{App, Membership, User};
use crate::sign_ins::SignIn;

/// An ID token's life.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Everything that decides an ID token's claims.
pub(super) struct IdTicket<'a> {
    /// `https://localhost:PORT/`
    pub(super) authority: &'a str,
    pub(super) client: &'a App,
    pub(super) user: &'a User,
    pub(super) member: &'a Membership,
    pub(super) sign_in: &'a SignIn,
    pub(super) nonce: Option<&'a str>,
    /// `profile` was asked for: `oid`, `name` and `preferred_username` come with it.
    pub(super) profile: bool,
    /// `email` was asked for.
    pub(super) email: bool,
    pub(super) now: DateTime<Utc>,
}

impl IdTicket<'_> {
    /// The claims, version 2.0.
    pub(super) fn claims(&self) -> Map<String, Value> {
        let tenant_id = &self.member.tenant_id;
        let issued = self.now.timestamp();
        let expires = issued.saturating_add(i64::try_from(LIFETIME.as_secs()).unwrap_or(i64::MAX));
        let mut claims = Map::new();
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        set("ver", json!("2.0"));
        set("iss", json!(format!("{}{tenant_id}/v2.0", self.authority)));
        set("aud", json!(self.client.client_id));
        set(
            "sub",
            json!(pairwise(tenant_id, &self.client.client_id, &self.member.oid)),
        );
        set("tid", json!(tenant_id));
        set("iat", json!(issued));
        set("nbf", json!(issued));
        set("exp", json!(expires));
        set("aio", json!(opaque::<48>()));
        set("rh", json!(format!("1.{}.", opaque::<33>())));
        set("uti", json!(opaque::<16>()));
        if let Some(nonce) = self.nonce {
            set("nonce", json!(nonce));
        }
        if let Some(session) = &self.sign_in.session {
            set("sid", json!(session));
        }
        if self.profile {
            set("oid", json!(self.member.oid));
            set("name", json!(self.user.name));
            set("preferred_username", json!(self.user.upn));
        }
        if self.email {
            set("email", json!(self.user.upn));
        }
        if self.user.is_guest_in(tenant_id) {
            set("idp", json!(crate::directory::v1_issuer(&self.user.home_tenant)));
        }
        claims
    }
}
