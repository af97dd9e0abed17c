//! `[entra]`: who this service is at Entra, and whose tokens it takes.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

use super::Reader;

/// How far Entra's clock and this machine's may be apart.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Entra: whose tokens are taken, and who this service is.
#[derive(Debug, Clone)]
pub struct EntraSection {
    /// The login host: the only one that tokens and the secret are sent to.
    pub authority: Url,
    /// The issuer of version 1 tokens, with `{tenantid}`.
    pub v1_issuer: String,
    /// The issuer of version 2 tokens, with `{tenantid}`.
    pub v2_issuer: String,
    /// This service's app registration.
    pub client_id: Uuid,
    /// Its secret.
    pub client_secret: SecretString,
    /// What `aud` may be in a user token.
    pub audiences: Vec<String>,
    /// The apps that may call; empty means none.
    pub calling_apps: Vec<Uuid>,
    /// How far two clocks may be apart.
    pub clock_skew: Duration,
    /// The most identical exchanges that one replica asks for in five minutes.
    pub identical_exchanges: u32,
}

impl EntraSection {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let public = "https://login.microsoftonline.com/";
        let authority: Option<Url> = reader.required_url("entra.authority", public);
        let v1_issuer = reader.issuer(
            "entra.v1_issuer",
            "https://sts.windows.net/{tenantid}/".to_owned(),
        );
        let v2_default = authority
            .as_ref()
            .map(|url| format!("{}/{{tenantid}}/v2.0", url.as_str().trim_end_matches('/')));
        let v2_issuer = v2_default.and_then(|default| reader.issuer("entra.v2_issuer", default));
        let client_id: Option<Uuid> = reader.required(
            "entra.client_id",
            "the application (client) id of this service's registration",
        );
        let client_secret = reader.secret(
            "entra.client_secret",
            "a client secret of this service's registration",
            SHORTEST_SECRET,
            "Entra makes one under 'Certificates & secrets' of the registration",
        );
        let default_audiences = client_id.map(|id| vec![id.to_string(), format!("api://{id}")]);
        let audiences = reader.list("entra.audiences").or(default_audiences);
        let calling_apps = reader.list("entra.calling_apps");
        if calling_apps.is_none() {
            reader.report(
                "entra.calling_apps",
                "is missing: the client ids of the portals that may call",
            );
        }
        let identical_exchanges = reader.optional("entra.identical_exchanges", 7_u32);
        if identical_exchanges.is_some_and(|most| !(1..=14).contains(&most)) {
            reader.report(
                "entra.identical_exchanges",
                "must be 1 to 14: Entra takes fifteen in five minutes for a loop",
            );
        }
        Some(Self {
            authority: authority?,
            v1_issuer: v1_issuer?,
            v2_issuer: v2_issuer?,
            client_id: client_id?,
            client_secret: client_secret?,
            audiences: audiences?,
            calling_apps: calling_apps?,
            clock_skew: CLOCK_SKEW,
            identical_exchanges: identical_exchanges?,
        })
    }
}

/// Entra's have 40 characters; older ones had fewer.
const SHORTEST_SECRET: usize = 16;

impl Reader {
    /// An issuer's URL with `{tenantid}` in its path.
    fn issuer(&mut self, key: &str, default: String) -> Option<String> {
        let issuer = self.optional(key, default)?;
        let of_one = issuer.replace("{tenantid}", &Uuid::nil().to_string());
        let url = self.plain_url(key, &of_one, &["https"])?;
        if !url.path().contains(&Uuid::nil().to_string()) {
            self.report(
                key,
                "must have {tenantid} in its path, where each tenant's GUID stands",
            );
            return None;
        }
        Some(issuer)
    }

    /// An `https` URL of a host alone, with a default.
    pub(super) fn required_url(&mut self, key: &str, default: &str) -> Option<Url> {
        let text: String = self.optional(key, default.to_owned())?;
        let url = self.plain_url(key, &text, &["https"])?;
        if url.path() != "/" {
            self.report(key, "must be an https URL of a host, without a path");
            return None;
        }
        Some(url)
    }
}
