//! The tenants that a request involves, according to ARM and never to the caller, and whether they may be connected.

use crate::arm::{ArmError, from_arm, upstream_of};
use crate::authz::Side;
use crate::domain::{Code, Error, NewConnection, Refusal, SubscriptionId, Target, TenantId};
use crate::sources;
use std::sync::Arc;

use super::TenantPolicy;
use crate::arm::Arm;
use crate::domain::ConnectionRecord;

/// The tenants of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TenantPair {
    pub(crate) target: TenantId,
    pub(crate) source: TenantId,
}

impl TenantPair {
    /// Each tenant once.
    pub(crate) fn distinct(self) -> Vec<TenantId> {
        if self.target == self.source {
            vec![self.target]
        } else {
            vec![self.target, self.source]
        }
    }
}

/// Which tenants own the subscriptions of a request, and whether they may be connected. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tenants {
    arm: Arm,
    policy: Arc<TenantPolicy>,
}

impl Tenants {
    /// Tenants as ARM knows them, under this policy.
    pub(crate) fn new(arm: Arm, policy: Arc<TenantPolicy>) -> Self {
        Self { arm, policy }
    }

    /// Whether the policy allows a tenant on a side.
    pub(crate) fn allows(&self, tenant: TenantId, side: Side) -> bool {
        self.policy.allows(tenant, side)
    }

    /// The tenant that owns the service's registration.
    pub(crate) fn home(&self) -> Option<TenantId> {
        self.policy.home
    }

    /// Asks ARM for the tenants of both subscriptions and checks them against the configuration, before any token leaves.
    pub(crate) async fn of_request(&self, request: &NewConnection) -> Result<TenantPair, Error> {
        let (target, source) = subscriptions(request);
        let (target_pointer, source_pointer) = (Target::DATABASE_POINTER, sources::pointer(&request.source));
        let (target_tenant, source_tenant) = tokio::join!(
            self.of_subscription(target, target_pointer),
            self.of_subscription(source, source_pointer)
        );
        let tenants = match (target_tenant, source_tenant) {
            (Ok(target), Ok(source)) => TenantPair { target, source },
            (Err(target), Err(source)) => return Err(both(target, source)),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => return Err(error),
        };
        let target = self.require_allowed(tenants.target, Side::Target, "target", target_pointer);
        let source = self.require_allowed(tenants.source, Side::Source, "source", source_pointer);
        match (target, source) {
            (Ok(()), Ok(())) => {}
            (Err(target), Err(source)) => return Err(both(target, source)),
            (Err(error), Ok(())) | (Ok(()), Err(error)) => return Err(error),
        }
        if !self.policy.allows_pair(tenants.target, tenants.source) {
            let detail = format!(
                "this service's configuration does not allow to connect tenant {} (target) to tenant {} (source): tenants.pairs does not list the two",
                tenants.target, tenants.source
            );
            return Err(Refusal::new(Code::TenantNotAllowed, detail.clone())
                .at(source_pointer, detail)
                .into());
        }
        Ok(tenants)
    }

    /// Makes the next question for these tenants go to ARM.
    pub(crate) async fn forget(&self, request: &NewConnection) {
        let (target, source) = subscriptions(request);
        self.arm.forget_tenant_of(target).await;
        self.arm.forget_tenant_of(source).await;
    }

    /// Whether a refusal of this code, based on cached tenants, would differ now: a subscription may have moved since.
    pub(crate) async fn have_moved(&self, request: &NewConnection, code: Code) -> bool {
        // What ARM itself answered to a token of the tenant has shown that it is the right one.
        let by_tenant = matches!(
            code,
            Code::TenantNotAllowed
                | Code::AuxiliaryTokens
                | Code::AccessMissing
                | Code::ClaimsChallenge
                | Code::InvalidToken
        );
        if !by_tenant {
            return false;
        }
        let (target, source) = subscriptions(request);
        let (target, source) = tokio::join!(self.arm.has_moved(target), self.arm.has_moved(source));
        // Without an answer nothing changes: the repeat is an outage or the same refusal.
        target.unwrap_or(true) || source.unwrap_or(true)
    }

    fn require_allowed(
        &self,
        tenant: TenantId,
        direction: Side,
        side: &str,
        pointer: &str,
    ) -> Result<(), Error> {
        if self.policy.allows(tenant, direction) {
            return Ok(());
        }
        let detail = format!(
            "tenant {tenant} is not allowed as a connection's {side} by this service's configuration: neither tenants.{side}s nor tenants.pairs lists it"
        );
        Err(Refusal::new(Code::TenantNotAllowed, detail.clone())
            .at(pointer, detail)
            .into())
    }

    pub(crate) async fn of_subscription(
        &self,
        subscription: SubscriptionId,
        pointer: &str,
    ) -> Result<TenantId, Error> {
        self.arm.tenant_of(subscription).await.map_err(|error: ArmError| {
            if error.is_code("SubscriptionNotFound") || error.status() == Some(404) {
                let detail = format!("Azure knows no subscription {subscription}: check its id");
                let upstream = Some(upstream_of(&error));
                return Refusal {
                    upstream,
                    ..Refusal::new(Code::ReferenceNotFound, detail.clone())
                }
                .at(pointer, detail)
                .into();
            }
            // No token was sent, so no tenant can have challenged one.
            from_arm(&error, None)
        })
    }

    /// No token leaves for a tenant that the configuration no longer allows.
    pub(crate) fn still_allowed(&self, record: &ConnectionRecord, sends_create: bool) -> Result<(), Error> {
        let (target, source) = (record.target_tenant, record.source_tenant);
        let allowed = if sends_create {
            self.policy.allows_pair(target, source)
        } else {
            self.policy.allows(target, Side::Target)
        };
        if allowed {
            return Ok(());
        }
        let detail = format!(
            "this service's configuration no longer allows connections from tenant {source} to tenant {target}; until it does again, the operation cannot continue"
        );
        Err(Refusal::new(Code::TenantNotAllowed, detail).into())
    }

    /// No token leaves for a tenant that is no longer allowed.
    pub(crate) fn removal_allowed(&self, record: &ConnectionRecord) -> Result<(), Error> {
        if self.policy.allows(record.target_tenant, Side::Target) {
            return Ok(());
        }
        let detail = format!(
            "tenant {} is no longer allowed as a connection's target by this service's configuration; until it is again, nothing can be removed there",
            record.target_tenant
        );
        Err(Refusal::new(Code::TenantNotAllowed, detail).into())
    }
}

/// Whether ARM said that a subscription belongs to another tenant than the token of the call.
pub(crate) fn is_of_another_tenant(error: &Error) -> bool {
    let Error::Refused(refusal) = error else {
        return false;
    };
    let code = refusal
        .upstream
        .as_ref()
        .and_then(|answer| answer.code.as_deref());
    code.is_some_and(|code| code.eq_ignore_ascii_case("InvalidAuthenticationTokenTenant"))
}

/// The subscriptions of the target and of the source.
fn subscriptions(request: &NewConnection) -> (SubscriptionId, SubscriptionId) {
    let (target, source) = (&request.target.database, request.source.resource());
    (target.subscription(), source.subscription())
}

/// One error for the findings of both sides. An outage comes first, since the rest may differ after it.
fn both(target: Error, source: Error) -> Error {
    match (target, source) {
        (Error::Refused(target), Error::Refused(source)) if target.code == source.code => {
            let (mut refusal, mut other) = (*target, *source);
            refusal.detail = format!("{}; {}", refusal.detail, other.detail);
            refusal.errors.append(&mut other.errors);
            refusal.into()
        }
        (target, Error::Refused(_)) => target,
        (_, source) => source,
    }
}
