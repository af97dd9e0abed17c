//! The token that a step reads with: the caller's; where there is none, or it is refused, the service's own if the target's
//! tenant granted it reads; else the operation waits for a caller.

use http::HeaderValue;

use super::tokens::{Exchanged, Tokens};
use super::{Job, Step};
use crate::arm::ArmError;
use crate::broker::refusal::BrokerError;
use crate::broker::service_identity::OwnToken;
use crate::broker::vault::Use;
use crate::connection::{Awaiting, Person};
use crate::outbound::{ArmToken, Bearer, ServiceToken};

/// A token to read with.
pub(super) enum ReadToken {
    Callers(ArmToken),
    Own(ServiceToken),
}

impl Bearer for ReadToken {
    fn principal(&self) -> Person {
        match self {
            Self::Callers(token) => token.principal(),
            Self::Own(token) => token.principal(),
        }
    }

    fn bearer(&self) -> Option<HeaderValue> {
        match self {
            Self::Callers(token) => token.bearer(),
            Self::Own(token) => token.bearer(),
        }
    }
}

impl Job {
    /// The target tenant's token, to read with.
    pub(super) async fn reading(&mut self) -> Result<Tokens<ReadToken>, BrokerError> {
        if let Some((refused, awaited)) = &self.unreadable
            && *refused == self.tried
        {
            let awaited = awaited.clone();
            return self.reading_by_itself(awaited).await;
        }
        let tenant = self.record.target_tenant;
        match self.exchange(Use::Read, &[tenant]).await? {
            Exchanged::Tokens(mut tokens) => match tokens.pop() {
                Some(token) => {
                    self.by_service = false;
                    Ok(Tokens::Held(ReadToken::Callers(token)))
                }
                None => self.reading_by_itself(tenant.into()).await,
            },
            Exchanged::Later(step) => Ok(Tokens::Missing(step)),
            Exchanged::Lacking(awaited) => self.reading_by_itself(awaited).await,
        }
    }

    async fn reading_by_itself(&mut self, awaited: Awaiting) -> Result<Tokens<ReadToken>, BrokerError> {
        let (broker, record) = (self.broker.clone(), self.record.clone());
        match self.alive(broker.own_token(&record)).await? {
            OwnToken::Held(token) => {
                self.by_service = true;
                Ok(Tokens::Held(ReadToken::Own(token)))
            }
            OwnToken::Later(asked) => {
                let pause = asked.unwrap_or_else(|| self.next_pause());
                Ok(Tokens::Missing(Step::Again(pause)))
            }
            OwnToken::None => Ok(Tokens::Missing(self.await_caller(awaited).await?)),
        }
    }

    /// ARM refused a read to the token that was used for it: the next step takes another, or waits for one.
    pub(super) async fn reading_refused(&mut self, error: &ArmError) -> Result<Step, BrokerError> {
        let target = self.record.target_tenant;
        if self.by_service {
            self.broker.own_token_refused(&self.record, error.status()).await;
            // Of nobody that a caller could answer for.
            return self.await_caller(target).await;
        }
        self.unreadable = Some((self.tried, self.demanded(error.refusal())));
        Ok(Step::Again(std::time::Duration::ZERO))
    }
}
