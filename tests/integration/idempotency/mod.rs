//! Idempotency keys: a request with one does what it does once, whenever and wherever it is repeated.

mod creating;
mod keys;
mod removing;

use serde_json::{Value, json};

use crate::support::{Answer, request};

/// Both answers are about the same operation of the same connection.
#[track_caller]
fn are_one(first: &Answer, repeat: &Answer) {
    assert_eq!(repeat.connection(), first.connection(), "{}", repeat.body);
    let operation = first.header("operation-location");
    assert!(operation.is_some(), "{:?}", first.headers);
    assert_eq!(repeat.header("operation-location"), operation);
}

#[track_caller]
fn stands_as(answer: &Answer, status: u16, state: &str) {
    assert_eq!(
        (answer.status, answer.text("/state")),
        (status, state),
        "{}",
        answer.body
    );
}

/// A request under another name, which reads the hub with another consumer group.
fn other_request() -> Value {
    let mut other = request("other");
    other["source"]["eventHub"]["consumerGroup"] = json!("cg1");
    other
}
