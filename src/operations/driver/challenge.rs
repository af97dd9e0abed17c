//! More proof of who asks, which ARM demands of a write's token and which the write was not carried out without. The caller's
//! sign-in may have it, so Entra is asked once; else the operation waits for somebody who signs in with the claims.

use std::time::Duration;

use crate::arm::failure_of;
use crate::arm::{ArmError, Refusal};
use crate::domain::Awaiting;
use crate::domain::Code;
use crate::domain::Error;
use crate::domain::EventKind;
use crate::domain::OperationKind;
use crate::domain::Phase;
use crate::entra::ExchangeErrorKind;
use crate::ledger::details;
use crate::operations::driver::Job;
use crate::operations::driver::commit::Change;
use crate::operations::driver::{NextAction, Step};

/// What Entra said to the claims.
enum Answer {
    /// Here is a token with them.
    Token,
    /// Ask after this long.
    Later(Duration),
    /// Not with this sign-in.
    No,
}

impl Job {
    /// The token that ARM wants instead of the one that it refused.
    pub(crate) fn demanded(&self, refusal: Option<&Refusal>) -> Awaiting {
        let tenant = refusal.and_then(|refusal| refusal.claims_tenant);
        Awaiting {
            tenant: tenant.unwrap_or(self.record.target_tenant),
            claims: refusal.and_then(|refusal| refusal.claims.clone()),
        }
    }

    /// ARM did nothing, and demands claims of the token.
    pub(crate) async fn challenged(&mut self, error: &ArmError) -> Step {
        let awaited = self.demanded(error.refusal());
        self.requeue_rejected(error).await?;
        match self.answer(&awaited).await? {
            Answer::Token => Ok(NextAction::RetryAfter(Duration::ZERO)),
            Answer::Later(pause) => self.pause_or_await(pause, awaited).await,
            Answer::No => self.await_caller(awaited).await,
        }
    }

    /// ARM refused the change to whoever asked last, and did nothing: it waits, for somebody who brings more, as if it had never
    /// been sent. What is at ARM is what was there before.
    pub(crate) async fn hold(&mut self, error: &ArmError, awaited: Awaiting) -> Step {
        self.requeue_rejected(error).await?;
        self.await_caller(awaited).await
    }

    async fn requeue_rejected(&mut self, error: &ArmError) -> Step<()> {
        let (kind, code) = match self.claim.record.kind {
            OperationKind::Create => (EventKind::CreateHeld, Code::ClaimsChallenge),
            OperationKind::Remove => (EventKind::RemoveHeld, Code::AzureRefused),
        };
        let details = details::failure(&failure_of(code, error));
        self.commit(Change {
            event: Some((kind, details)),
            ..self.change("the change waits for another token", Phase::Queued)
        })
        .await
    }

    /// Asks Entra for a token with the claims, once for each sign-in that was brought: one that ARM demands more of again would
    /// be asked about without end.
    async fn answer(&mut self, awaited: &Awaiting) -> Result<Answer, Error> {
        let (driver, operation) = (self.driver.clone(), self.claim.record.id);
        let Some(claims) = awaited.claims.as_deref() else {
            return Ok(Answer::No);
        };
        let Some(caller) = driver.tokens.store.to_answer(operation) else {
            return Ok(Answer::No);
        };
        let token = caller.token_for(awaited.tenant);
        let asked = driver
            .tokens
            .exchange
            .answer_challenge(token, awaited.tenant, claims);
        let answer = match self.with_lease_renewal(asked).await? {
            Ok(_) => Answer::Token,
            Err(error) => match &error.kind {
                ExchangeErrorKind::Throttled { retry_after }
                | ExchangeErrorKind::Unavailable { retry_after } => {
                    let pause = retry_after.unwrap_or_else(|| self.growing_pause());
                    self.put_off_tokens(pause);
                    return Ok(Answer::Later(pause));
                }
                kind if kind.is_the_operators() => {
                    return Ok(Answer::Later(self.driver.settings.poll_max));
                }
                _ => Answer::No,
            },
        };
        driver.tokens.store.answered(operation);
        Ok(answer)
    }
}
