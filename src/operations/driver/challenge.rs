//! More proof of who asks, which ARM demands of a write's token and which the write was not carried out without. The caller's
//! sign-in may have it, so Entra is asked once; else the operation waits for somebody who signs in with the claims.

use super::{commit, queue, tokens};
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

/// The token that ARM wants instead of the one that it refused.
pub(super) fn demanded(job: &Job, refusal: Option<&Refusal>) -> Awaiting {
    let tenant = refusal.and_then(|refusal| refusal.claims_tenant);
    Awaiting {
        tenant: tenant.unwrap_or(job.record.target_tenant),
        claims: refusal.and_then(|refusal| refusal.claims.clone()),
    }
}

/// ARM did nothing, and demands claims of the token.
pub(super) async fn challenged(job: &mut Job, error: &ArmError) -> Step {
    let awaited = demanded(job, error.refusal());
    requeue_rejected(job, error).await?;
    match answer(job, &awaited).await? {
        Answer::Token => Ok(NextAction::RetryAfter(Duration::ZERO)),
        Answer::Later(pause) => tokens::pause_or_await(job, pause, awaited).await,
        Answer::No => commit::await_caller(job, awaited).await,
    }
}

/// ARM refused the change to whoever asked last, and did nothing: it waits, for somebody who brings more, as if it had never
/// been sent. What is at ARM is what was there before.
pub(super) async fn hold(job: &mut Job, error: &ArmError, awaited: Awaiting) -> Step {
    requeue_rejected(job, error).await?;
    commit::await_caller(job, awaited).await
}

async fn requeue_rejected(job: &mut Job, error: &ArmError) -> Step<()> {
    let (kind, code) = match job.claim.record.kind {
        OperationKind::Create => (EventKind::CreateHeld, Code::ClaimsChallenge),
        OperationKind::Remove => (EventKind::RemoveHeld, Code::AzureRefused),
    };
    let details = details::failure(&failure_of(code, error));
    commit::commit(
        job,
        Change {
            event: Some((kind, details)),
            ..commit::to_phase(job, "the change waits for another token", Phase::Queued)
        },
    )
    .await
}

/// Asks Entra for a token with the claims, once for each sign-in that was brought: one that ARM demands more of again would
/// be asked about without end.
async fn answer(job: &mut Job, awaited: &Awaiting) -> Result<Answer, Error> {
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
                let pause = retry_after.unwrap_or_else(|| queue::growing_pause(job));
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
