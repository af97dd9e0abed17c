//! Which tenant a subscription belongs to: ARM says so to anyone who asks without a token, in the challenge of its 401.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::StatusCode;
use moka::future::Cache;

use super::error::{ArmError, ArmErrorKind};
use super::{Arm, challenge};
use crate::connection::{SubscriptionId, TenantId};

/// `Microsoft.Resources/subscriptions`; every version answers the same without a token.
const API_VERSION: &str = "2022-12-01";
/// Far more subscriptions than one service connects.
const MOST: u64 = 10_000;

/// The tenants that were discovered, and when.
pub(super) struct TenantCache {
    found: Cache<SubscriptionId, (TenantId, DateTime<Utc>)>,
    life: Duration,
}

impl TenantCache {
    pub(super) fn new(life: Duration) -> Self {
        Self {
            found: Cache::new(MOST),
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
    /// The tenant that this subscription belongs to, remembered for [`super::Settings::tenant_cache`].
    /// Callers that ask at the same time share one call; failures are not remembered.
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

    /// Makes the next question go to ARM: an answer `InvalidAuthenticationTokenTenant` says that what was remembered
    /// may be out of date.
    pub async fn forget_tenant_of(&self, subscription: SubscriptionId) {
        self.0.tenants.found.invalidate(&subscription).await;
    }

    async fn discover(&self, subscription: SubscriptionId) -> Result<TenantId, ArmError> {
        let id = subscription.to_string();
        let url = self.url_of(["subscriptions", &id].into_iter(), API_VERSION);
        let answer = self.get("GET subscription's tenant", url, None).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let tenant = challenge::tenant(&challenge::challenges(&answer.headers));
            return tenant.ok_or_else(|| answer.error(ArmErrorKind::Unreadable));
        }
        // A success would be as strange: nobody was authenticated.
        let answer = answer.success(&self.0.settings.endpoint)?;
        Err(answer.error(ArmErrorKind::Unreadable))
    }
}
