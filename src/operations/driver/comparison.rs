//! What ARM holds, compared with what is recorded: whose it is, and how a change ends that found something else.

use crate::arm::DataConnection;
use crate::db::revisions;
use crate::domain::{Code, Error, Failure, FoundResource, Observed};
use crate::operations::driver::job::{Job, Step};
use crate::operations::driver::outcome;
use crate::sources::{Comparison, Recorded, compare, fingerprint};
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use serde_json::Value;

/// How far ARM's clock and this service's may be apart when creation times are compared, in seconds.
pub(crate) const MAX_CLOCK_DIFFERENCE: i64 = 300;

/// Whose the data connection is that has a create's name.
pub(crate) enum Whose {
    /// What the create made.
    Ours,
    /// This service's create replaced another person's; how what is there now compares with what was sent.
    Contested(Comparison),
    /// Something else.
    Anothers(Comparison),
    /// ARM's answer makes no sense.
    Unreadable,
}

/// Compares what a read found with the revision that the operation makes or removes.
pub(crate) async fn compared(job: &Job, found: &DataConnection) -> Result<Comparison, Error> {
    let (connection, number) = (job.record.id, job.claim.revision);
    let db = &job.driver.db;
    let revision = db.background(async |db| revisions::find(db, connection, number).await);
    let revision = revision.await?;
    let recorded = Recorded {
        sent: revision.sent,
        snapshot: revision.snapshot,
        api_version: revision.api_version,
    };
    Ok(compare(&recorded, &found.raw))
}

/// Whose the data connection is that has a create's name. The intent was committed before the request was sent, and a read had
/// found nothing; so what equals what was sent, and is no older than that, is what the create made.
pub(crate) async fn whose(job: &Job, found: &DataConnection) -> Result<Whose, Error> {
    let record = &job.claim.record;
    let oldest = record.dispatched_at.unwrap_or(record.created_at) - TimeDelta::seconds(MAX_CLOCK_DIFFERENCE);
    let is_older = |time: Option<DateTime<Utc>>| time.is_some_and(|time| time < oldest);
    Ok(match compared(job, found).await? {
        Comparison::Same if is_older(found.created_at()) || is_older(found.retrieval_start()) => {
            Whose::Contested(Comparison::Same)
        }
        Comparison::Same => Whose::Ours,
        Comparison::Absent | Comparison::Unreadable => Whose::Unreadable,
        other => Whose::Anothers(other),
    })
}

/// Ends a create that left something which is not surely what it made: the connection stays unsettled, and shows what is there.
pub(crate) async fn end_as_anothers(job: &mut Job, found: &DataConnection, whose: &Whose) -> Step {
    let (failure, observed, seen) = match whose {
        Whose::Contested(comparison) => (
            contested(),
            Observed::Present,
            seen(found, comparison, true, job.now()),
        ),
        Whose::Anothers(comparison) => {
            // Of another data connection under the name nothing follows for this one.
            let observed = match comparison {
                Comparison::Replaced(_) => Observed::Unknown,
                _ => Observed::Present,
            };
            (
                drifted(comparison),
                observed,
                seen(found, comparison, false, job.now()),
            )
        }
        Whose::Ours | Whose::Unreadable => {
            return Err(Error::Internal("a create that is no other creator's".to_owned()).into());
        }
    };
    outcome::fail_with(job, failure, observed, Some(seen)).await
}

/// Whether what is there may not be removed: it is not what the caller named, or the caller named nothing and it is another data
/// connection or may be another person's.
pub(crate) fn forbids_removal(job: &Job, found: &DataConnection, comparison: &Comparison) -> bool {
    match &job.claim.accepted_fingerprint {
        // Who named another person's does not mean what was there before and is there again.
        Some(accepted) => *accepted != fingerprint(&found.raw),
        None => job.is_contested() || matches!(comparison, Comparison::Replaced(_)),
    }
}

/// What is known of the record's own when this is at ARM: of another data connection, that a confirmed one is gone, and of one
/// that never was confirmed nothing.
pub(crate) fn observed_beside(job: &Job, comparison: &Comparison) -> Observed {
    match comparison {
        Comparison::Replaced(_) => observed_as_gone(job),
        _ => Observed::Present,
    }
}

/// What is known of the record's own when it is not there: whether any ever was is known of a confirmed one only.
pub(crate) fn observed_as_gone(job: &Job) -> Observed {
    if job.record.confirmed_at.is_some() {
        Observed::Absent
    } else {
        Observed::Unknown
    }
}

/// Whether this is another data connection than the record's, which no caller named.
pub(crate) async fn is_replaced(job: &Job, found: &DataConnection) -> Result<Option<Comparison>, Error> {
    let comparison = compared(job, found).await?;
    let is_other = matches!(comparison, Comparison::Replaced(_));
    Ok(Some(comparison).filter(|comparison| is_other && forbids_removal(job, found, comparison)))
}

/// Ends a removal without a request: what is there is not the record's. A caller who means what is there names it by the ETag of the
/// connection that shows it.
pub(crate) async fn drifted_from(job: &mut Job, found: &DataConnection, comparison: &Comparison) -> Step {
    let is_contested = job.is_contested();
    let failure = if is_contested {
        Failure {
            detail: "another person may have created what Azure holds under this name, and it is not what the request named; nothing was sent. Read the connection's `found`, and repeat the removal with its ETag in If-Match to remove that".to_owned(),
            comparison: Some(comparison.as_str().to_owned()),
            ..contested()
        }
    } else if job.claim.accepted_fingerprint.is_some() {
        Failure {
            detail: "Azure does not hold what the request named any more, so nothing was deleted: look at the connection's `found`, and repeat the removal with its ETag in If-Match if that is what you want removed".to_owned(),
            ..drifted(comparison)
        }
    } else {
        drifted(comparison)
    };
    let observed = if is_contested {
        Observed::Present
    } else {
        observed_beside(job, comparison)
    };
    let seen = seen(found, comparison, is_contested, job.now());
    outcome::fail_with(job, failure, observed, Some(seen)).await
}

/// Why an operation ended that met something else than what is recorded.
pub(crate) fn drifted(comparison: &Comparison) -> Failure {
    let detail = match comparison {
        Comparison::Replaced(_) => {
            "Azure holds another data connection under this name, so nothing was deleted: look at the connection's `found`; repeat the removal with its ETag in If-Match to delete exactly that, or with recordOnly=true to close the record alone"
        }
        _ => {
            "Azure holds a data connection of this name that is not what was sent; look at the connection's `found`"
        }
    };
    Failure {
        comparison: Some(comparison.as_str().to_owned()),
        ..Failure::new(Code::Drifted, detail)
    }
}

/// Why a create ended that replaced another person's.
pub(crate) fn contested() -> Failure {
    Failure::new(
        Code::Contested,
        "Azure processed the create as a change of an existing data connection: another person created one of this name at the same time, and this create replaced it. Agree with them on whose it is; to delete it, remove the connection with its ETag in If-Match",
    )
}

/// What is recorded and shown of what a read found.
pub(crate) fn seen(
    found: &DataConnection,
    comparison: &Comparison,
    contested: bool,
    now: DateTime<Utc>,
) -> FoundResource {
    FoundResource {
        resource: Some(without_people(&found.raw)),
        differences: comparison.differences().to_vec(),
        seen_at: now,
        fingerprint: fingerprint(&found.raw),
        contested,
    }
}

/// The resource without those who made and changed it: of `systemData` the times alone.
pub(crate) fn without_people(resource: &Value) -> Value {
    let mut resource = resource.clone();
    let system = resource
        .as_object_mut()
        .into_iter()
        .flat_map(|resource| resource.iter_mut())
        .filter(|(name, _)| name.eq_ignore_ascii_case("systemData"));
    for (_, system) in system {
        if let Some(members) = system.as_object_mut() {
            members.retain(|name, _| name.to_ascii_lowercase().ends_with("at"));
        }
    }
    resource
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shown_of_a_resource_names_nobody() {
        let resource = json!({"name": "n", "systemData": {"createdBy": "ada@example.org", "createdByType": "User",
            "createdAt": "2026-01-01T00:00:00Z", "lastModifiedBy": "x", "lastModifiedAt": "2026-01-02T00:00:00Z"}});
        assert_eq!(
            without_people(&resource),
            json!({"name": "n", "systemData": {"createdAt": "2026-01-01T00:00:00Z", "lastModifiedAt": "2026-01-02T00:00:00Z"}})
        );
        assert_eq!(without_people(&json!([1])), json!([1]));
    }
}
