//! Histories in which strangers make what callers name.

use super::*;

/// A stranger makes one of this name, at this time.
fn meddled(name: &str, when: i64) -> Meddled {
    Meddled {
        at: at(when),
        arm_id: arm_id(name),
    }
}

#[test]
fn what_a_stranger_made_is_not_to_be_deleted_once_a_read_has_shown_it() {
    seen("a read had shown it", |history| {
        history.strangers.push(meddled("one", 360));
        history.reads.push(read("one", 370, Shown::Theirs));
    });
}

#[test]
fn what_no_read_could_have_told_is_nobodys_fault() {
    let mut history = sound();
    // Between the read and the request that follows it.
    history.strangers.push(meddled("one", 399));
    assert_eq!(objections(&history), [""; 0]);
    // Nor what another caller's request read.
    let mut history = sound();
    history.strangers.push(meddled("one", 360));
    history.reads.push(Read {
        who: who(BERT),
        ..read("one", 370, Shown::Theirs)
    });
    assert_eq!(objections(&history), [""; 0]);
    // Nor what a replica sends that was frozen between the two.
    let mut history = sound();
    history.strangers.push(meddled("one", 360));
    history.reads.push(read("one", 370, Shown::Theirs));
    history.frozen.push((at(355), at(398)));
    assert_eq!(objections(&history), [""; 0]);
}

#[test]
fn a_removal_leaves_only_after_a_read_that_shows_what_is_there() {
    seen("left without a read", |history| history.reads.clear());
    seen("left without a read", |history| history.reads[0].who = who(BERT));
    seen("left without a read", |history| {
        history.reads = vec![read("one", 350, Shown::Nothing)];
    });
    // One from before it was asked for says nothing.
    seen("left without a read", |history| {
        history.reads = vec![read("one", 250, Shown::Ours)];
    });
}

/// The create of `two` replaces what a stranger has made since the read that found the name free.
fn replacing(history: &mut History) {
    history.strangers.push(meddled("two", 745));
    history.changes[2].kind = ChangeKind::Update;
    history.sent[3].status = 200;
}

#[test]
fn a_create_that_replaced_a_strangers_is_never_told_as_made() {
    seen(
        "replaced a stranger's, and its create is recorded as succeeded",
        replacing,
    );
    let mut history = sound();
    replacing(&mut history);
    // Nobody heard the answer.
    history
        .events
        .insert(10, event(11, AGAIN, "outcome.unknown", 770));
    let replaced = |objection: &String| objection.contains("replaced a stranger's");
    assert!(!objections(&history).iter().any(replaced));
}

#[test]
fn nothing_is_put_over_what_a_read_had_shown() {
    seen("the PUT of two", |history| {
        replacing(history);
        history.strangers[0].at = at(700);
        history.reads.push(read("two", 710, Shown::Theirs));
    });
}

#[test]
fn what_a_stranger_left_is_no_orphan_and_no_loss() {
    let mut history = sound();
    history.strangers.push(meddled("three", 900));
    history.world.insert(arm_id("three"));
    history.strangers.push(meddled("two", 900));
    history.connections[1].observed = "absent".to_owned();
    assert_eq!(objections(&history), [""; 0]);
}

#[test]
fn what_a_late_put_replaced_after_it_was_told_as_drifted_is_unsettled() {
    let told = |kind: ChangeKind| {
        let mut history = sound();
        history.connections[1].observed = "unknown".to_owned();
        history.connections[1].confirmed_at = None;
        history.operations[2].error = Some(serde_json::json!({"code": "drifted"}));
        history.changes[2].kind = kind;
        let mut found = objections(&history).into_iter();
        found.any(|objection| objection.contains("recorded as unknown"))
    };
    assert!(!told(ChangeKind::Update), "it is at Azure as ours and theirs");
    assert!(told(ChangeKind::Create), "nobody else made it");
}

#[test]
fn nothing_is_sent_for_an_operation_that_is_over() {
    seen("sent after its end", |history| {
        history.events[5].committed_at = at(395);
    });
}

#[test]
fn what_lands_later_than_a_request_lives_is_no_second_change_at_once() {
    let overlapping = |arrived: i64| {
        let mut history = sound();
        history.changes.push(change(ChangeKind::Create, "late", 780, 840));
        history.sent.push(Sent {
            answered_at: at(781),
            ..sent(CREATE, "PUT", "late", arrived, 201)
        });
        let found = objections(&history);
        found.iter().any(|objection| objection.contains("at once"))
    };
    assert!(overlapping(770));
    assert!(!overlapping(780 - 1600));
}
