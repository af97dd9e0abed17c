//! Reads at ARM and in the database that a step decides by.

use crate::arm::{ArmError, DataConnection, OperationStatus, OperationUrl};
use crate::db::operations;
use crate::domain::{Code, Desired, Error, Failure};
use crate::operations::driver::job::{Job, Step, early};
use crate::operations::driver::{outcome, tokens};

/// The URL of ARM's operation, if its answer had one.
pub(crate) fn operation_url(job: &Job) -> Option<OperationUrl> {
    let text = job.claim.arm_operation_url.as_deref()?;
    OperationUrl::parse(text, job.driver.arm.endpoint()).ok()
}

/// Whether ARM itself says that the change is still being carried out; `Err` is how the step ends when it can't be asked.
pub(crate) async fn is_running(job: &mut Job) -> Step<bool> {
    let Some(url) = operation_url(job) else {
        return Ok(false);
    };
    let token = tokens::reading(job).await?;
    let arm = job.driver.arm.clone();
    match job.lease.keep(arm.poll(&token, &url)).await? {
        Ok(state) => Ok(matches!(state.status, OperationStatus::Running(_))),
        // ARM forgets operations that are over, and its signed URLs expire: the reads that were allowed have to do.
        Err(error) if matches!(error.status(), Some(400 | 401 | 403 | 404 | 410)) => Ok(false),
        Err(error) => Err(early(read_failed(job, &error).await)),
    }
}

/// A read that failed changes nothing: wait, or wait for other tokens.
pub(crate) async fn read_failed(job: &mut Job, error: &ArmError) -> Step {
    tracing::warn!(operation.id = %job.claim.record.id, arm.call = error.call, arm.status = error.status(), "a read failed");
    if matches!(error.status(), Some(401 | 403)) {
        return tokens::reading_rejected(job, error).await;
    }
    let asked = error.refusal().and_then(|refusal| refusal.retry_after);
    let pause = asked.unwrap_or_else(|| job.next_pause());
    outcome::recheck_after(job, pause).await
}

/// Whether the request can no longer be carried out at ARM. By Postgres's clock: a machine's clock may have been wrong when it was
/// sent, or be now.
pub(crate) async fn request_is_dead(job: &Job) -> Result<bool, Error> {
    let db = &job.driver.db;
    let age = db.background(async |db| operations::dispatched_ago(db, job.claim.record.id).await);
    Ok(age.await? >= job.driver.settings.max_request_lifetime)
}

/// Whether a removal of the connection was asked for since.
pub(crate) async fn is_to_be_removed(job: &mut Job) -> Result<bool, Error> {
    job.record = Job::find_record(&job.driver.db, &job.claim).await?;
    Ok(job.record.desired == Desired::Absent)
}

/// How far the last change of a data connection is, by the state that ARM shows.
pub(crate) enum Progress {
    UnderWay,
    Failed,
    Done,
}

impl Progress {
    /// Any state but those that stay is one of a change under way, since ARM's list of states is open; none at all is an end.
    pub(crate) fn of(found: &DataConnection) -> Self {
        match found.provisioning_state().map(str::to_ascii_lowercase).as_deref() {
            None | Some("succeeded") => Self::Done,
            Some("failed" | "canceled" | "cancelled") => Self::Failed,
            Some(_) => Self::UnderWay,
        }
    }
}

/// Whether a change of the data connection is still being carried out.
pub(crate) fn is_under_way(found: &DataConnection) -> bool {
    matches!(Progress::of(found), Progress::UnderWay)
}

/// Whether ARM took nothing on, so that what is there is not what was sent.
pub(crate) fn is_refusal(failure: &Failure) -> bool {
    [Code::AzureRefused, Code::ClaimsChallenge]
        .iter()
        .any(|code| failure.code == code.as_str())
}

/// Whether the failure is what ARM said of the change, and not what was seen since.
pub(crate) fn is_from_arm(failure: &Failure) -> bool {
    is_refusal(failure)
        || [Code::AzureFailed, Code::Contested]
            .iter()
            .any(|code| failure.code == code.as_str())
}

/// What a read of the data connection showed.
pub(crate) enum Seen {
    /// This.
    Found(DataConnection),
    /// Nothing, in a database that can be read or not.
    Nothing,
    /// Not even what it would be in.
    NoParent(ArmError),
}

/// Reads the data connection.
pub(crate) async fn read_connection(job: &mut Job) -> Step<Seen> {
    let token = tokens::reading(job).await?;
    let (arm, id) = (job.driver.arm.clone(), job.record.arm_id.clone());
    match job.lease.keep(arm.data_connection(&token, &id)).await? {
        Ok(Some(found)) => Ok(Seen::Found(found)),
        Ok(None) => Ok(Seen::Nothing),
        Err(error) if error.status() == Some(404) => Ok(Seen::NoParent(error)),
        Err(error) => Err(early(read_failed(job, &error).await)),
    }
}
