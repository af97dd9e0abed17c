//! The token that a step reads with: the caller's; where there is none, or it is refused or can't be had now, the service's own
//! if the target's tenant granted it reads; else the operation waits, for a caller or for Entra.

use super::{challenge, commit, follow, tokens};
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

/// The target tenant's token, to read with.
pub(super) async fn reading(job: &mut Job) -> Step<ReadToken> {
    if let Some((refused, awaited)) = &job.tokens.unreadable
        && *refused == job.tokens.tried
    {
        let awaited = awaited.clone();
        return reading_by_itself(job, awaited, None).await;
    }
    let tenant = job.record.target_tenant;
    match tokens::exchange(job, Access::Read, &[tenant]).await? {
        Exchanged::Tokens(mut tokens) => match tokens.pop() {
            Some(token) => {
                job.tokens.by_service = false;
                Ok(ReadToken::Callers(token))
            }
            None => reading_by_itself(job, tenant.into(), None).await,
        },
        Exchanged::Later(pause) => reading_by_itself(job, tenant.into(), Some(pause)).await,
        Exchanged::Lacking(awaited) => reading_by_itself(job, awaited, None).await,
    }
}

/// `later` says when the caller's token is worth another try, if it is.
async fn reading_by_itself(job: &mut Job, awaited: Awaiting, later: Option<Duration>) -> Step<ReadToken> {
    let (driver, record) = (job.driver.clone(), job.record.clone());
    let own = match job.lease.keep(driver.tokens.own.token(&record)).await? {
        OwnToken::Held(token) => {
            job.tokens.by_service = true;
            return Ok(ReadToken::Own(token));
        }
        OwnToken::Later(asked) => Some(asked.unwrap_or_else(|| job.next_pause())),
        OwnToken::None => None,
    };
    let next = match later.into_iter().chain(own).min() {
        Some(pause) => tokens::pause_or_await(job, pause, awaited).await?,
        None => commit::await_caller(job, awaited).await?,
    };
    Err(match next {
        NextAction::RetryAfter(pause) => early(follow::look_again_after(job, pause).await),
        NextAction::Done => Stop::Next(NextAction::Done),
    })
}

/// ARM refused a read to the token that was used for it: the next step takes another, or waits for one.
pub(super) async fn reading_refused(job: &mut Job, error: &ArmError) -> Step {
    let target = job.record.target_tenant;
    if job.tokens.by_service {
        job.driver.tokens.own.refused(&job.record, error.status()).await;
        // Of nobody that a caller could answer for.
        return commit::await_caller(job, target).await;
    }
    job.tokens.unreadable = Some((job.tokens.tried, challenge::demanded(job, error.refusal())));
    Ok(NextAction::RetryAfter(Duration::ZERO))
}
