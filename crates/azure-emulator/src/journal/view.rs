//! What a token says, read without verifying it: for people and for tests, never for a decision.

use serde_json::Value;

use crate::entra::Jwt;

/// A token's claims that tell who it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenView {
    /// `tid`
    pub tenant: String,
    /// `aud`
    pub audience: String,
    /// `oid` of the user or of the app's service principal.
    pub oid: String,
    /// `upn`, `preferred_username`, `email` or `unique_name`.
    pub upn: Option<String>,
    /// `azp` or `appid`: the app it was issued to.
    pub app: String,
    /// What kind of token it is.
    pub kind: TokenKind,
    /// `exp`, in seconds.
    pub expires: i64,
}

/// What kind a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A user's access token.
    User,
    /// An app's own access token.
    App,
    /// An ID token.
    Id,
}

impl TokenKind {
    /// One word, for printing.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenKind::User => "user",
            TokenKind::App => "app",
            TokenKind::Id => "id",
        }
    }
}

impl TokenView {
    /// Reads a token; nothing when the text is no JWT.
    pub fn read(token: &str) -> Option<TokenView> {
        let jwt = Jwt::parse(token)?;
        let first = |names: &[&str]| names.iter().find_map(|name| jwt.text(name)).map(str::to_owned);
        let app = first(&["azp", "appid"]);
        let kind = match (&app, jwt.text("scp")) {
            (_, Some(_)) => TokenKind::User,
            (Some(_), None) => TokenKind::App,
            (None, None) => TokenKind::Id,
        };
        Some(TokenView {
            tenant: first(&["tid"]).unwrap_or_default(),
            audience: first(&["aud"]).unwrap_or_default(),
            oid: first(&["oid"]).unwrap_or_default(),
            upn: first(&["upn", "preferred_username", "email", "unique_name"]),
            app: app.unwrap_or_default(),
            kind,
            expires: jwt.seconds("exp").unwrap_or_default(),
        })
    }

    /// Reads the token of a `Bearer …` header value.
    pub(super) fn from_header(value: &str) -> Option<TokenView> {
        let (scheme, token) = value.trim().split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| TokenView::read(token.trim()))?
    }
}

/// A token request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantView {
    /// `grant_type`
    pub grant_type: String,
    /// The tenant of the endpoint's URL, as it was written.
    pub tenant: String,
    /// `client_id`; empty when it came as HTTP Basic.
    pub client_id: String,
    /// The user's token that was handed in.
    pub assertion: Option<TokenView>,
    /// `scope`
    pub scope: String,
    /// The token that was given; nothing for a refusal.
    pub issued: Option<TokenView>,
}

impl GrantView {
    pub(super) fn new(path: &str, form: &Value, response: Option<&Value>) -> GrantView {
        let field = |name: &str| {
            form.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let issued = response
            .and_then(|body| body.get("access_token"))
            .and_then(Value::as_str);
        GrantView {
            grant_type: field("grant_type"),
            tenant: path
                .split('/')
                .find(|segment| !segment.is_empty())
                .unwrap_or_default()
                .to_owned(),
            client_id: field("client_id"),
            assertion: TokenView::read(&field("assertion")),
            scope: field("scope"),
            issued: issued.and_then(TokenView::read),
        }
    }
}
