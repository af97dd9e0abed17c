//! The checks of a caller's token, in the order of Microsoft Learn, "Secure applications and APIs by validating claims" and
//! "Access tokens in the Microsoft identity platform": what costs nothing first, the network only for a tenant that is accepted.

use std::time::Instant;

use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::Entra;
use super::claims::Claims;
use super::key_document::SigningKey;
use super::refusal::{LONGEST, TokenError, TokenRefusal};
use super::settings::{Settings, for_tenant};
use super::user_token::{Facts, UserToken};
use crate::domain::{ObjectId, Person, TenantId};

/// The longest user name that is kept for display, in characters.
const LONGEST_NAME: usize = 256;

impl Entra {
    /// Checks a caller's token in full: form, signature, issuer, key's issuer, audience, time, calling app, and that it is a
    /// user's access token with a scope.
    ///
    /// # Errors
    /// [`TokenError::Refused`] when the token is at fault; [`TokenError::Unavailable`] when its tenant's keys are out of reach.
    pub async fn validate(&self, token: SecretString) -> Result<UserToken, TokenError> {
        let begun = Instant::now();
        let outcome = self.check(&token).await;
        let duration_ms = begun.elapsed().as_millis();
        match outcome {
            Ok(facts) => {
                tracing::debug!(
                    entra.tenant = %facts.person.tenant,
                    entra.app = %facts.app,
                    entra.duration_ms = duration_ms,
                    "entra.validate: user token accepted"
                );
                Ok(UserToken::new(token, facts))
            }
            Err(error) => {
                tracing::info!(
                    entra.reason = %error,
                    entra.duration_ms = duration_ms,
                    "entra.validate: user token not accepted"
                );
                Err(error)
            }
        }
    }

    async fn check(&self, token: &SecretString) -> Result<Facts, TokenError> {
        let settings = &self.inner.settings;
        let unverified = Unverified::read(token.expose_secret(), settings)?;
        let key = self.inner.keys.find(unverified.tenant, &unverified.kid).await?;
        Ok(unverified.verify(&key, settings, self.inner.clock.now())?)
    }
}

/// A token that names an accepted tenant; nothing else about it is known yet.
pub(super) struct Unverified<'a> {
    /// Header and payload as they were signed.
    signed: &'a str,
    signature: &'a str,
    claims: Claims,
    pub(super) tenant: TenantId,
    pub(super) kid: String,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart. Everything that can be refused without a key is refused here.
    pub(super) fn read(token: &'a str, settings: &Settings) -> Result<Self, TokenRefusal> {
        if token.len() > LONGEST {
            return Err(TokenRefusal::TooLong);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenRefusal::NotAToken("it does not have three parts"));
        };
        let (signed, _) = token
            .rsplit_once('.')
            .ok_or(TokenRefusal::NotAToken("it does not have three parts"))?;
        let header = Claims::decode(header).ok_or(TokenRefusal::NotAToken("its header is no JSON object"))?;
        check_algorithm(&header)?;
        let claims = Claims::decode(payload).ok_or(TokenRefusal::NotAToken(
            "its payload is no JSON object, or holds a claim twice",
        ))?;
        // Before anything is fetched: otherwise anyone could make this service fetch any tenant's keys.
        let tenant = TenantId::new(
            claims
                .guid("tid")
                .ok_or(TokenRefusal::NotAToken("its tenant (tid) is no GUID"))?,
        );
        if !settings.issuing_tenants.contains(&tenant) {
            return Err(TokenRefusal::Tenant(tenant));
        }
        let kid = header
            .text("kid")
            .ok_or(TokenRefusal::NotAToken("its header names no key (kid)"))?
            .to_owned();
        Ok(Self {
            signed,
            signature,
            claims,
            tenant,
            kid,
        })
    }

    /// Checks signature and claims against the key that the token named.
    pub(super) fn verify(
        &self,
        key: &SigningKey,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Facts, TokenRefusal> {
        // An error is a signature that is no base64url, or a key that is no RSA key: neither verifies.
        let genuine = jsonwebtoken::crypto::verify(
            self.signature,
            self.signed.as_bytes(),
            &key.decoding,
            Algorithm::RS256,
        )
        .unwrap_or(false);
        if !genuine {
            return Err(TokenRefusal::Signature);
        }
        let app_claim = self.check_issuer(key, settings)?;
        let audience = self.claims.text("aud").ok_or(TokenRefusal::Audience)?;
        if !settings.audiences.iter().any(|accepted| accepted == audience) {
            return Err(TokenRefusal::Audience);
        }
        let expires_at = self.check_time(settings, now)?;
        let app = self.check_kind(app_claim, settings)?;
        self.facts(app, expires_at)
    }

    /// The issuer by the rules of the token's version, and the key's own. Returns the claim that names the calling app.
    fn check_issuer(&self, key: &SigningKey, settings: &Settings) -> Result<&'static str, TokenRefusal> {
        let v2_issuer = settings.v2_issuer_of(self.tenant);
        let (issuer, app_claim) = match self.claims.text("ver") {
            Some("1.0") => (settings.v1_issuer_of(self.tenant), "appid"),
            Some("2.0") => (v2_issuer.clone(), "azp"),
            _ => {
                return Err(TokenRefusal::Malformed(
                    "its version (ver) is neither 1.0 nor 2.0",
                ));
            }
        };
        if self.claims.text("iss") != Some(issuer.as_str()) {
            return Err(TokenRefusal::Issuer);
        }
        // The keys' document writes issuers as v2.0 tokens do, whichever version the key signs. A key without an issuer could
        // be anybody's: refused. (A consumer key accepted under an organisation's token was the Storm-0558 intrusion.)
        let key_issuer = key
            .issuer
            .as_deref()
            .map(|template| for_tenant(template, self.tenant));
        if key_issuer != Some(v2_issuer) {
            return Err(TokenRefusal::KeyIssuer);
        }
        Ok(app_claim)
    }

    /// `exp` and `nbf` (RFC 7519, sections 4.1.4 and 4.1.5), with the skew granted on both.
    fn check_time(&self, settings: &Settings, now: DateTime<Utc>) -> Result<DateTime<Utc>, TokenRefusal> {
        let skew = settings.skew();
        let expires_at = self
            .claims
            .time("exp")
            .ok_or(TokenRefusal::Malformed("its expiry (exp) is no date"))?;
        if expires_at <= now - skew {
            return Err(TokenRefusal::Expired);
        }
        if self.claims.has("nbf") {
            let begins = self
                .claims
                .time("nbf")
                .ok_or(TokenRefusal::Malformed("its beginning (nbf) is no date"))?;
            if begins > now + skew {
                return Err(TokenRefusal::NotYetValid);
            }
        }
        Ok(expires_at)
    }

    /// Checks that it is a user's access token, sent by an app on the list. Returns that app.
    fn check_kind(&self, app_claim: &'static str, settings: &Settings) -> Result<Uuid, TokenRefusal> {
        let has_scope = self.scopes().next().is_some();
        let app = self.claims.guid(app_claim);
        match (app, has_scope) {
            (Some(app), _) if !settings.calling_apps.contains(&app) => {
                return Err(TokenRefusal::CallingApp(Some(app)));
            }
            // With one registration for client and API an ID token has the same issuer and audience; it names no calling app
            // and has no scope.
            (None, false) => return Err(TokenRefusal::NotAnAccessToken),
            _ => {}
        }
        // `idtyp` is an optional claim: an app's token without it still has roles and no scope.
        let app_only = self.claims.text("idtyp") == Some("app");
        if app_only || (!has_scope && self.claims.has("roles")) {
            return Err(TokenRefusal::NotAUser);
        }
        if !has_scope {
            return Err(TokenRefusal::NotAnAccessToken);
        }
        app.ok_or(TokenRefusal::CallingApp(None))
    }

    fn scopes(&self) -> impl Iterator<Item = &str> {
        self.claims
            .text("scp")
            .unwrap_or_default()
            .split_ascii_whitespace()
    }

    fn facts(&self, app: Uuid, expires_at: DateTime<Utc>) -> Result<Facts, TokenRefusal> {
        let object = self
            .claims
            .guid("oid")
            .ok_or(TokenRefusal::Malformed("its user (oid) is no GUID"))?;
        let username = ["preferred_username", "upn", "unique_name"]
            .into_iter()
            .find_map(|name| self.claims.text(name))
            .filter(|name| name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control));
        Ok(Facts {
            person: Person {
                tenant: self.tenant,
                object: ObjectId::new(object),
            },
            app,
            scopes: self.scopes().map(str::to_owned).collect(),
            roles: self.claims.texts("roles"),
            expires_at,
            unique_id: self.claims.text("uti").map(str::to_owned),
            username: username.map(str::to_owned),
            takes_claims_challenges: self
                .claims
                .texts("xms_cc")
                .iter()
                .any(|capability| capability.eq_ignore_ascii_case("cp1")),
        })
    }
}

/// RS256 and nothing else (RFC 8725, section 3.1): the token doesn't choose how it is checked.
fn check_algorithm(header: &Claims) -> Result<(), TokenRefusal> {
    if header.text("alg") != Some("RS256") {
        return Err(TokenRefusal::Algorithm);
    }
    let typed = header
        .text("typ")
        .is_some_and(|kind| kind.eq_ignore_ascii_case("JWT"));
    if header.has("typ") && !typed {
        return Err(TokenRefusal::Algorithm);
    }
    // RFC 7515, section 4.1.11: an extension that must be understood, and none is.
    if header.has("crit") {
        return Err(TokenRefusal::NotAToken(
            "its header demands an extension (crit) that is not known here",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
