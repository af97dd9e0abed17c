//! More proof of who asks: as ARM demands it of a token by a claims challenge, and sign-ins that have it.

use azure_emulator::{Effect, how_to};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{App, Portal};

/// What ARM demands.
pub(crate) const CLAIMS: &str = r#"{"access_token":{"acrs":{"essential":true,"values":["p1"]}}}"#;

/// The claims as challenges carry them.
pub(crate) fn encoded_claims() -> String {
    STANDARD.encode(CLAIMS)
}

/// ARM's answer that demands them.
pub(crate) fn claims_challenge() -> Effect {
    let claims = encoded_claims();
    let challenge = format!(
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"{claims}\""
    );
    Effect::status(401, &[("www-authenticate", &challenge)])
}

impl App {
    /// A token of a sign-in to the cluster's tenant that has what ARM demands, by an app that has these capabilities.
    pub(crate) fn satisfying_token(&self, user: &str, capabilities: &[&str]) -> String {
        self.odd_token(user, how_to::DOMAIN1, |token| {
            let overrides = &mut token.overrides;
            overrides.client_capabilities = capabilities.iter().map(|&name| name.to_owned()).collect();
            overrides.extra_claims.insert("acrs".to_owned(), json!(["p1"]));
        })
    }

    /// A portal that takes challenges, with acc1's token of such a sign-in and acc2's beside it.
    pub(crate) fn satisfying_portal(&self) -> Portal {
        self.portal()
            .with_token(&self.satisfying_token("acc1@domain1.com", &["cp1"]))
            .with_auxiliary(&self.token("acc2@domain2.com", how_to::DOMAIN2))
    }
}
