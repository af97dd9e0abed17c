//! Histories that are sound, and the same histories broken in one place: the checker has to see each.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::objections;
use crate::history::record::*;

mod strangers;

const TENANT: Uuid = Uuid::from_u128(0x1111);
const ANNA: Uuid = Uuid::from_u128(0xa);
const BERT: Uuid = Uuid::from_u128(0xb);
const CREATE: Uuid = Uuid::from_u128(0x0c01);
const REMOVE: Uuid = Uuid::from_u128(0x0c02);
const AGAIN: Uuid = Uuid::from_u128(0x0c03);

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
}

fn arm_id(name: &str) -> String {
    format!("/subscriptions/s/clusters/adx1/databases/d/dataconnections/{name}")
}

fn who(person: Uuid) -> Who {
    format!("{TENANT}/{person}")
}

fn event(sequence: i64, operation: Uuid, kind: &str, committed: i64) -> Event {
    Event {
        sequence,
        kind: kind.to_owned(),
        operation_id: Some(operation),
        connection_id: None,
        person_id: Some(ANNA),
        committed_at: at(committed),
    }
}

fn operation(id: Uuid, connection: u128, kind: &str) -> Operation {
    Operation {
        id,
        connection_id: Uuid::from_u128(connection),
        kind: kind.to_owned(),
        phase: "succeeded".to_owned(),
        person_id: ANNA,
        correlation_id: id,
        awaiting_tenant_id: None,
        error: None,
    }
}

fn sent(operation: Uuid, method: &str, name: &str, arrived: i64, status: u16) -> Sent {
    Sent {
        at: at(arrived),
        method: method.to_owned(),
        arm_id: arm_id(name),
        correlation: operation.to_string(),
        who: who(ANNA),
        auxiliary: Vec::new(),
        status,
        delivered: true,
        answered_at: at(arrived + 20),
    }
}

fn change(kind: ChangeKind, name: &str, started: i64, ended: i64) -> Change {
    Change {
        kind,
        arm_id: arm_id(name),
        started: at(started),
        ended: at(ended),
    }
}

fn read(name: &str, arrived: i64, shown: Shown) -> Read {
    Read {
        at: at(arrived),
        answered_at: at(arrived + 5),
        arm_id: arm_id(name),
        who: who(ANNA),
        shown,
    }
}

fn call(wish: Wish, began: i64, status: u16, connection: u128, operation: Uuid) -> Call {
    Call {
        at: at(began),
        took: std::time::Duration::ZERO,
        who: who(ANNA),
        replica: 0,
        wish,
        reply: Some(Reply {
            status,
            connection: Some(Uuid::from_u128(connection)),
            operation: Some(operation),
            progress: "succeeded".to_owned(),
            ..Reply::default()
        }),
    }
}

fn create(name: &str, key: &str) -> Wish {
    Wish::Create {
        arm_id: arm_id(name),
        body: name.to_owned(),
        key: Some(key.to_owned()),
    }
}

/// One connection made and removed, another that stands after ARM had put its create off once.
#[expect(clippy::too_many_lines, reason = "a table")]
fn sound() -> History {
    let connection = |id, name, is_open: bool| Connection {
        id: Uuid::from_u128(id),
        arm_id: arm_id(name),
        desired: if is_open { "present" } else { "absent" }.to_owned(),
        observed: if is_open { "present" } else { "absent" }.to_owned(),
        closed_at: (!is_open).then(|| at(500)),
        confirmed_at: Some(at(200)),
    };
    let remove = Wish::Remove {
        connection: Uuid::from_u128(1),
        key: None,
    };
    History {
        calls: vec![
            call(create("one", "k1"), 0, 201, 1, CREATE),
            call(create("one", "k1"), 50, 201, 1, CREATE),
            call(remove, 300, 200, 1, REMOVE),
            call(create("two", "k2"), 600, 201, 2, AGAIN),
        ],
        sent: vec![
            sent(CREATE, "PUT", "one", 100, 202),
            sent(REMOVE, "DELETE", "one", 400, 202),
            sent(AGAIN, "PUT", "two", 650, 429),
            sent(AGAIN, "PUT", "two", 750, 202),
        ],
        changes: vec![
            change(ChangeKind::Create, "one", 100, 200),
            change(ChangeKind::Delete, "one", 400, 500),
            change(ChangeKind::Create, "two", 750, 850),
        ],
        world: [arm_id("two")].into(),
        events: vec![
            event(1, CREATE, "create.intended", 90),
            event(2, CREATE, "create.accepted", 110),
            event(3, CREATE, "create.succeeded", 210),
            event(4, REMOVE, "remove.intended", 390),
            event(5, REMOVE, "remove.accepted", 410),
            event(6, REMOVE, "remove.succeeded", 510),
            event(7, AGAIN, "create.intended", 640),
            event(8, AGAIN, "change.putOff", 660),
            event(9, AGAIN, "create.repeated", 740),
            event(10, AGAIN, "create.accepted", 760),
            event(11, AGAIN, "create.succeeded", 860),
        ],
        operations: vec![
            operation(CREATE, 1, "create"),
            operation(REMOVE, 1, "remove"),
            operation(AGAIN, 2, "create"),
        ],
        connections: vec![connection(1, "one", false), connection(2, "two", true)],
        people: [ANNA, BERT]
            .map(|id| Pseudonym {
                id,
                tenant_id: TENANT,
                object_id: id,
            })
            .to_vec(),
        revoked: [].into(),
        gone: [].into(),
        reads: vec![read("one", 350, Shown::Ours)],
        strangers: Vec::new(),
        frozen: Vec::new(),
    }
}

/// Breaks the sound history in one place, and expects an objection with these words.
fn seen(words: &str, break_it: impl FnOnce(&mut History)) {
    let mut history = sound();
    break_it(&mut history);
    let found = objections(&history);
    assert!(
        found.iter().any(|objection| objection.contains(words)),
        "'{words}' is not in {found:#?}"
    );
}

#[test]
fn a_sound_history_meets_no_objection() {
    assert_eq!(objections(&sound()), [""; 0]);
}

#[test]
fn each_event_that_is_missing_is_noticed() {
    for place in 0..sound().events.len() {
        let mut history = sound();
        let gone = history.events.remove(place);
        assert!(!objections(&history).is_empty(), "nobody misses {}", gone.kind);
    }
}

#[test]
fn each_request_that_came_before_its_intent_was_committed_is_noticed() {
    for (place, words) in [
        (0, "0 intents"),
        (3, "0 intents"),
        (6, "0 intents"),
        (8, "1 intents"),
    ] {
        seen(words, |history| history.events[place].committed_at = at(10_000));
    }
}

#[test]
fn another_put_is_noticed_and_so_is_one_of_no_operation() {
    seen("may have had its effect", |history| {
        history.sent.insert(1, sent(CREATE, "PUT", "one", 150, 200));
    });
    seen("1 intents", |history| {
        history.sent.insert(1, sent(CREATE, "PUT", "one", 150, 200));
    });
    seen("no operation", |history| {
        history
            .sent
            .push(sent(Uuid::from_u128(99), "PUT", "two", 900, 202));
    });
    seen("may have had its effect", |history| history.sent[2].status = 500);
    seen("may have had its effect", |history| {
        history.sent[2].delivered = false;
    });
    seen("put over one", |history| {
        history.changes.push(change(ChangeKind::Update, "two", 900, 950));
    });
}

#[test]
fn another_delete_under_the_same_intent_is_noticed() {
    seen("1 intents", |history| {
        history.sent.insert(2, sent(REMOVE, "DELETE", "one", 450, 202));
    });
}

#[test]
fn a_request_in_the_name_of_another_or_of_nobody_is_noticed() {
    seen("but recorded as of nobody", |history| {
        history.events[0].person_id = None;
    });
    seen("but recorded as", |history| history.sent[0].who = who(BERT));
    seen("but recorded as", |history| {
        history.events[3].person_id = Some(BERT);
    });
}

#[test]
fn a_removal_that_nobody_named_is_noticed() {
    seen("nobody asked", |history| {
        history.calls.remove(2);
    });
    seen("of another data connection", |history| {
        history.sent[1].arm_id = arm_id("two");
    });
}

#[test]
fn two_changes_of_a_cluster_at_once_are_noticed() {
    seen("at once", |history| history.changes[1].started = at(150));
}

#[test]
fn orphans_and_losses_are_noticed() {
    seen("orphan", |history| {
        history.world.insert(arm_id("three"));
    });
    seen("lost", |history| history.world.clear());
    seen("recorded as unknown", |history| {
        history.connections[1].observed = "unknown".to_owned();
    });
    seen("two records", |history| {
        let again = Connection {
            id: Uuid::from_u128(7),
            ..history.connections[1].clone()
        };
        history.connections.push(again);
    });
}

#[test]
fn an_acknowledgement_without_a_record_is_noticed() {
    seen("no such operation", |history| {
        history.operations.remove(2);
    });
    seen("without naming the operation", |history| {
        if let Some(reply) = &mut history.calls[0].reply {
            reply.operation = None;
        }
    });
    seen("told as succeeded, but", |history| {
        history.operations[0].phase = "failed".to_owned();
    });
    seen("recorded as there", |history| {
        history.connections[0].closed_at = None;
    });
    seen("another data connection", |history| {
        history.connections[1].arm_id = arm_id("three");
    });
}

/// The last create of a sound history is refused with this.
fn refused(history: &mut History, status: u16, code: &str) {
    let again = Call {
        at: at(650),
        reply: Some(Reply {
            status,
            code: code.to_owned(),
            ..Reply::default()
        }),
        ..history.calls[3].clone()
    };
    history.calls.push(again);
}

#[test]
fn a_refusal_without_a_reason_is_noticed() {
    for (status, code) in [
        (500, "internal"),
        (502, "upstreamRefused"),
        (503, "upstreamUnavailable"),
        (401, "invalidToken"),
        (403, "accessMissing"),
        (404, "notFound"),
        (409, "nameTaken"),
        (409, "connectionExists"),
        (422, "idempotencyKeyReused"),
    ] {
        seen("refused without a reason", |history| {
            refused(history, status, code);
        });
    }
}

#[test]
fn a_refusal_with_its_reason_meets_no_objection() {
    let fine = |status, code: &str, reason: &dyn Fn(&mut History)| {
        let mut history = sound();
        refused(&mut history, status, code);
        reason(&mut history);
        assert_eq!(objections(&history), [""; 0], "{code}");
    };
    fine(409, "changeInProgress", &|_| ());
    fine(503, "upstreamUnavailable", &|history| {
        if let Some(reply) = &mut history.calls[4].reply {
            reply.retry_after = Some(1);
        }
    });
    fine(403, "accessMissing", &|history| {
        history.revoked.insert(who(ANNA));
    });
    fine(409, "nameTaken", &|history| history.calls[4].who = who(BERT));
    fine(422, "idempotencyKeyReused", &|history| {
        history.calls[4].wish = create("three", "k2");
    });
}

#[test]
fn repeats_that_were_told_another_thing_are_noticed() {
    let operation_of = |history: &mut History| {
        if let Some(reply) = &mut history.calls[1].reply {
            reply.operation = Some(AGAIN);
        }
    };
    seen("was answered with the operations", operation_of);
    seen("took two bodies", |history| {
        let Wish::Create { body, .. } = &mut history.calls[1].wish else {
            unreachable!()
        };
        *body = "other".to_owned();
    });
}

#[test]
fn what_is_left_undone_is_noticed_unless_its_caller_never_came() {
    let undone = |history: &mut History| {
        history.operations[2].phase = "queued".to_owned();
        history.operations[2].awaiting_tenant_id = Some(TENANT);
        history.events.truncate(8);
        history.sent.truncate(3);
        history.changes.truncate(2);
        history.world.clear();
        history.connections[1].observed = "absent".to_owned();
        history.calls.truncate(3);
    };
    seen("left undone", undone);
    let mut history = sound();
    undone(&mut history);
    history.gone.insert(who(ANNA));
    assert_eq!(objections(&history), [""; 0]);
}
