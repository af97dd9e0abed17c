//! The tokens a step uses: exchanged anew from the caller's, through the cache, each time they are needed.

use super::{Job, Step};
use crate::arm::Credentials;
use crate::broker::Caller;
use crate::broker::refusal::BrokerError;
use crate::broker::vault::Use;
use crate::connection::{OperationKind, TenantId};
use crate::outbound::ArmToken;

/// Tokens, or how the step ends without them.
pub(super) enum Tokens<T> {
    Held(T),
    Missing(Step),
}

impl Job {
    /// The target tenant's token, to read with.
    pub(super) async fn reading(&mut self) -> Result<Tokens<ArmToken>, BrokerError> {
        let tenant = self.record.target_tenant;
        Ok(match self.exchange(Use::Read, &[tenant]).await? {
            Tokens::Held(mut tokens) => match tokens.pop() {
                Some(token) => Tokens::Held(token),
                None => Tokens::Missing(self.await_caller(tenant).await?),
            },
            Tokens::Missing(step) => Tokens::Missing(step),
        })
    }

    /// The tokens of a write: the target tenant's, and the source's where ARM needs it.
    pub(super) async fn writing(&mut self) -> Result<Tokens<Credentials>, BrokerError> {
        let (target, source) = (self.record.target_tenant, self.record.source_tenant);
        let cross_tenant = target != source;
        let needs_source =
            cross_tenant && (self.claim.record.kind == OperationKind::Create || self.with_auxiliary);
        let tenants = if needs_source {
            vec![target, source]
        } else {
            vec![target]
        };
        Ok(match self.exchange(Use::Write, &tenants).await? {
            Tokens::Held(tokens) => {
                let mut tokens = tokens.into_iter();
                match tokens.next() {
                    Some(primary) => Tokens::Held(Credentials {
                        primary,
                        auxiliary: tokens.collect(),
                    }),
                    None => Tokens::Missing(self.await_caller(target).await?),
                }
            }
            Tokens::Missing(step) => Tokens::Missing(step),
        })
    }

    async fn exchange(
        &mut self,
        wanted: Use,
        tenants: &[TenantId],
    ) -> Result<Tokens<Vec<ArmToken>>, BrokerError> {
        let target = self.record.target_tenant;
        let caller: Option<Caller> = self.broker.0.vault.for_use(self.claim.record.id, wanted);
        let Some(caller) = caller else {
            return Ok(Tokens::Missing(self.await_caller(target).await?));
        };
        let broker = self.broker.clone();
        match self.alive(broker.exchange_all(&caller, tenants)).await? {
            Ok(tokens) => Ok(Tokens::Held(tokens)),
            Err(BrokerError::Unavailable(unavailable)) => {
                let pause = unavailable.retry_after.unwrap_or_else(|| self.next_pause());
                Ok(Tokens::Missing(Step::Again(pause)))
            }
            Err(BrokerError::Refused(refusal)) => {
                tracing::info!(
                    operation.id = %self.claim.record.id,
                    refusal.code = refusal.code.as_str(),
                    "the operation's tokens are taken no longer"
                );
                let named = refusal.missing.first().map(|missing| missing.tenant);
                let awaited = match refusal.wanted {
                    Some(wanted) => *wanted,
                    None => named.unwrap_or(target).into(),
                };
                Ok(Tokens::Missing(self.await_caller(awaited).await?))
            }
            Err(error) => Err(error),
        }
    }
}
