//! Settles a create whose outcome is unknown, by reads alone: one 404 proves little, since reads lag and a request that got no
//! answer may still be carried out.

use super::{commit, comparison, follow};
use crate::db::{operations, within};
use crate::domain::Code;
use crate::domain::Desired;
use crate::domain::Error;
use crate::domain::Failure;
use crate::domain::Observed;
use crate::domain::Phase;
use crate::operations::driver::Job;
use crate::operations::driver::commit::Change;
use crate::operations::driver::comparison::Whose;
use crate::operations::driver::follow::ABSENT_READS;
use crate::operations::driver::follow::is_arms_word;
use crate::operations::driver::follow::is_under_way;
use crate::operations::driver::send::plain;
use crate::operations::driver::{NextAction, Step};

pub(super) async fn settle_create(job: &mut Job) -> Step {
    if job.claim.record.failure.as_ref().is_some_and(is_arms_word) {
        return follow::confirm_failure(job).await;
    }
    // Asked before: a read tells nothing of what landed after it.
    let is_dead = request_is_dead(job).await?;
    let found = follow::read_connection(job).await?;
    match found {
        Some(found) if is_under_way(&found) => {
            job.claim.absent_reads = 0;
            follow::finish_create(job, &found).await
        }
        Some(found) => match comparison::whose(job, &found).await? {
            Whose::Ours => follow::finish_create(job, &found).await,
            Whose::Unreadable => follow::look_again_later(job).await,
            // Only when nothing of this service's can land after it any more.
            whose if is_dead => comparison::end_as_anothers(job, &found, &whose).await,
            _ => {
                reschedule(
                    job,
                    Change {
                        absent_reads: 0,
                        ..commit::to_phase(
                            job,
                            "something else is there, while the request may still be carried out",
                            Phase::Settling,
                        )
                    },
                )
                .await
            }
        },
        None => {
            let reads = if is_dead {
                job.claim.absent_reads.saturating_add(1)
            } else {
                0
            };
            if reads >= ABSENT_READS {
                if follow::is_running(job).await? {
                    return still_running(job).await;
                }
                let detail = "nothing told what came of the request, and reads past its longest life found nothing at Azure";
                return commit::fail(job, plain(Code::AzureFailed, detail), Observed::Absent).await;
            }
            reschedule(
                job,
                Change {
                    failure: None,
                    absent_reads: reads,
                    ..commit::to_phase(job, "nothing is there yet", Phase::Settling)
                },
            )
            .await
        }
    }
}

/// ARM says that it still carries out what no read finds. It is looked at again, unless somebody wants it gone and it should have
/// ended by now: then the removal that waits has its turn.
async fn still_running(job: &mut Job) -> Step {
    if follow::is_overdue(job) && is_to_be_removed(job).await? {
        let detail = "Azure still carries it out, past the operation's deadline";
        return commit::fail(job, plain(Code::AzureFailed, detail), Observed::Unknown).await;
    }
    follow::look_again_later(job).await
}

/// What reads tell is no proof of anything: nothing is touched, the create stays unsettled, and is looked at again. When somebody
/// named the connection and wants it gone, the removal that waits decides, once the create's request can't land after it.
pub(super) async fn not_proved(job: &mut Job, failure: Failure, observed: Observed) -> Step {
    if request_is_dead(job).await? && is_to_be_removed(job).await? {
        return commit::fail(job, failure, observed).await;
    }
    reschedule(
        job,
        Change {
            failure: Some(failure),
            absent_reads: 0,
            ..commit::to_phase(job, "what is there can't be told from reads", Phase::Settling)
        },
    )
    .await
}

/// Keeps what was seen and looks again after a while.
async fn reschedule(job: &mut Job, change: Change) -> Step {
    job.claim.absent_reads = change.absent_reads;
    let pause = job.next_pause();
    // What may last goes on at rest: it keeps no place here that others need.
    let at_rest = pause >= job.driver.settings.poll_max;
    // Else it is written down only when it says something new: the count of reads may be lost with the process.
    if at_rest || change.failure != job.claim.record.failure {
        commit::commit(
            job,
            Change {
                release_for: at_rest.then_some(pause),
                ..change
            },
        )
        .await?;
    }
    Ok(if at_rest {
        NextAction::Done
    } else {
        NextAction::RetryAfter(pause)
    })
}

/// Whether a removal of the connection was asked for since.
pub(super) async fn is_to_be_removed(job: &mut Job) -> Result<bool, Error> {
    job.record = job.driver.record_of(&job.claim).await?;
    Ok(job.record.desired == Desired::Absent)
}

/// Whether the request can no longer be carried out at ARM. Postgres tells: a machine's clock may have been wrong when it was
/// sent, or be now.
pub(super) async fn request_is_dead(job: &Job) -> Result<bool, Error> {
    let age = within(async {
        let mut db = job.driver.db.pool().acquire().await?;
        operations::dispatched_ago(&mut db, job.claim.record.id).await
    });
    Ok(age.await? >= job.driver.settings.max_request_lifetime)
}
