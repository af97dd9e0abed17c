//! Settles a create whose outcome is unknown, by reads alone: one 404 proves little, since reads lag and a request that got no
//! answer may still be carried out.

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

impl Job {
    pub(crate) async fn settle_create(&mut self) -> Step {
        if self.claim.record.failure.as_ref().is_some_and(is_arms_word) {
            return self.confirm_failure().await;
        }
        // Asked before: a read tells nothing of what landed after it.
        let is_dead = self.request_is_dead().await?;
        let found = self.read_connection().await?;
        match found {
            Some(found) if is_under_way(&found) => {
                self.claim.absent_reads = 0;
                self.finish_create(&found).await
            }
            Some(found) => match self.whose(&found).await? {
                Whose::Ours => self.finish_create(&found).await,
                Whose::Unreadable => self.look_again_later().await,
                // Only when nothing of this service's can land after it any more.
                whose if is_dead => self.end_as_anothers(&found, &whose).await,
                _ => {
                    self.reschedule(Change {
                        absent_reads: 0,
                        ..self.change(
                            "something else is there, while the request may still be carried out",
                            Phase::Settling,
                        )
                    })
                    .await
                }
            },
            None => {
                let reads = if is_dead {
                    self.claim.absent_reads.saturating_add(1)
                } else {
                    0
                };
                if reads >= ABSENT_READS {
                    if self.is_running().await? {
                        return self.still_running().await;
                    }
                    let detail = "nothing told what came of the request, and reads past its longest life found nothing at Azure";
                    return self
                        .fail(plain(Code::AzureFailed, detail), Observed::Absent)
                        .await;
                }
                self.reschedule(Change {
                    failure: None,
                    absent_reads: reads,
                    ..self.change("nothing is there yet", Phase::Settling)
                })
                .await
            }
        }
    }

    /// ARM says that it still carries out what no read finds. It is looked at again, unless somebody wants it gone and it should have
    /// ended by now: then the removal that waits has its turn.
    async fn still_running(&mut self) -> Step {
        if self.is_overdue() && self.is_to_be_removed().await? {
            let detail = "Azure still carries it out, past the operation's deadline";
            return self
                .fail(plain(Code::AzureFailed, detail), Observed::Unknown)
                .await;
        }
        self.look_again_later().await
    }

    /// What reads tell is no proof of anything: nothing is touched, the create stays unsettled, and is looked at again. When somebody
    /// named the connection and wants it gone, the removal that waits decides, once the create's request can't land after it.
    pub(crate) async fn not_proved(&mut self, failure: Failure, observed: Observed) -> Step {
        if self.request_is_dead().await? && self.is_to_be_removed().await? {
            return self.fail(failure, observed).await;
        }
        self.reschedule(Change {
            failure: Some(failure),
            absent_reads: 0,
            ..self.change("what is there can't be told from reads", Phase::Settling)
        })
        .await
    }

    /// Keeps what was seen and looks again after a while.
    async fn reschedule(&mut self, change: Change) -> Step {
        self.claim.absent_reads = change.absent_reads;
        let pause = self.next_pause();
        // What may last goes on at rest: it keeps no place here that others need.
        let at_rest = pause >= self.driver.settings.poll_max;
        // Else it is written down only when it says something new: the count of reads may be lost with the process.
        if at_rest || change.failure != self.claim.record.failure {
            self.commit(Change {
                release_for: at_rest.then_some(pause),
                ..change
            })
            .await?;
        }
        Ok(if at_rest {
            NextAction::Done
        } else {
            NextAction::RetryAfter(pause)
        })
    }

    /// Whether a removal of the connection was asked for since.
    pub(crate) async fn is_to_be_removed(&mut self) -> Result<bool, Error> {
        self.record = self.driver.record_of(&self.claim).await?;
        Ok(self.record.desired == Desired::Absent)
    }

    /// Whether the request can no longer be carried out at ARM. Postgres tells: a machine's clock may have been wrong when it was
    /// sent, or be now.
    pub(crate) async fn request_is_dead(&self) -> Result<bool, Error> {
        let age = within(async {
            let mut db = self.driver.db.pool().acquire().await?;
            operations::dispatched_ago(&mut db, self.claim.record.id).await
        });
        Ok(age.await? >= self.driver.settings.max_request_lifetime)
    }
}
