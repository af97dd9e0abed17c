//! Claims that ARM requires of a write's token, and without which it did nothing. Entra is asked for a token with them once; else the
//! operation waits for a caller who signs in with them.

use crate::arm::{ArmError, failure_of};
use crate::domain::{Awaiting, Code, EventKind, OperationKind, Phase};
use crate::entra::ExchangeErrorKind;
use crate::ledger::details;
use crate::operations::driver::job::{Job, NextAction, Step};
use crate::operations::driver::{outcome, tokens, transition};
use crate::tokens::TokenOutcome;
use std::time::Duration;

/// ARM did nothing, and requires claims of the token. What is at ARM is what was there before. The operation awaits them from this
/// commit on, so that the replica that resumes it after a lost lease knows.
pub(crate) async fn challenged(job: &mut Job, error: &ArmError) -> Step {
    let awaited = job.demanded(error.refusal());
    let (kind, code) = match job.claim.record.kind {
        OperationKind::Create => (EventKind::CreateHeld, Code::ClaimsChallenge),
        OperationKind::Remove => (EventKind::RemoveHeld, Code::AzureRefused),
    };
    let details = details::json(&details::failure(&failure_of(code, error), None));
    let mut rejected = transition::to_phase(job, "the change waits for another token", Phase::Queued);
    rejected.next.record.awaiting = Some(awaited.clone());
    rejected.event = Some((kind, details));
    transition::commit(job, rejected).await?;
    match request_claims(job, &awaited).await? {
        TokenOutcome::Token(()) => Ok(NextAction::RetryAfter(Duration::ZERO)),
        TokenOutcome::Later(asked) => {
            let pause = asked.unwrap_or_else(|| job.growing_pause());
            tokens::defer_tokens(job, pause);
            tokens::pause_or_await(job, pause, awaited).await
        }
        TokenOutcome::Missing(awaited) => outcome::await_caller(job, awaited).await,
    }
}

/// Requests a token with the claims, once for each sign-in: one of which ARM requires more again would be requested without end.
async fn request_claims(job: &mut Job, awaited: &Awaiting) -> Step<TokenOutcome<()>> {
    let missing = || Ok(TokenOutcome::Missing(awaited.clone()));
    let driver = job.driver.clone();
    let Some(claims) = awaited.claims.as_deref() else {
        return missing();
    };
    let Some(stored) = driver
        .tokens
        .store
        .for_claims(job.claim.record.id, job.claim.record.actor, job.now())
    else {
        return missing();
    };
    let token = stored.caller.token_for(awaited.tenant);
    let exchange = &driver.tokens.exchange;
    let asked = exchange.answer_challenge(token, awaited.tenant, claims);
    let outcome = match job.lease.keep(asked).await? {
        Ok(_) => TokenOutcome::Token(()),
        Err(error) => match &error.kind {
            ExchangeErrorKind::Throttled { retry_after } | ExchangeErrorKind::Unavailable { retry_after } => {
                return Ok(TokenOutcome::Later(*retry_after));
            }
            kind if kind.is_the_operators() => {
                return Ok(TokenOutcome::Later(Some(job.driver.settings.poll_max)));
            }
            _ => TokenOutcome::Missing(awaited.clone()),
        },
    };
    driver.tokens.store.set_claims_requested(stored.version);
    Ok(outcome)
}
