//! Which tenant a subscription belongs to: ARM says so to anyone who asks without a token, in the challenge of its 401.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::StatusCode;
use moka::future::Cache;

use super::error::{ArmError, ArmErrorKind};
use super::{Arm, challenge};
use crate::domain::{SubscriptionId, TenantId};

/// `Microsoft.Resources/subscriptions`; every version answers the same without a token.
const API_VERSION: &str = "2022-12-01";
/// Far more subscriptions than one service connects.
const MAX_ENTRIES: u64 = 10_000;

/// A tenant found more recently is not discovered again before a request is refused by it.
const OF_THIS_MOMENT: Duration = Duration::from_secs(10);

/// The tenants that were discovered, and when.
pub(super) struct TenantCache {
    found: Cache<SubscriptionId, (TenantId, DateTime<Utc>)>,
    life: Duration,
}

impl TenantCache {
    pub(super) fn new(life: Duration) -> Self {
        Self {
            found: Cache::new(MAX_ENTRIES),
            life,
        }
    }

    /// Drops what is older than its life by the service's clock, so that tests can drive it.
    async fn expire(&self, subscription: SubscriptionId, now: DateTime<Utc>) {
        if let Some((_, found_at)) = self.found.get(&subscription).await
            && (now - found_at).to_std().is_ok_and(|age| age >= self.life)
        {
            self.found.invalidate(&subscription).await;
        }
    }
}

impl Arm {
    /// The tenant that this subscription belongs to, cached for [`super::Settings::tenant_cache`].
    /// Concurrent callers share one call; failures are not cached.
    ///
    /// # Errors
    /// `Refused` when ARM knows no such subscription (`SubscriptionNotFound`); `Unreadable` when its challenge names no
    /// single tenant; otherwise as every call.
    pub async fn tenant_of(&self, subscription: SubscriptionId) -> Result<TenantId, ArmError> {
        let cache = &self.0.tenants;
        cache.expire(subscription, self.0.clock.now()).await;
        let found = cache.found.try_get_with(subscription, async {
            let tenant = self.discover(subscription).await?;
            Ok::<_, ArmError>((tenant, self.0.clock.now()))
        });
        found
            .await
            .map(|(tenant, _)| tenant)
            .map_err(|error| ArmError::clone(&error))
    }

    /// Whether the subscription belongs to another tenant than the cached one. What was found a moment ago is not
    /// asked again.
    ///
    /// # Errors
    /// As [`Arm::tenant_of`].
    pub async fn has_moved(&self, subscription: SubscriptionId) -> Result<bool, ArmError> {
        let cache = &self.0.tenants;
        let Some((before, found_at)) = cache.found.get(&subscription).await else {
            return Ok(false);
        };
        let age = (self.0.clock.now() - found_at).to_std().unwrap_or_default();
        if age < OF_THIS_MOMENT {
            return Ok(false);
        }
        let now = self.discover(subscription).await?;
        cache.found.insert(subscription, (now, self.0.clock.now())).await;
        Ok(now != before)
    }

    /// Invalidates the cached tenant: an answer `InvalidAuthenticationTokenTenant` says that what was cached
    /// may be out of date.
    pub async fn forget_tenant_of(&self, subscription: SubscriptionId) {
        self.0.tenants.found.invalidate(&subscription).await;
    }

    async fn discover(&self, subscription: SubscriptionId) -> Result<TenantId, ArmError> {
        let id = subscription.to_string();
        let url = self.url_of(["subscriptions", &id].into_iter(), API_VERSION);
        self.read("GET subscription's tenant", url, None, |answer| {
            if answer.status == StatusCode::UNAUTHORIZED {
                let tenant = challenge::tenant(&challenge::challenges(&answer.headers));
                return tenant.ok_or_else(|| answer.error(ArmErrorKind::Unreadable));
            }
            // A success would be as strange: the call was anonymous.
            let answer = answer.success(&self.0.settings.endpoint)?;
            Err(answer.error(ArmErrorKind::Unreadable))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::testing::{Reply, SOURCE, ScriptedArm, TARGET, clock, reply};

    fn challenge_of(tenant: &str) -> Reply {
        let header = format!(
            "WWW-Authenticate: Bearer authorization_uri=\"https://login.windows.net/{tenant}\", error=\"invalid_token\""
        );
        reply(401, &[&header], r#"{"error":{"code":"AuthenticationFailed"}}"#)
    }

    fn subscription() -> SubscriptionId {
        SOURCE.parse().expect("a GUID")
    }

    #[tokio::test]
    async fn the_tenant_is_asked_for_without_a_token_and_remembered_for_its_life() {
        let server = ScriptedArm::start(vec![challenge_of(TARGET), challenge_of(SOURCE)]);
        let clock = clock();
        let arm = server.arm_with(clock.clone());
        for _ in 0..2 {
            assert_eq!(
                arm.tenant_of(subscription()).await.expect("a tenant").to_string(),
                TARGET
            );
        }
        clock.advance(Duration::from_secs(3600));
        assert_eq!(
            arm.tenant_of(subscription()).await.expect("a tenant").to_string(),
            SOURCE
        );
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        assert!(requests[0].starts_with(&format!("GET /subscriptions/{SOURCE}?api-version=2022-12-01 ")));
        assert!(!requests[0].contains("authorization"), "{}", requests[0]);
    }

    #[tokio::test]
    async fn callers_at_the_same_time_share_one_question_and_a_forgotten_tenant_is_asked_for_again() {
        let server = ScriptedArm::start(vec![challenge_of(TARGET), challenge_of(SOURCE)]);
        let arm = server.arm();
        let (one, other) = tokio::join!(arm.tenant_of(subscription()), arm.tenant_of(subscription()));
        assert_eq!(one.expect("a tenant"), other.expect("a tenant"));
        assert_eq!(server.requests().len(), 1);
        arm.forget_tenant_of(subscription()).await;
        assert_eq!(
            arm.tenant_of(subscription()).await.expect("a tenant").to_string(),
            SOURCE
        );
    }

    #[tokio::test]
    async fn what_was_remembered_is_asked_again_where_somebody_would_be_refused_by_it_but_not_again_and_again()
     {
        let server = ScriptedArm::start(vec![
            challenge_of(TARGET),
            challenge_of(TARGET),
            challenge_of(SOURCE),
            reply(404, &[], r#"{"error":{"code":"SubscriptionNotFound"}}"#),
        ]);
        let clock = clock();
        let arm = server.arm_with(clock.clone());
        arm.tenant_of(subscription()).await.expect("a tenant");
        let moved = async |after| {
            clock.advance(Duration::from_secs(after));
            arm.has_moved(subscription()).await.map_err(|error| error.kind)
        };
        assert_eq!(moved(0).await, Ok(false));
        assert_eq!(server.requests().len(), 1);
        assert_eq!(moved(10).await, Ok(false));
        assert_eq!(moved(9).await, Ok(false));
        assert_eq!(server.requests().len(), 2);
        assert_eq!(moved(1).await, Ok(true));
        let now = arm.tenant_of(subscription()).await.expect("a tenant");
        assert_eq!((now.to_string().as_str(), server.requests().len()), (SOURCE, 3));
        assert!(moved(10).await.is_err());
    }

    #[tokio::test]
    async fn an_unknown_subscription_is_a_refusal_and_is_not_remembered() {
        let unknown = r#"{"error":{"code":"SubscriptionNotFound","message":"It could not be found."}}"#;
        let server = ScriptedArm::start(vec![reply(404, &[], unknown), challenge_of(TARGET)]);
        let arm = server.arm();
        let error = arm
            .tenant_of(subscription())
            .await
            .expect_err("no such subscription");
        assert!(
            error.is_code("subscriptionnotfound") && error.status() == Some(404),
            "{error}"
        );
        assert!(arm.tenant_of(subscription()).await.is_ok());
    }

    #[tokio::test]
    async fn a_challenge_without_a_tenant_a_success_and_an_outage_are_no_tenant() {
        let server = ScriptedArm::start(vec![
            challenge_of("common"),
            reply(200, &[], "{}"),
            reply(503, &[], ""),
        ]);
        let arm = server.arm();
        for _ in 0..2 {
            let error = arm.tenant_of(subscription()).await.expect_err("no tenant");
            assert_eq!(error.kind, ArmErrorKind::Unreadable);
        }
        let error = arm.tenant_of(subscription()).await.expect_err("an outage");
        assert!(matches!(error.kind, ArmErrorKind::ServerError(_)), "{error}");
    }
}
