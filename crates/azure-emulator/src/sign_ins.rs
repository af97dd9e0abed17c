//! What the login host remembers of people who signed in: sessions, authorization codes, refresh tokens.
//! What they are good for is decided in `entra`.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::bounded::Bounded;
use crate::entra::opaque;

/// How long an authorization code lives. Microsoft Learn says "about 10 minutes".
const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long a refresh token lives (Microsoft Learn: "Refresh tokens in the Microsoft identity platform").
const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(90);
/// How long a code that is good for nothing any more is still known, so that it is told from one that never was.
const CODE_MEMORY: TimeDelta = TimeDelta::minutes(60);
/// How many sessions, codes and refresh tokens are kept of each; the oldest go first.
const MOST: usize = 20_000;

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
        now - self.issued >= REFRESH_LIFETIME
    }
}

/// Why a code gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeState {
    Unknown,
    Expired,
    Redeemed,
}

/// All sessions, codes and refresh tokens that are still of use; the latest 20,000 of each at most.
#[derive(Clone, Debug)]
pub struct SignIns {
    sessions: Bounded<String, SignIn>,
    /// Ids of sessions by the secret that their browser holds. The id itself is in tokens and redirects, for all to see.
    cookies: Bounded<String, String>,
    codes: Bounded<String, Code>,
    refresh_tokens: Bounded<String, RefreshToken>,
    /// How long access tokens live, where that is not left to Entra's own rule.
    pub(crate) token_lifetime: Option<Duration>,
}

impl Default for SignIns {
    fn default() -> SignIns {
        SignIns {
            sessions: Bounded::new(MOST),
            cookies: Bounded::new(MOST),
            codes: Bounded::new(MOST),
            refresh_tokens: Bounded::new(MOST),
            token_lifetime: None,
        }
    }
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

    /// A secret by which a browser is known as the session's.
    pub(crate) fn issue_cookie(&mut self, session: &str) -> String {
        let secret = opaque::<48>();
        self.cookies.insert(secret.clone(), session.to_owned());
        secret
    }

    /// The sign-in of the session that a browser's secret stands for.
    pub(crate) fn session_of(&self, cookie: &str) -> Option<&SignIn> {
        self.session(self.cookies.get(cookie)?)
    }

    /// The sign-in of a session, by its id.
    pub(crate) fn session(&self, id: &str) -> Option<&SignIn> {
        self.sessions.get(id)
    }

    /// Makes a code.
    pub(crate) fn issue_code(&mut self, code: Code) -> String {
        let now = code.issued;
        self.codes.forget_while(|known| now - known.issued >= CODE_MEMORY);
        let text = format!("1.{}", opaque::<64>());
        self.codes.insert(text.clone(), code);
        text
    }

    /// A code that was neither used nor has expired.
    pub(crate) fn code(&self, text: &str, now: DateTime<Utc>) -> Result<&Code, CodeState> {
        match self.codes.get(text) {
            None => Err(CodeState::Unknown),
            Some(code) if code.redeemed => Err(CodeState::Redeemed),
            Some(code) if now - code.issued >= CODE_LIFETIME => Err(CodeState::Expired),
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
        let now = token.issued;
        self.refresh_tokens.forget_while(|known| known.is_expired(now));
        let text = format!("1.{}", opaque::<96>());
        self.refresh_tokens.insert(text.clone(), token);
        text
    }

    pub(crate) fn refresh_token(&self, text: &str) -> Option<&RefreshToken> {
        self.refresh_tokens.get(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(issued: DateTime<Utc>) -> Code {
        Code {
            client_id: "c".to_owned(),
            tenant_id: "t".to_owned(),
            sign_in: SignIns::default().open("u", Vec::new(), None, issued),
            redirect_uri: None,
            challenge: None,
            scope: "openid".to_owned(),
            nonce: None,
            claims: None,
            issued,
            redeemed: false,
        }
    }

    #[test]
    fn codes_are_told_apart_for_an_hour_and_then_forgotten() {
        let (mut known, start) = (SignIns::default(), DateTime::UNIX_EPOCH);
        let text = known.issue_code(code(start));
        let after = |minutes| start + TimeDelta::minutes(minutes);
        assert!(known.code(&text, after(9)).is_ok());
        known.issue_code(code(after(59)));
        assert_eq!(known.code(&text, after(59)).err(), Some(CodeState::Expired));
        known.issue_code(code(after(60)));
        assert_eq!(known.code(&text, after(60)).err(), Some(CodeState::Unknown));
        assert_eq!(known.codes.len(), 2);
    }

    #[test]
    fn however_many_sign_in_no_more_than_the_latest_are_remembered() {
        let (mut known, start) = (SignIns::default(), DateTime::UNIX_EPOCH);
        let first = known.open("u", Vec::new(), None, start).session.unwrap();
        let refresh = RefreshToken {
            client_id: "c".to_owned(),
            tenant_id: "t".to_owned(),
            sign_in: known.open("u", Vec::new(), None, start),
            scope: "openid".to_owned(),
            issued: start,
        };
        for _ in 0..=MOST {
            known.open("u", Vec::new(), None, start);
            known.issue_code(code(start));
            known.issue_refresh_token(refresh.clone());
        }
        let counts = [
            known.sessions.len(),
            known.codes.len(),
            known.refresh_tokens.len(),
        ];
        assert_eq!(counts, [MOST; 3]);
        assert!(known.session(&first).is_none());
    }
}
