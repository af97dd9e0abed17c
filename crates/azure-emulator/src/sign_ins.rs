//! What the login host remembers of people who signed in: sessions, authorization codes, refresh tokens.
//! What they are good for is decided in `entra`.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::entra::opaque;

/// How long an authorization code lives. Microsoft Learn says "about 10 minutes".
const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long a refresh token lives (Microsoft Learn: "Refresh tokens in the Microsoft identity platform").
const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(90);
/// How many codes are kept before the expired ones are looked for.
const FEW_CODES: usize = 1024;

/// One sign-in of a person: what later token requests may rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The session's id, `sid` in tokens; nothing for a token that came from no sign-in page.
    pub session: Option<String>,
    /// Object id in the user's home tenant.
    pub user: String,
    /// When the user proved who they are.
    pub at: DateTime<Utc>,
    /// How, as `amr` says it: `pwd`; `mfa` if a second factor was used; `external` if a provider outside of Entra was
    /// satisfied (the word is this emulator's own).
    pub methods: Vec<String>,
    /// Id of the managed and compliant device that was used, if it was one: `deviceid` in tokens.
    pub device: Option<String>,
}

impl SignIn {
    /// Whether a second factor was used.
    pub fn has_mfa(&self) -> bool {
        self.has("mfa")
    }

    /// Whether this was among the methods.
    pub fn has(&self, method: &str) -> bool {
        self.methods.iter().any(|used| used == method)
    }
}

/// What a code was asked with.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) client_id: String,
    pub(crate) tenant_id: String,
    pub(crate) sign_in: SignIn,
    /// As it was sent; nothing when it was left out.
    pub(crate) redirect_uri: Option<String>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) scope: String,
    pub(crate) nonce: Option<String>,
    /// The request's `claims`: what the sign-in had to satisfy, and the client's capabilities.
    pub(crate) claims: Option<Value>,
    pub(crate) issued: DateTime<Utc>,
    /// Set once it was used.
    pub(crate) redeemed: bool,
}

/// PKCE (RFC 7636).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) value: String,
    pub(crate) hashed: bool,
}

/// What a refresh token stands for. It is bound to user and client, to neither tenant nor resource.
#[derive(Clone)]
pub(crate) struct RefreshToken {
    pub(crate) client_id: String,
    /// Where it was issued: the tenant of a refresh at `/common`.
    pub(crate) tenant_id: String,
    pub(crate) sign_in: SignIn,
    pub(crate) scope: String,
    pub(crate) issued: DateTime<Utc>,
}

impl RefreshToken {
    pub(crate) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.issued + REFRESH_LIFETIME <= now
    }
}

/// Why a code gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeState {
    Unknown,
    Expired,
    Redeemed,
}

/// All sessions, codes and refresh tokens.
#[derive(Clone, Default)]
pub struct SignIns {
    sessions: HashMap<String, SignIn>,
    codes: HashMap<String, Code>,
    look_for_expired_at: usize,
    refresh_tokens: HashMap<String, RefreshToken>,
}

impl SignIns {
    /// Notes a sign-in and opens its session.
    pub(crate) fn open(
        &mut self,
        user: &str,
        methods: Vec<String>,
        device: Option<String>,
        now: DateTime<Utc>,
    ) -> SignIn {
        let session = uuid::Uuid::new_v4().to_string();
        let sign_in = SignIn {
            session: Some(session.clone()),
            user: user.to_owned(),
            at: now,
            methods,
            device,
        };
        self.sessions.insert(session, sign_in.clone());
        sign_in
    }

    /// The sign-in of a session.
    pub(crate) fn session(&self, id: &str) -> Option<&SignIn> {
        self.sessions.get(id)
    }

    /// Makes a code.
    pub(crate) fn issue_code(&mut self, code: Code) -> String {
        if self.codes.len() >= self.look_for_expired_at.max(FEW_CODES) {
            let now = code.issued;
            self.codes.retain(|_, known| known.issued + CODE_LIFETIME > now);
            self.look_for_expired_at = self.codes.len() * 2;
        }
        let text = format!("1.{}", opaque::<64>());
        self.codes.insert(text.clone(), code);
        text
    }

    /// A code that was neither used nor has expired.
    pub(crate) fn code(&self, text: &str, now: DateTime<Utc>) -> Result<&Code, CodeState> {
        match self.codes.get(text) {
            None => Err(CodeState::Unknown),
            Some(code) if code.redeemed => Err(CodeState::Redeemed),
            Some(code) if code.issued + CODE_LIFETIME <= now => Err(CodeState::Expired),
            Some(code) => Ok(code),
        }
    }

    /// A code works once. It is used up by the first request that proves to be its client's.
    pub(crate) fn redeem(&mut self, text: &str) {
        if let Some(code) = self.codes.get_mut(text) {
            code.redeemed = true;
        }
    }

    pub(crate) fn issue_refresh_token(&mut self, token: RefreshToken) -> String {
        let text = format!("1.{}", opaque::<96>());
        self.refresh_tokens.insert(text.clone(), token);
        text
    }

    pub(crate) fn refresh_token(&self, text: &str) -> Option<&RefreshToken> {
        self.refresh_tokens.get(text)
    }
}

impl fmt::Debug for SignIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIns")
            .field("sessions", &self.sessions.len())
            .field("codes", &self.codes.len())
            .field("refresh_tokens", &self.refresh_tokens.len())
            .finish_non_exhaustive()
    }
}
