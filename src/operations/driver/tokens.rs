//! The tokens a step uses: a caller's, exchanged through the cache each time; to read, the service's own where the target's tenant
//! granted it; else the operation waits. A write needs those of the operation's recorded actor.

use crate::arm::{ArmError, Credentials};
use crate::authz::Caller;
use crate::db::operations;
use crate::domain::{Awaiting, Code, Error, OperationKind, TenantId};
use crate::operations::driver::job::{Job, NextAction, Step, Stop, early};
use crate::operations::driver::outcome;
use crate::tokens::TokenOutcome;
use crate::tokens::store::{Provider, StoredTokens};
use crate::upstream::{ArmToken, BearerToken};
use std::time::Duration;

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
    let Some(caller) = actors(job).await? else {
        // They may have gone since the operation was claimed for them: it waits for the same as before.
        return Err(early(outcome::await_caller(job, job.awaited_token()).await));
    };
    job.claim.record.app = caller.app();
    match exchange(job, &caller, &tenants).await? {
        TokenOutcome::Token(tokens) => {
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
        TokenOutcome::Later(asked) => {
            let pause = asked.unwrap_or_else(|| job.next_pause());
            Err(early(pause_or_await(job, pause, target).await))
        }
        TokenOutcome::Missing(awaited) => Err(early(outcome::await_caller(job, awaited).await)),
    }
}

/// The operation's recorded actor, if their tokens are here.
pub(crate) async fn actors(job: &mut Job) -> Result<Option<Caller>, Error> {
    let stored = job
        .driver
        .tokens
        .store
        .for_writes(job.claim.record.id, job.claim.record.actor, job.now());
    verified(job, stored).await
}

/// The caller of stored tokens, unless another person has continued the operation since they were stored: the row decides.
async fn verified(job: &mut Job, stored: Option<StoredTokens>) -> Result<Option<Caller>, Error> {
    let Some(stored) = stored else {
        return Ok(None);
    };
    let id = job.claim.record.id;
    if let Provider::Actor(actor) = stored.provider
        && actor != job.claim.record.actor
    {
        let db = &job.driver.db;
        let found = db.background(async |db| operations::find(db, id).await);
        if let Some(now) = found.await? {
            job.set_actor(now.actor, now.app);
        }
        if actor != job.claim.record.actor {
            let store = &job.driver.tokens.store;
            store.discard(id, Some(stored.version), job.now());
            return Ok(None);
        }
    }
    job.tokens.tried = Some(stored.version);
    Ok(Some(stored.caller))
}

async fn exchange(job: &mut Job, caller: &Caller, tenants: &[TenantId]) -> Step<TokenOutcome<Vec<ArmToken>>> {
    let target = job.record.target_tenant;
    let exchange = job.driver.tokens.exchange.clone();
    match job.lease.keep(exchange.all(caller, tenants)).await? {
        Ok(tokens) => Ok(TokenOutcome::Token(tokens)),
        Err(Error::Unavailable(unavailable)) => {
            let pause = unavailable.retry_after.unwrap_or_else(|| job.next_pause());
            defer_tokens(job, pause);
            Ok(TokenOutcome::Later(Some(pause)))
        }
        // Nothing was said of the caller's tokens: they are as good as before when the operator has fixed it.
        Err(Error::Refused(refusal)) if refusal.code == Code::UpstreamRefused => {
            tracing::warn!(
                operation.id = %job.claim.record.id,
                refusal.detail = %refusal.detail,
                "the operation's tokens could not be exchanged"
            );
            Ok(TokenOutcome::Later(Some(job.driver.settings.poll_max)))
        }
        Err(Error::Refused(refusal)) => {
            tracing::info!(
                operation.id = %job.claim.record.id,
                refusal.code = refusal.code.as_str(),
                "Entra no longer accepts the operation's tokens"
            );
            let named = refusal.missing.first().map(|missing| missing.tenant);
            Ok(TokenOutcome::Missing(match refusal.wanted {
                Some(wanted) => *wanted,
                None => named.unwrap_or(target).into(),
            }))
        }
        Err(error) => Err(error.into()),
    }
}

/// Entra issues no token for so long. Others may bring one that it issues something for, so a long pause is a wait for a caller.
pub(crate) async fn pause_or_await(job: &mut Job, pause: Duration, awaited: impl Into<Awaiting>) -> Step {
    if is_too_long(job, pause) {
        return outcome::await_caller(job, awaited).await;
    }
    Ok(NextAction::RetryAfter(pause))
}

/// Entra defers the tokens that were just tried: after a long pause they are tried again.
pub(crate) fn defer_tokens(job: &Job, pause: Duration) {
    if let Some(tried) = job.tokens.tried
        && is_too_long(job, pause)
    {
        job.driver.tokens.store.defer(tried, job.now() + pause);
    }
}

fn is_too_long(job: &Job, pause: Duration) -> bool {
    pause > job.driver.settings.poll_max
}

/// The target tenant's token, to read with.
pub(crate) async fn reading(job: &mut Job) -> Step<BearerToken> {
    let tenant = job.record.target_tenant;
    let store = &job.driver.tokens.store;
    let stored = store.for_reads(job.claim.record.id, job.claim.record.actor, job.now());
    let Some(caller) = verified(job, stored).await? else {
        let awaited = job.awaited_token();
        let of_target = if awaited.tenant == tenant {
            awaited
        } else {
            tenant.into()
        };
        return reading_by_itself(job, of_target, None).await;
    };
    if let Some((rejected, awaited)) = &job.tokens.rejected
        && *rejected == job.tokens.tried
    {
        let awaited = awaited.clone();
        return reading_by_itself(job, awaited, None).await;
    }
    match exchange(job, &caller, &[tenant]).await? {
        TokenOutcome::Token(mut tokens) => match tokens.pop() {
            Some(token) => {
                job.tokens.by_service = false;
                Ok(BearerToken::clone(&token))
            }
            None => reading_by_itself(job, tenant.into(), None).await,
        },
        TokenOutcome::Later(pause) => reading_by_itself(job, tenant.into(), pause).await,
        TokenOutcome::Missing(awaited) => reading_by_itself(job, awaited, None).await,
    }
}

/// `later` says when the caller's token is worth another try, if it is.
async fn reading_by_itself(job: &mut Job, awaited: Awaiting, later: Option<Duration>) -> Step<BearerToken> {
    let (driver, record) = (job.driver.clone(), job.record.clone());
    let own = match job.lease.keep(driver.tokens.own.token(&record)).await? {
        TokenOutcome::Token(token) => {
            job.tokens.by_service = true;
            return Ok(BearerToken::clone(&token));
        }
        TokenOutcome::Later(asked) => Some(asked.unwrap_or_else(|| job.next_pause())),
        TokenOutcome::Missing(_) => None,
    };
    let next = match later.into_iter().chain(own).min() {
        Some(pause) => pause_or_await(job, pause, awaited).await?,
        None => outcome::await_caller(job, awaited).await?,
    };
    Err(match next {
        NextAction::RetryAfter(pause) => early(outcome::recheck_after(job, pause).await),
        next => Stop::Next(next),
    })
}

/// ARM rejected the token of a read: the next step takes another, or waits for one.
pub(crate) async fn reading_rejected(job: &mut Job, error: &ArmError) -> Step {
    let target = job.record.target_tenant;
    if job.tokens.by_service {
        job.driver.tokens.own.refused(&job.record, error.status()).await;
        // The service's own token was rejected; a caller cannot fix that.
        return outcome::await_caller(job, target).await;
    }
    job.tokens.rejected = Some((job.tokens.tried, job.demanded(error.refusal())));
    Ok(NextAction::RetryAfter(Duration::ZERO))
}
