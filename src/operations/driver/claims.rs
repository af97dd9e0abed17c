//! More proof of who asks, which ARM demands of a write's token and without which the write was not carried out. Entra is asked once;
//! else the operation waits for a caller who signs in with the claims.

use crate::arm::{ArmError, failure_of};
use crate::domain::{Awaiting, Code, EventKind, OperationKind, Phase};
use crate::entra::ExchangeErrorKind;
use crate::ledger::details;
use crate::operations::driver::job::{Job, NextAction, Step};
use crate::operations::driver::transition::Transition;
use crate::operations::driver::{outcome, tokens, transition};
use std::time::Duration;
/// What Entra said to the claims.
pub(crate) enum Answer {
    /// Here is a token with them.
    Token,
    /// Ask after this long.
    Later(Duration),
    /// Not with this sign-in.
    No,
}

/// ARM did nothing, and demands claims of the token.
pub(crate) async fn challenged(job: &mut Job, error: &ArmError) -> Step {
    let awaited = job.demanded(error.refusal());
    requeue_rejected(job, error).await?;
    match answer_challenge(job, &awaited).await? {
        Answer::Token => Ok(NextAction::RetryAfter(Duration::ZERO)),
        Answer::Later(pause) => tokens::pause_or_await(job, pause, awaited).await,
        Answer::No => outcome::await_caller(job, awaited).await,
    }
}

/// ARM refused the change to whoever asked last, and did nothing: it waits, for somebody who brings more, as if it had never
/// been sent. What is at ARM is what was there before.
pub(crate) async fn hold(job: &mut Job, error: &ArmError, awaited: Awaiting) -> Step {
    requeue_rejected(job, error).await?;
    outcome::await_caller(job, awaited).await
}

pub(crate) async fn requeue_rejected(job: &mut Job, error: &ArmError) -> Step<()> {
    let (kind, code) = match job.claim.record.kind {
        OperationKind::Create => (EventKind::CreateHeld, Code::ClaimsChallenge),
        OperationKind::Remove => (EventKind::RemoveHeld, Code::AzureRefused),
    };
    let details = details::failure(&failure_of(code, error));
    transition::commit(
        job,
        Transition {
            event: Some((kind, details)),
            ..transition::to_phase(job, "the change waits for another token", Phase::Queued)
        },
    )
    .await
}

/// Asks Entra for a token with the claims, once for each sign-in that was brought: one that ARM demands more of again would
/// be asked about without end.
pub(crate) async fn answer_challenge(job: &mut Job, awaited: &Awaiting) -> Step<Answer> {
    let (driver, operation) = (job.driver.clone(), job.claim.record.id);
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
    let answer = match job.lease.keep(asked).await? {
        Ok(_) => Answer::Token,
        Err(error) => match &error.kind {
            ExchangeErrorKind::Throttled { retry_after } | ExchangeErrorKind::Unavailable { retry_after } => {
                let pause = retry_after.unwrap_or_else(|| job.growing_pause());
                tokens::put_off_tokens(job, pause);
                return Ok(Answer::Later(pause));
            }
            kind if kind.is_the_operators() => {
                return Ok(Answer::Later(job.driver.settings.poll_max));
            }
            _ => Answer::No,
        },
    };
    driver.tokens.store.answered(operation);
    Ok(answer)
}
