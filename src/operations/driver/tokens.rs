//! The tokens a step uses: a caller's, exchanged anew through the cache each time; to read, the service's own where the target's tenant
//! granted it; else the operation waits.

use crate::arm::{ArmError, Credentials};
use crate::authz::Caller;
use crate::domain::{Awaiting, Code, Error, OperationKind, Person, TenantId};
use crate::operations::driver::job::{Job, NextAction, Step, Stop, early};
use crate::operations::driver::outcome;
use crate::tokens::service_identity::OwnToken;
use crate::tokens::store::Access;
use crate::upstream::{ArmToken, Bearer, ServiceToken};
use http::HeaderValue;
use std::time::Duration;
/// What an exchange of the caller's tokens came to.
pub(crate) enum Exchanged {
    /// One for each tenant.
    Tokens(Vec<ArmToken>),
    /// Entra can't answer now: worth another try after this long.
    Later(Duration),
    /// There are none, or they are taken no longer: this is wanted.
    Lacking(Awaiting),
}

/// The tokens of a write: the target tenant's, and the source's where ARM needs it.
pub(crate) async fn writing(job: &mut Job) -> Step<Credentials> {
    let (target, source) = (job.record.target_tenant, job.record.source_tenant);
    let cross_tenant = target != source;
    let needs_source = cross_tenant && (job.claim.record.kind == OperationKind::Create || job.with_auxiliary);
    let tenants = if needs_source {
        vec![target, source]
    } else {
        vec![target]
    };
    match exchange(job, Access::Write, &tenants).await? {
        Exchanged::Tokens(tokens) => {
            let mut tokens = tokens.into_iter();
            match tokens.next() {
                Some(primary) => {
                    job.tokens.by_service = false;
                    Ok(Credentials {
                        primary,
                        auxiliary: tokens.collect(),
                    })
                }
                None => Err(early(outcome::await_caller(job, target).await)),
            }
        }
        Exchanged::Later(pause) => Err(early(pause_or_await(job, pause, target).await)),
        Exchanged::Lacking(awaited) => Err(early(outcome::await_caller(job, awaited).await)),
    }
}

/// Whose tokens are used: the operation's own, or to read, those of another one of the same connection. Whoever asked for
/// that one may see this one.
pub(crate) fn caller_for(job: &mut Job, wanted: Access) -> Option<Caller> {
    let store = &job.driver.tokens.store;
    let own = store.for_use(job.claim.record.id, wanted, job.driver.clock.now());
    job.tokens.borrowed = None;
    if own.is_some() || wanted == Access::Write {
        return own;
    }
    let (caller, stamp) = store.to_borrow(job.record.id, job.driver.clock.now())?;
    job.tokens.borrowed = Some(stamp);
    Some(caller)
}

pub(crate) async fn exchange(job: &mut Job, wanted: Access, tenants: &[TenantId]) -> Step<Exchanged> {
    let target = job.record.target_tenant;
    let Some(caller) = caller_for(job, wanted) else {
        // They may have gone since the operation was claimed for them: it waits for the same as before.
        let awaited = job.token_to_write();
        let is_enough = wanted == Access::Write || awaited.tenant == target;
        return Ok(Exchanged::Lacking(if is_enough {
            awaited
        } else {
            target.into()
        }));
    };
    let driver = job.driver.clone();
    match job
        .lease
        .keep(driver.tokens.exchange.all(&caller, tenants))
        .await?
    {
        Ok(tokens) => {
            if wanted == Access::Write {
                job.tokens.writer = Some(caller);
            }
            Ok(Exchanged::Tokens(tokens))
        }
        Err(Error::Unavailable(unavailable)) => {
            let pause = unavailable.retry_after.unwrap_or_else(|| job.next_pause());
            put_off_tokens(job, pause);
            Ok(Exchanged::Later(pause))
        }
        // Nothing was said of the caller's tokens: they are as good as before when the operator has mended it.
        Err(Error::Refused(refusal)) if refusal.code == Code::UpstreamRefused => {
            tracing::warn!(
                operation.id = %job.claim.record.id,
                refusal.detail = %refusal.detail,
                "the operation's tokens could not be exchanged"
            );
            Ok(Exchanged::Later(job.driver.settings.poll_max))
        }
        Err(Error::Refused(refusal)) => {
            tracing::info!(
                operation.id = %job.claim.record.id,
                refusal.code = refusal.code.as_str(),
                "the operation's tokens are taken no longer"
            );
            let named = refusal.missing.first().map(|missing| missing.tenant);
            Ok(Exchanged::Lacking(match refusal.wanted {
                Some(wanted) => *wanted,
                None => named.unwrap_or(target).into(),
            }))
        }
        Err(error) => Err(error.into()),
    }
}

/// Entra gives no token for so long. Others may bring one that it gives something for, so a long pause is a wait for a caller.
pub(crate) async fn pause_or_await(job: &mut Job, pause: Duration, awaited: impl Into<Awaiting>) -> Step {
    if is_too_long(job, pause) {
        return outcome::await_caller(job, awaited).await;
    }
    Ok(NextAction::RetryAfter(pause))
}

/// Entra gives nothing for this long for the tokens that were just tried, the operation's own or borrowed ones: they stay, and
/// are tried again after it.
pub(crate) fn put_off_tokens(job: &Job, pause: Duration) {
    if let Some(tried) = job.tokens.borrowed.or(job.tokens.tried)
        && is_too_long(job, pause)
    {
        let until = job.driver.clock.now() + pause;
        job.driver.tokens.store.put_off(tried, until);
    }
}

pub(crate) fn is_too_long(job: &Job, pause: Duration) -> bool {
    pause > job.driver.settings.poll_max
}

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

/// The target tenant's token, to read with.
pub(crate) async fn reading(job: &mut Job) -> Step<ReadToken> {
    if let Some((refused, awaited)) = &job.tokens.unreadable
        && *refused == job.tokens.tried
    {
        let awaited = awaited.clone();
        return reading_by_itself(job, awaited, None).await;
    }
    let tenant = job.record.target_tenant;
    match exchange(job, Access::Read, &[tenant]).await? {
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
pub(crate) async fn reading_by_itself(
    job: &mut Job,
    awaited: Awaiting,
    later: Option<Duration>,
) -> Step<ReadToken> {
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
        Some(pause) => pause_or_await(job, pause, awaited).await?,
        None => outcome::await_caller(job, awaited).await?,
    };
    Err(match next {
        NextAction::RetryAfter(pause) => early(outcome::look_again_after(job, pause).await),
        next => Stop::Next(next),
    })
}

/// ARM refused a read to the token that was used for it: the next step takes another, or waits for one.
pub(crate) async fn reading_refused(job: &mut Job, error: &ArmError) -> Step {
    let target = job.record.target_tenant;
    if job.tokens.by_service {
        job.driver.tokens.own.refused(&job.record, error.status()).await;
        // Of nobody that a caller could answer for.
        return outcome::await_caller(job, target).await;
    }
    job.tokens.unreadable = Some((job.tokens.tried, job.demanded(error.refusal())));
    Ok(NextAction::RetryAfter(Duration::ZERO))
}
