//! The kinds of change: how each begins, is sent, and is settled.

mod create;
mod remove;
mod settle_create;
mod settle_remove;

use super::driver::job::{Job, Step};
use crate::arm::{ArmError, DataConnection};
use crate::domain::Phase;
use crate::upstream::BearerToken;

/// A kind of change of a connection. A step of an operation is one of these, by the operation's phase.
pub(super) trait Change {
    /// Begins a change that waited in the queue: what must hold is checked again, the intent is committed, the request sent.
    async fn begin(job: &mut Job) -> Step;

    /// Sends the request whose intent was committed on this replica a moment ago.
    async fn send(job: &mut Job) -> Step;

    /// ARM called its operation done, and this is what a read beside it showed. What that read does not confirm may have been
    /// read a moment before the end.
    async fn succeeded(
        job: &mut Job,
        token: &BearerToken,
        seen: Result<Option<DataConnection>, ArmError>,
    ) -> Step;

    /// The end as the resource itself shows it. `is_done` says that ARM called the change carried out.
    async fn confirm(job: &mut Job, is_done: bool) -> Step;

    /// ARM said that it refused the change or that it failed: a read has to confirm that.
    async fn confirm_failure(job: &mut Job) -> Step;

    /// Settles a change whose outcome is unknown, by reads.
    async fn settle(job: &mut Job) -> Step;
}

/// Makes a data connection.
pub(super) struct Create;

/// Deletes a data connection.
pub(super) struct Remove;

impl Change for Create {
    async fn begin(job: &mut Job) -> Step {
        create::begin(job).await
    }

    async fn send(job: &mut Job) -> Step {
        create::send(job).await
    }

    async fn succeeded(
        job: &mut Job,
        _: &BearerToken,
        seen: Result<Option<DataConnection>, ArmError>,
    ) -> Step {
        settle_create::succeeded(job, seen).await
    }

    async fn confirm(job: &mut Job, _: bool) -> Step {
        settle_create::confirm(job).await
    }

    async fn confirm_failure(job: &mut Job) -> Step {
        if job.claim.record.phase == Phase::Settling {
            return settle_create::settle(job).await;
        }
        settle_create::confirm(job).await
    }

    async fn settle(job: &mut Job) -> Step {
        settle_create::settle(job).await
    }
}

impl Change for Remove {
    async fn begin(job: &mut Job) -> Step {
        remove::begin(job).await
    }

    async fn send(job: &mut Job) -> Step {
        remove::send(job).await
    }

    async fn succeeded(
        job: &mut Job,
        token: &BearerToken,
        seen: Result<Option<DataConnection>, ArmError>,
    ) -> Step {
        match seen {
            Ok(None) => settle_remove::confirm_absence(job, token).await,
            _ => settle_remove::confirm(job, true).await,
        }
    }

    async fn confirm(job: &mut Job, is_done: bool) -> Step {
        settle_remove::confirm(job, is_done).await
    }

    async fn confirm_failure(job: &mut Job) -> Step {
        settle_remove::confirm_failure(job).await
    }

    // What the caller named and wants gone is requested again.
    async fn settle(job: &mut Job) -> Step {
        settle_remove::confirm(job, false).await
    }
}
