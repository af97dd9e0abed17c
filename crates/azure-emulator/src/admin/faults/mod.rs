//! Faults over HTTP: put, list, take away. `format` is what a body says, `show` what is listed.

mod format;
mod show;

use http::StatusCode;
use serde_json::{Value, json};

use super::refusal::{self, Refusal};
use crate::exchange::Answer;
use crate::fault::Faults;

pub(super) const FIX: &str = "{host, path?, method?, skip?, times? or always?, probability?, seed?, latency?, effect?}; see \
    docs/admin.md, \"Faults\", for latencies and effects";

/// `POST`: one fault.
pub(super) fn put(faults: &Faults, body: &[u8]) -> Result<Answer, Refusal> {
    let request: format::Request = refusal::body(body, FIX)?;
    let id = faults.add(request.fault()?);
    Ok(Answer::json(StatusCode::CREATED, &json!({ "id": id })))
}

/// `GET`: those in force.
pub(super) fn list(faults: &Faults) -> Vec<Value> {
    faults.list().iter().map(show::installed).collect()
}

/// `DELETE …/{id}`.
pub(super) fn remove(faults: &Faults, id: &str) -> Result<Answer, Refusal> {
    if id.parse().is_ok_and(|id| faults.remove(id)) {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    }
    let (error, fix) = (
        format!("there is no fault {id}"),
        "GET /admin/faults lists those in force",
    );
    Err(Refusal::new(StatusCode::NOT_FOUND, error, fix))
}
