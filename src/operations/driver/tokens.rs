//! The tokens a step uses: exchanged anew from the caller's, through the cache, each time they are needed.

use std::time::Duration;

use crate::arm::Credentials;
use crate::authz::Caller;
use crate::domain::Awaiting;
use crate::domain::Code;
use crate::domain::Error;
use crate::domain::OperationKind;
use crate::domain::TenantId;
use crate::operations::driver::Job;
use crate::operations::driver::{NextAction, Step, early};
use crate::tokens::store::Access;
use crate::upstream::ArmToken;

/// What an exchange of the caller's tokens came to.
pub(crate) enum Exchanged {
    /// One for each tenant.
    Tokens(Vec<ArmToken>),
    /// Entra can't answer now: worth another try after this long.
    Later(Duration),
    /// There are none, or they are taken no longer: this is wanted.
    Lacking(Awaiting),
}

impl Job {
    /// The tokens of a write: the target tenant's, and the source's where ARM needs it.
    pub(crate) async fn writing(&mut self) -> Step<Credentials> {
        let (target, source) = (self.record.target_tenant, self.record.source_tenant);
        let cross_tenant = target != source;
        let needs_source =
            cross_tenant && (self.claim.record.kind == OperationKind::Create || self.with_auxiliary);
        let tenants = if needs_source {
            vec![target, source]
        } else {
            vec![target]
        };
        match self.exchange(Access::Write, &tenants).await? {
            Exchanged::Tokens(tokens) => {
                let mut tokens = tokens.into_iter();
                match tokens.next() {
                    Some(primary) => {
                        self.by_service = false;
                        Ok(Credentials {
                            primary,
                            auxiliary: tokens.collect(),
                        })
                    }
                    None => Err(early(self.await_caller(target).await)),
                }
            }
            Exchanged::Later(pause) => Err(early(self.pause_or_await(pause, target).await)),
            Exchanged::Lacking(awaited) => Err(early(self.await_caller(awaited).await)),
        }
    }

    /// Whose tokens are used: the operation's own, or to read, those of another one of the same connection. Whoever asked for
    /// that one may see this one.
    fn caller_for(&mut self, wanted: Access) -> Option<Caller> {
        let store = &self.driver.tokens.store;
        let own = store.for_use(self.claim.record.id, wanted);
        self.borrowed = None;
        if own.is_some() || wanted == Access::Write {
            return own;
        }
        let (caller, stamp) = store.to_borrow(self.record.id, self.driver.clock.now())?;
        self.borrowed = Some(stamp);
        Some(caller)
    }

    pub(crate) async fn exchange(
        &mut self,
        wanted: Access,
        tenants: &[TenantId],
    ) -> Result<Exchanged, Error> {
        let target = self.record.target_tenant;
        let Some(caller) = self.caller_for(wanted) else {
            return Ok(Exchanged::Lacking(target.into()));
        };
        let driver = self.driver.clone();
        match self
            .with_lease_renewal(driver.tokens.exchange.all(&caller, tenants))
            .await?
        {
            Ok(tokens) => {
                if wanted == Access::Write {
                    self.writer = Some(caller);
                }
                Ok(Exchanged::Tokens(tokens))
            }
            Err(Error::Unavailable(unavailable)) => {
                let pause = unavailable.retry_after.unwrap_or_else(|| self.next_pause());
                self.put_off_tokens(pause);
                Ok(Exchanged::Later(pause))
            }
            // Nothing was said of the caller's tokens: they are as good as before when the operator has mended it.
            Err(Error::Refused(refusal)) if refusal.code == Code::UpstreamRefused => {
                tracing::warn!(
                    operation.id = %self.claim.record.id,
                    refusal.detail = %refusal.detail,
                    "the operation's tokens could not be exchanged"
                );
                Ok(Exchanged::Later(self.driver.settings.poll_max))
            }
            Err(Error::Refused(refusal)) => {
                tracing::info!(
                    operation.id = %self.claim.record.id,
                    refusal.code = refusal.code.as_str(),
                    "the operation's tokens are taken no longer"
                );
                let named = refusal.missing.first().map(|missing| missing.tenant);
                Ok(Exchanged::Lacking(match refusal.wanted {
                    Some(wanted) => *wanted,
                    None => named.unwrap_or(target).into(),
                }))
            }
            Err(error) => Err(error),
        }
    }

    /// Entra gives no token for so long. Others may bring one that it gives something for, so a long pause is a wait for a caller.
    pub(crate) async fn pause_or_await(&mut self, pause: Duration, awaited: impl Into<Awaiting>) -> Step {
        if self.is_too_long(pause) {
            return self.await_caller(awaited).await;
        }
        Ok(NextAction::RetryAfter(pause))
    }

    /// Entra gives nothing for this long for the tokens that were just tried, the operation's own or borrowed ones: they stay, and
    /// are tried again after it.
    pub(crate) fn put_off_tokens(&self, pause: Duration) {
        if let Some(tried) = self.borrowed.or(self.tried)
            && self.is_too_long(pause)
        {
            let until = self.driver.clock.now() + pause;
            self.driver.tokens.store.put_off(tried, until);
        }
    }

    fn is_too_long(&self, pause: Duration) -> bool {
        pause > self.driver.settings.poll_max
    }
}
