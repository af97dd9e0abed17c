//! The rule, for every combination of facts.

use super::*;

const SAID: [Said; 4] = [Said::Nothing, Said::Refused, Said::Failed, Said::Contested];
const OWNERS: [Owner; 3] = [Owner::Ours, Owner::Another, Owner::Unreadable];

fn shown() -> Vec<Shown> {
    let mut shown = vec![Shown::UnderWay, Shown::Nothing, Shown::NoParent];
    for owner in OWNERS {
        shown.extend([Shown::Failed(owner), Shown::Done(owner)]);
    }
    shown
}

fn facts(said: Said, shown: Shown) -> Facts {
    Facts {
        said,
        shown,
        settling: false,
        request_dead: false,
        overdue: false,
        absent_reads: 0,
        wanted_gone: None,
        running: None,
    }
}

/// Every combination of facts.
fn all() -> Vec<Facts> {
    let (flags, asked) = ([false, true], [None, Some(false), Some(true)]);
    let mut all = Vec::new();
    for said in SAID {
        for shown in shown() {
            for settling in flags {
                for request_dead in flags {
                    for overdue in flags {
                        for absent_reads in [0, 1, 2, 3, 19, 20, 1000] {
                            for wanted_gone in asked {
                                for running in asked {
                                    all.push(Facts {
                                        settling,
                                        request_dead,
                                        overdue,
                                        absent_reads,
                                        wanted_gone,
                                        running,
                                        ..facts(said, shown)
                                    });
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    all
}

#[test]
fn the_table_of_an_accepted_create() {
    use Pause::{Growing, Resting, Short};
    use Shown::{Done, Failed, NoParent, Nothing, UnderWay};
    for (said, shown, ruling) in [
        (Said::Nothing, UnderWay, again(0, Growing)),
        (Said::Nothing, Failed(Owner::Ours), Ruling::FailPresent),
        (Said::Nothing, Failed(Owner::Another), Ruling::Another),
        (Said::Nothing, Failed(Owner::Unreadable), again(0, Resting)),
        (Said::Nothing, Done(Owner::Ours), Ruling::Succeed),
        (Said::Nothing, Done(Owner::Another), Ruling::Another),
        (Said::Nothing, Done(Owner::Unreadable), again(0, Resting)),
        (Said::Nothing, Nothing, again(1, Short)),
        (Said::Nothing, NoParent, Ruling::ReadFailed),
        (Said::Failed, UnderWay, again(0, Growing)),
        (Said::Failed, Done(Owner::Ours), Ruling::FailPresent),
        (Said::Failed, Nothing, again(1, Short)),
        (Said::Failed, NoParent, Ruling::ReadFailed),
        (Said::Contested, UnderWay, again(0, Growing)),
        (Said::Contested, Done(Owner::Ours), Ruling::Ask(Question::Running)),
        (Said::Contested, Done(Owner::Unreadable), again(0, Resting)),
        (Said::Contested, Nothing, again(1, Short)),
        (Said::Contested, NoParent, Ruling::ReadFailed),
    ] {
        assert_eq!(rule(&facts(said, shown)), ruling, "{said:?} {shown:?}");
    }
    for shown in shown() {
        assert_eq!(
            rule(&facts(Said::Refused, shown)),
            Ruling::FailAbsent,
            "{shown:?}"
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn the_table_of_a_create_whose_outcome_is_unknown() {
    use Pause::{Recorded, Resting};
    let unknown = |shown| Facts {
        settling: true,
        ..facts(Said::Nothing, shown)
    };
    let dead = |shown| Facts {
        request_dead: true,
        ..unknown(shown)
    };
    let last = Facts {
        absent_reads: 2,
        ..dead(Shown::Nothing)
    };
    let late = |facts: Facts| Facts {
        overdue: true,
        ..facts
    };
    let running = |facts: Facts| Facts {
        running: Some(true),
        ..facts
    };
    let wanted_gone = |facts: Facts, gone| Facts {
        wanted_gone: Some(gone),
        ..facts
    };
    for (facts, ruling) in [
        (unknown(Shown::UnderWay), again(0, Resting)),
        (late(unknown(Shown::UnderWay)), again(0, Resting)),
        (
            wanted_gone(late(unknown(Shown::UnderWay)), true),
            again(0, Resting),
        ),
        (late(dead(Shown::UnderWay)), Ruling::Ask(Question::WantedGone)),
        (
            wanted_gone(late(dead(Shown::UnderWay)), true),
            Ruling::FailPresent,
        ),
        (wanted_gone(late(dead(Shown::UnderWay)), false), again(0, Resting)),
        (unknown(Shown::Done(Owner::Ours)), Ruling::Succeed),
        (unknown(Shown::Done(Owner::Another)), again(0, Recorded)),
        (dead(Shown::Done(Owner::Another)), Ruling::Another),
        (unknown(Shown::Nothing), again(0, Recorded)),
        (dead(Shown::Nothing), again(1, Recorded)),
        (last, Ruling::Ask(Question::Running)),
        (running(last), again(2, Resting)),
        (running(late(last)), Ruling::Ask(Question::WantedGone)),
        (wanted_gone(running(late(last)), true), Ruling::FailUnknown),
        (
            Facts {
                running: Some(false),
                ..last
            },
            Ruling::FailAbsent,
        ),
        (unknown(Shown::NoParent), again(0, Recorded)),
        (dead(Shown::NoParent), Ruling::Ask(Question::WantedGone)),
        (wanted_gone(dead(Shown::NoParent), true), Ruling::FailUnknown),
        (wanted_gone(dead(Shown::NoParent), false), again(0, Recorded)),
    ] {
        assert_eq!(rule(&facts), ruling, "{facts:?}");
    }
}

#[test]
fn it_is_called_ours_only_where_a_read_shows_that_and_nothing_speaks_against_it() {
    for facts in all() {
        if rule(&facts) == Ruling::Succeed {
            assert_eq!(facts.said, Said::Nothing, "{facts:?}");
            assert_eq!(facts.shown, Shown::Done(Owner::Ours), "{facts:?}");
        }
    }
}

#[test]
fn a_create_of_unknown_outcome_fails_only_when_its_request_can_land_no_more() {
    for facts in all() {
        let is_unknown = facts.settling && facts.said == Said::Nothing;
        let landed = facts.shown == Shown::Failed(Owner::Ours);
        let ruling = rule(&facts);
        let fails = matches!(
            ruling,
            Ruling::FailAbsent | Ruling::FailPresent | Ruling::FailUnknown | Ruling::Another
        );
        if is_unknown && fails && !landed {
            assert!(facts.request_dead, "{facts:?} {ruling:?}");
        }
    }
}

#[test]
fn nothing_is_called_absent_while_the_request_may_still_land_unless_arm_itself_ended_it() {
    for facts in all() {
        if rule(&facts) == Ruling::FailAbsent && !matches!(facts.said, Said::Refused | Said::Failed) {
            assert!(facts.settling && facts.request_dead, "{facts:?}");
            assert!(facts.absent_reads + 1 >= ABSENT_READS, "{facts:?}");
            assert_eq!(facts.running, Some(false), "{facts:?}");
        }
    }
}

#[test]
fn what_azure_still_changes_is_not_called_ended_before_its_deadline() {
    for facts in all() {
        if facts.said == Said::Contested && facts.running == Some(true) && !facts.overdue {
            assert!(
                matches!(
                    rule(&facts),
                    Ruling::ReadAgain { .. } | Ruling::ReadFailed | Ruling::OutcomeUnknown
                ) || matches!(facts.shown, Shown::NoParent | Shown::Nothing),
                "{facts:?}"
            );
        }
    }
}

#[test]
fn what_was_asked_is_not_asked_again() {
    for facts in all() {
        match rule(&facts) {
            Ruling::Ask(Question::WantedGone) => assert_eq!(facts.wanted_gone, None, "{facts:?}"),
            Ruling::Ask(Question::Running) => assert_eq!(facts.running, None, "{facts:?}"),
            _ => {}
        }
    }
}

#[test]
fn only_a_failed_parent_read_says_nothing_and_only_accepted_creates_become_unknown() {
    for facts in all() {
        match rule(&facts) {
            Ruling::ReadFailed => assert!(facts.shown == Shown::NoParent && !facts.settling),
            Ruling::OutcomeUnknown => assert!(facts.shown == Shown::Nothing && !facts.settling),
            _ => {}
        }
    }
}
