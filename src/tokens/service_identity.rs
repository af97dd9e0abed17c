//! The service's own reads, in tenants that granted it a role: they settle operations without a caller's token. No write accepts its
//! token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::authz::TenantPolicy;
use crate::domain::{ConnectionId, ConnectionRecord, TenantId};
use crate::entra::{Entra, ExchangeErrorKind};
use crate::tokens::TokenOutcome;
use crate::upstream::{ArmToken, ServicePrincipal};

/// How long a denial is cached, in multiples of `poll_max`.
const DENIAL_POLLS: u32 = 6;

/// What was denied to the service's own token, and until when it is not requested again.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<Refused, Instant>>);

/// Where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Refused {
    /// Entra issues no token: consent is missing, or the service has no principal there.
    In(TenantId),
    /// ARM doesn't let it read this connection: a role is missing, perhaps on this cluster alone.
    To(ConnectionId),
}

impl Refusals {
    fn contains(&self, what: Refused) -> bool {
        let mut refused = self.locked();
        refused.retain(|_, until| *until > Instant::now());
        refused.contains_key(&what)
    }

    fn add(&self, what: Refused, life: Duration) {
        self.locked().insert(what, Instant::now() + life);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Refused, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service's own token, in the tenants that granted it reads. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ServiceIdentity {
    entra: Entra,
    policy: Arc<TenantPolicy>,
    refusals: Arc<Refusals>,
    /// The longest pause between two polls of an operation.
    poll_max: Duration,
}

impl ServiceIdentity {
    /// The identity that Entra knows, where the policy says that it may read.
    pub(crate) fn new(entra: Entra, policy: Arc<TenantPolicy>, poll_max: Duration) -> Self {
        Self {
            entra,
            policy,
            refusals: Arc::default(),
            poll_max,
        }
    }

    /// A token with which the service itself may read a connection's target. Missing where it was granted no reads, or they were
    /// denied a while ago.
    pub(crate) async fn token(&self, record: &ConnectionRecord) -> TokenOutcome<ArmToken<ServicePrincipal>> {
        let (tenant, refusals) = (record.target_tenant, &self.refusals);
        let granted = self.policy.readable_targets().any(|granted| granted == tenant);
        if !granted || refusals.contains(Refused::In(tenant)) || refusals.contains(Refused::To(record.id)) {
            return TokenOutcome::Missing(tenant.into());
        }
        match self.entra.service_token(tenant).await {
            Ok(token) => TokenOutcome::Token(token),
            Err(error) => match error.kind {
                ExchangeErrorKind::Throttled { retry_after }
                | ExchangeErrorKind::Unavailable { retry_after } => TokenOutcome::Later(retry_after),
                _ => {
                    refusals.add(Refused::In(tenant), self.denial_lifetime());
                    TokenOutcome::Missing(tenant.into())
                }
            },
        }
    }

    /// ARM refused a read of this connection to the service's own token: it is not tried again for a while.
    pub(crate) async fn refused(&self, record: &ConnectionRecord, status: Option<u16>) {
        self.refusals.add(Refused::To(record.id), self.denial_lifetime());
        // What is wrong with the token itself, another may not have. What it may do doesn't stand in it.
        if status == Some(401) {
            self.entra.forget_service_token(record.target_tenant).await;
        }
    }

    /// How long the service leaves alone what was refused to its own token.
    fn denial_lifetime(&self) -> Duration {
        self.poll_max * DENIAL_POLLS
    }

    /// How long the service itself does not try an operation that waits for a caller.
    pub(crate) fn recheck_delay(&self, record: &ConnectionRecord) -> Duration {
        let own = self
            .policy
            .readable_targets()
            .any(|tenant| tenant == record.target_tenant);
        if own {
            self.denial_lifetime()
        } else {
            self.poll_max
        }
    }

    /// The tenants where the service can read by itself.
    pub(crate) fn tenants(&self) -> Vec<uuid::Uuid> {
        self.policy.readable_targets().map(TenantId::uuid).collect()
    }
}
