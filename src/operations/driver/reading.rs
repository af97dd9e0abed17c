//! The token that a step reads with: the caller's; where there is none, or it is refused or can't be had now, the service's own
//! if the target's tenant granted it reads; else the operation waits, for a caller or for Entra.

use std::time::Duration;

use http::HeaderValue;

use crate::arm::ArmError;
use crate::domain::Awaiting;
use crate::domain::Person;
use crate::operations::driver::Job;
use crate::operations::driver::tokens::Exchanged;
use crate::operations::driver::{NextAction, Step, Stop, early};
use crate::tokens::service_identity::OwnToken;
use crate::tokens::store::Access;
use crate::upstream::ArmToken;
use crate::upstream::Bearer;
use crate::upstream::ServiceToken;

/// A token to read with.
pub(crate) enum ReadToken {
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
    pub(crate) async fn reading(&mut self) -> Step<ReadToken> {
        if let Some((refused, awaited)) = &self.unreadable
            && *refused == self.tried
        {
            let awaited = awaited.clone();
            return self.reading_by_itself(awaited, None).await;
        }
        let tenant = self.record.target_tenant;
        match self.exchange(Access::Read, &[tenant]).await? {
            Exchanged::Tokens(mut tokens) => match tokens.pop() {
                Some(token) => {
                    self.by_service = false;
                    Ok(ReadToken::Callers(token))
                }
                None => self.reading_by_itself(tenant.into(), None).await,
            },
            Exchanged::Later(pause) => self.reading_by_itself(tenant.into(), Some(pause)).await,
            Exchanged::Lacking(awaited) => self.reading_by_itself(awaited, None).await,
        }
    }

    /// `later` says when the caller's token is worth another try, if it is.
    async fn reading_by_itself(&mut self, awaited: Awaiting, later: Option<Duration>) -> Step<ReadToken> {
        let (driver, record) = (self.driver.clone(), self.record.clone());
        let own = match self.with_lease_renewal(driver.tokens.own.token(&record)).await? {
            OwnToken::Held(token) => {
                self.by_service = true;
                return Ok(ReadToken::Own(token));
            }
            OwnToken::Later(asked) => Some(asked.unwrap_or_else(|| self.next_pause())),
            OwnToken::None => None,
        };
        let next = match later.into_iter().chain(own).min() {
            Some(pause) => self.pause_or_await(pause, awaited).await?,
            None => self.await_caller(awaited).await?,
        };
        Err(match next {
            NextAction::RetryAfter(pause) => early(self.look_again_after(pause).await),
            NextAction::Done => Stop::Next(NextAction::Done),
        })
    }

    /// ARM refused a read to the token that was used for it: the next step takes another, or waits for one.
    pub(crate) async fn reading_refused(&mut self, error: &ArmError) -> Step {
        let target = self.record.target_tenant;
        if self.by_service {
            self.driver.tokens.own.refused(&self.record, error.status()).await;
            // Of nobody that a caller could answer for.
            return self.await_caller(target).await;
        }
        self.unreadable = Some((self.tried, self.demanded(error.refusal())));
        Ok(NextAction::RetryAfter(Duration::ZERO))
    }
}
