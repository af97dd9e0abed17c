//! Creates that are refused: the answer names what is wrong, ARM is not written to, and only the ledger knows of it.
//! Here lives what the person, the request or the name is refused for; wrong user tokens are in `tokens`, and what Entra
//! and ARM fail to answer in `upstream`.

mod access;
mod form;
mod mistyped;
mod names;
mod request;

use serde_json::Value;

use crate::support::{Answer, request};

/// The how-to's request with one member changed.
fn request_with(pointer: &str, value: impl Into<Value>) -> Value {
    let mut request = request("telemetry");
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
    let parent = request.pointer_mut(parent).expect("its parent");
    parent[member] = value.into();
    request
}

/// The tenants that `missing` names, each with the kind of what is missing.
fn missing(answer: &Answer) -> Vec<(&str, &str)> {
    let items = answer.body["missing"].as_array().map(Vec::as_slice);
    items
        .unwrap_or_default()
        .iter()
        .map(|item| {
            (
                item["tenant"].as_str().expect("a tenant"),
                item["kind"].as_str().expect("a kind"),
            )
        })
        .collect()
}

fn pointers(answer: &Answer) -> Vec<&str> {
    let items = answer.body["errors"].as_array().map(Vec::as_slice);
    let errors = items.unwrap_or_default().iter();
    errors
        .map(|error| error["pointer"].as_str().expect("a pointer"))
        .collect()
}
