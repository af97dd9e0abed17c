//! More proof of who asks: as ARM demands it of a write's token (continuous access evaluation), and a sign-in that has it.

use azure_emulator::{Effect, how_to};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{App, Portal};

/// What ARM demands.
pub(crate) const CLAIMS: &str = r#"{"access_token":{"acrs":{"essential":true,"values":["p1"]}}}"#;

/// ARM's answer that demands it.
pub(crate) fn claims_challenge() -> Effect {
    let claims = STANDARD.encode(CLAIMS);
    let challenge = format!(
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"{claims}\""
    );
    Effect::status(401, &[("www-authenticate", &challenge)])
}

impl App {
    /// acc1's token of a sign-in that has what ARM demands.
    pub(crate) fn satisfying_token(&self) -> String {
        self.odd_token("acc1@domain1.com", how_to::DOMAIN1, |token| {
            let overrides = &mut token.overrides;
            overrides.client_capabilities = vec!["cp1".to_owned()];
            overrides.extra_claims.insert("acrs".to_owned(), json!(["p1"]));
        })
    }

    /// acc1's portal with such a token, and acc2's beside it.
    pub(crate) fn satisfying_portal(&self) -> Portal {
        self.portal()
            .with_token(&self.satisfying_token())
            .with_auxiliary(&self.token("acc2@domain2.com", how_to::DOMAIN2))
    }
}
