//! What the service's app registration and its operator decide about tokens.

use std::collections::HashSet;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

use super::UserToken;
use crate::domain::TenantId;
use crate::upstream::GuardLimits;

/// The most clock skew that is ever granted, whatever is configured.
const MOST_SKEW: Duration = Duration::from_secs(60);
/// Stands for the tenant's GUID in Microsoft's issuer templates.
const TENANT_MARK: &str = "{tenantid}";

/// The app registration, the cloud it lives in, and whose tokens are taken.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The login host, `https://login.microsoftonline.com/`.
    pub authority: Url,
    /// The issuer of v1.0 tokens, `https://sts.windows.net/{tenantid}/` with these very braces.
    pub v1_issuer: String,
    /// The issuer of v2.0 tokens, `https://login.microsoftonline.com/{tenantid}/v2.0` with these very braces.
    pub v2_issuer: String,
    /// This service's application (client) id.
    pub client_id: Uuid,
    /// The page that Entra leads administrators to after consent: a redirect URI of the registration. Without one no link to the
    /// consent can be given.
    pub consent_page: Option<Url>,
    /// The audiences that mean this service: its client id (v2.0 tokens) and its App ID URIs (v1.0 tokens), compared exactly.
    pub audiences: Vec<String>,
    /// The client secret of the registration.
    pub secret: SecretString,
    /// The apps that may call, by client id. Empty: none may.
    pub calling_apps: HashSet<Uuid>,
    /// The tenants whose users' tokens are accepted. Empty: none are.
    pub issuing_tenants: HashSet<TenantId>,
    /// How far the clocks of Entra and of this machine may disagree; more than 60 s counts as 60 s.
    pub clock_skew: Duration,
    /// What is asked for in an exchange, `https://management.azure.com/.default`. One resource only.
    pub arm_scope: String,
    /// The audiences by which ARM's tokens name ARM; a slash at the end makes no difference.
    pub arm_audiences: Vec<String>,
    /// The life of a tenant's signing keys: older ones are used only while Entra is out of reach. 24 h is Microsoft's advice.
    pub keys_refresh: Duration,
    /// How long it takes until a tenant's keys may be fetched at most ten times more because tokens named unknown ones.
    pub keys_minimum_interval: Duration,
    /// How much each tenant's endpoints are asked.
    pub limits: GuardLimits,
    /// The most identical exchanges in five minutes: Entra refuses the fifteenth, whichever replica it comes from.
    pub identical_exchanges: u32,
}

impl Settings {
    /// The issuer that a v1.0 token of this tenant must name.
    pub(super) fn v1_issuer_of(&self, tenant: TenantId) -> String {
        for_tenant(&self.v1_issuer, tenant)
    }

    /// The issuer that a v2.0 token of this tenant must name.
    pub(super) fn v2_issuer_of(&self, tenant: TenantId) -> String {
        for_tenant(&self.v2_issuer, tenant)
    }

    /// The skew that is granted.
    pub(super) fn skew(&self) -> Duration {
        self.clock_skew.min(MOST_SKEW)
    }

    /// `{authority}/{tenant}/{path…}`.
    pub(super) fn endpoint(&self, tenant: TenantId, path: &[&str]) -> Url {
        let mut url = self.authority.clone();
        // Only a URL without a host has no segments (`mailto:…`); it stays as it is and no client will connect to it.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments
                .pop_if_empty()
                .push(&tenant.to_string())
                .extend(path.iter().copied());
        }
        url
    }

    /// Where an app sends the user of this token to sign in anew at a tenant, when that tenant or ARM demands claims: the
    /// `authorization_uri` of a claims challenge. `None` if the app has not declared that it takes challenges
    /// (Microsoft Learn, "Claims challenges, claims requests, and client capabilities").
    #[must_use]
    pub fn authorization_uri(&self, token: &UserToken, tenant: TenantId) -> Option<Url> {
        token
            .takes_claims_challenges()
            .then(|| self.endpoint(tenant, &["oauth2", "authorize"]))
    }

    /// Where an administrator of the tenant consents to this service's calling ARM (Microsoft Learn, "Admin consent on the
    /// Microsoft identity platform", which says that all three parameters are required).
    #[must_use]
    pub fn consent_url(&self, tenant: TenantId) -> Option<Url> {
        let page = self.consent_page.as_ref()?;
        let mut url = self.endpoint(tenant, &["v2.0", "adminconsent"]);
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id.to_string())
            .append_pair("scope", &self.arm_scope)
            .append_pair("redirect_uri", page.as_str());
        Some(url)
    }
}

/// An issuer template filled in for one tenant.
pub(super) fn for_tenant(template: &str, tenant: TenantId) -> String {
    template.replace(TENANT_MARK, &tenant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::testing::{HOME, settings};

    #[test]
    fn no_more_than_a_minute_of_skew_is_granted_whatever_is_configured() {
        let mut settings = settings(&Url::parse("https://login.microsoftonline.com/").expect("a URL"));
        settings.clock_skew = Duration::from_secs(300);
        assert_eq!(settings.skew(), Duration::from_secs(60));
        settings.clock_skew = Duration::ZERO;
        assert_eq!(settings.skew(), Duration::ZERO);
    }

    #[test]
    fn every_endpoint_is_at_the_configured_host_under_the_tenants_guid() {
        for authority in [
            "https://login.microsoftonline.com",
            "https://login.microsoftonline.com/",
        ] {
            let settings = settings(&Url::parse(authority).expect("a URL"));
            let url = settings.endpoint(HOME, &["oauth2", "v2.0", "token"]);
            let expected = format!("https://login.microsoftonline.com/{HOME}/oauth2/v2.0/token");
            assert_eq!(url.as_str(), expected);
        }
    }
}
