//! What came of a create: facts are gathered by reads, [`rule`] decides, and this carries it out.

use crate::ledger::details::{self, CreateSucceededDetails};
use crate::operations::driver::outcome;

use crate::arm::{ArmError, DataConnection, failure_of};
use crate::domain::{Code, EventKind, Failure, Observed, Phase};
use crate::operations::driver::comparison::{self, Whose};
use crate::operations::driver::job::{Job, NextAction, Step};
use crate::operations::driver::reads::{self, Progress, Seen};
use crate::operations::driver::transition;
use crate::operations::settlement::{Facts, Owner, Pause, Question, Ruling, Said, Shown, rule};
use crate::sources::Comparison;

/// Settles a create whose outcome is unknown.
pub(super) async fn settle(job: &mut Job) -> Step {
    // Before the read: it shows nothing of what takes effect after it.
    let request_dead = reads::request_is_dead(job).await?;
    let seen = reads::read_connection(job).await?;
    decide(job, seen, request_dead).await
}

/// ARM called the create done, and this is what a read beside it showed.
pub(super) async fn succeeded(job: &mut Job, seen: Result<Option<DataConnection>, ArmError>) -> Step {
    match seen {
        Ok(Some(found)) if !reads::is_under_way(&found) => decide(job, Seen::Found(found), false).await,
        _ => confirm(job).await,
    }
}

/// The end of a create that ARM accepted, as the resource itself shows it.
pub(super) async fn confirm(job: &mut Job) -> Step {
    let seen = reads::read_connection(job).await?;
    decide(job, seen, false).await
}

async fn decide(job: &mut Job, seen: Seen, request_dead: bool) -> Step {
    let failure = job.claim.record.failure.clone().filter(reads::is_from_arm);
    let said = said(failure.as_ref());
    let overdue = job.is_overdue();
    let whose = match &seen {
        Seen::Found(found) => whose(job, found, said, overdue).await?,
        Seen::Nothing | Seen::NoParent(_) => Whose::Unreadable,
    };
    let mut facts = Facts {
        said,
        shown: shown(&seen, &whose),
        settling: job.claim.record.phase == Phase::Settling,
        request_dead,
        overdue,
        absent_reads: job.claim.absent_reads,
        wanted_gone: None,
        running: None,
    };
    loop {
        match rule(&facts) {
            Ruling::Ask(Question::WantedGone) => {
                facts.wanted_gone = Some(reads::is_to_be_removed(job).await?);
            }
            Ruling::Ask(Question::Running) => facts.running = Some(reads::is_running(job).await?),
            ruling => return carry_out(job, ruling, &seen, &whose, failure).await,
        }
    }
}

fn said(failure: Option<&Failure>) -> Said {
    match failure {
        None => Said::Nothing,
        Some(failure) if reads::is_refusal(failure) => Said::Refused,
        Some(failure) if failure.code == Code::Contested.as_str() => Said::Contested,
        Some(_) => Said::Failed,
    }
}

/// Whose the found data connection is, where that decides.
async fn whose(job: &Job, found: &DataConnection, said: Said, overdue: bool) -> Step<Whose> {
    let is_under_way = reads::is_under_way(found);
    Ok(match said {
        Said::Nothing if !is_under_way => comparison::whose(job, found).await?,
        Said::Contested if !is_under_way || overdue => match comparison::compared(job, found).await? {
            Comparison::Unreadable => Whose::Unreadable,
            comparison => Whose::Contested(comparison),
        },
        _ => Whose::Unreadable,
    })
}

fn shown(seen: &Seen, whose: &Whose) -> Shown {
    let owner = match whose {
        Whose::Ours => Owner::Ours,
        Whose::Contested(_) | Whose::Anothers(_) => Owner::Another,
        Whose::Unreadable => Owner::Unreadable,
    };
    match seen {
        Seen::Nothing => Shown::Nothing,
        Seen::NoParent(_) => Shown::NoParent,
        Seen::Found(found) => match Progress::of(found) {
            Progress::UnderWay => Shown::UnderWay,
            Progress::Failed => Shown::Failed(owner),
            Progress::Done => Shown::Done(owner),
        },
    }
}

async fn carry_out(job: &mut Job, ruling: Ruling, seen: &Seen, whose: &Whose, said: Option<Failure>) -> Step {
    match (ruling, seen) {
        (Ruling::Succeed, Seen::Found(found)) => succeed(job, found).await,
        (Ruling::Another, Seen::Found(found)) => comparison::end_as_anothers(job, found, whose).await,
        (Ruling::ReadFailed, Seen::NoParent(error)) => reads::read_failed(job, error).await,
        (Ruling::FailAbsent, _) => fail(job, said, seen, Observed::Absent).await,
        (Ruling::FailPresent, _) => fail(job, said, seen, Observed::Present).await,
        (Ruling::FailUnknown, _) => fail(job, said, seen, Observed::Unknown).await,
        (Ruling::OutcomeUnknown, _) => {
            let why = match said {
                Some(_) => "Azure took the create as a change, and reads don't find what it changed",
                None => "Azure called the create done, and reads don't find it",
            };
            outcome::mark_outcome_unknown(job, why).await
        }
        (Ruling::ReadAgain { absent_reads, pause }, _) => {
            read_again(job, absent_reads, pause, seen, said).await
        }
        (Ruling::Succeed | Ruling::Another | Ruling::ReadFailed | Ruling::Ask(_), _) => {
            outcome::recheck_later(job).await
        }
    }
}

/// Ends the create without the connection: as ARM said, or as reads showed.
async fn fail(job: &mut Job, said: Option<Failure>, seen: &Seen, observed: Observed) -> Step {
    let failure = said.unwrap_or_else(|| as_seen(seen, observed));
    outcome::fail(job, failure, observed).await
}

fn as_seen(seen: &Seen, observed: Observed) -> Failure {
    match seen {
        Seen::Found(found) => {
            let state = found.provisioning_state().unwrap_or("Unknown");
            let detail = format!("Azure shows the data connection in the state {state}");
            Failure::new(Code::AzureFailed, &detail)
        }
        Seen::NoParent(error) => failure_of(Code::ParentMissing, error),
        Seen::Nothing if observed == Observed::Unknown => Failure::new(
            Code::AzureFailed,
            "Azure still carries it out, past the operation's deadline",
        ),
        Seen::Nothing => Failure::new(
            Code::AzureFailed,
            "no answer showed the outcome of the request, and reads after its longest lifetime found nothing at Azure",
        ),
    }
}

async fn read_again(
    job: &mut Job,
    absent_reads: i32,
    pause: Pause,
    seen: &Seen,
    said: Option<Failure>,
) -> Step {
    job.claim.absent_reads = absent_reads;
    match pause {
        Pause::Short => Ok(NextAction::RetryAfter(job.driver.settings.poll_min)),
        Pause::Growing => Ok(NextAction::RetryAfter(job.next_pause())),
        Pause::Resting => outcome::recheck_later(job).await,
        Pause::Recorded => {
            let (name, failure) = match seen {
                Seen::Found(_) => (
                    "something else is there, while the request may still be carried out",
                    job.claim.record.failure.clone(),
                ),
                Seen::Nothing => ("nothing is there yet", None),
                Seen::NoParent(_) => (
                    "reads cannot show what is there",
                    Some(said.unwrap_or_else(|| as_seen(seen, Observed::Unknown))),
                ),
            };
            let mut seen = transition::to_phase(job, name, Phase::Settling);
            seen.next.record.failure = failure;
            seen.next.absent_reads = absent_reads;
            outcome::reschedule(job, seen).await
        }
    }
}

/// A create that reads confirm.
async fn succeed(job: &mut Job, found: &DataConnection) -> Step {
    let details = details::json(&CreateSucceededDetails {
        provisioning_state: found.provisioning_state().map(str::to_owned),
        retrieval_start_date: found.retrieval_start(),
    });
    let mut done = transition::to_phase(job, "the connection is there", Phase::Succeeded);
    done.next.record.failure = None;
    done.observed = Some((Observed::Present, false));
    done.snapshot = Some(comparison::without_people(&found.raw));
    done.event = Some((EventKind::CreateSucceeded, details));
    transition::commit(job, done).await?;
    Ok(NextAction::Done)
}
