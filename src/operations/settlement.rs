//! What follows from what ARM said of a create, what a read showed, the clock and the caller's wish: one pure rule. One 404 proves
//! little, since reads lag and a request that got no answer may still be carried out.

/// How often a create that ARM accepted is looked for before its outcome counts as unknown: reads lag.
const READS_AFTER_SUCCESS: i32 = 20;
/// Reads in a row that must find nothing before a create counts as not made.
const ABSENT_READS: i32 = 3;

/// What ARM said of the create itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing that ends it.
    Nothing,
    /// It took nothing on.
    Refused,
    /// It carried the create out, and that failed.
    Failed,
    /// It took the create as a change of what was there.
    Contested,
}

/// Whose the data connection is that a read showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// What the create made.
    Ours,
    /// As it was sent, but made before, or something else.
    Another,
    /// ARM's answer makes no sense.
    Unreadable,
}

/// What a read showed in the place of the data connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// A change of it is under way.
    UnderWay,
    /// Its last change failed.
    Failed(Owner),
    /// Its last change is done.
    Done(Owner),
    /// Nothing.
    Nothing,
    /// Not even what it would be in.
    NoParent,
}

/// Facts that cost a question: asked only where they decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether a removal was requested since.
    WantedGone,
    /// Whether ARM says that it still carries the create out.
    Running,
}

/// All that the rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) said: Said,
    pub(super) shown: Shown,
    /// Whether the outcome is unknown, so that reads alone decide.
    pub(super) settling: bool,
    /// Whether the request can no longer be carried out. Known before the read: a read tells nothing of what lands after it.
    pub(super) request_dead: bool,
    /// Whether the operation should have ended by now.
    pub(super) overdue: bool,
    /// Reads in a row that found nothing, this one not counted.
    pub(super) absent_reads: i32,
    pub(super) wanted_gone: Option<bool>,
    pub(super) running: Option<bool>,
}

/// How long to wait before the next read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    /// As short as allowed: the end is near.
    Short,
    /// A part of the time taken, under the lease.
    Growing,
    /// The same, and without a lease when it is long.
    Resting,
    /// The same, and what was seen is recorded.
    Recorded,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruling {
    /// This has to be known first.
    Ask(Question),
    /// The connection is there.
    Succeed,
    /// What is there is somebody else's, or may be.
    Another,
    /// It failed, and nothing of it is there.
    FailAbsent,
    /// It failed, and something of it is there.
    FailPresent,
    /// It failed, and what is there can't be told.
    FailUnknown,
    /// From here on, only reads tell.
    OutcomeUnknown,
    /// The read failed: it says nothing.
    ReadFailed,
    /// Read again, with this count of reads that found nothing.
    ReadAgain { absent_reads: i32, pause: Pause },
}

const fn again(absent_reads: i32, pause: Pause) -> Ruling {
    Ruling::ReadAgain { absent_reads, pause }
}

/// What follows from the facts.
pub(super) fn rule(facts: &Facts) -> Ruling {
    match (facts.said, facts.shown) {
        // A refused create leaves whatever is there to those who made it.
        (Said::Refused, _) => Ruling::FailAbsent,
        (_, Shown::NoParent) if facts.settling => not_proved(facts),
        (_, Shown::NoParent) => Ruling::ReadFailed,
        (Said::Nothing, Shown::UnderWay) => under_way(facts),
        // The end is near, but not reached: what is shown now may be gone with it.
        (_, Shown::UnderWay) if !facts.overdue => again(0, Pause::Growing),
        (Said::Nothing, Shown::Failed(Owner::Ours)) => Ruling::FailPresent,
        (Said::Nothing, Shown::Failed(owner) | Shown::Done(owner)) => found(facts, owner),
        (Said::Contested, Shown::Failed(Owner::Unreadable) | Shown::Done(Owner::Unreadable)) => {
            again(facts.absent_reads, Pause::Resting)
        }
        (Said::Contested, Shown::UnderWay | Shown::Failed(_) | Shown::Done(_)) => Ruling::Another,
        (Said::Failed, Shown::UnderWay | Shown::Failed(_) | Shown::Done(_)) => Ruling::FailPresent,
        (said, Shown::Nothing) => nothing(facts, said),
    }
}

/// A change of the data connection is under way, and ARM said nothing of how the create ended.
fn under_way(facts: &Facts) -> Ruling {
    match (facts.settling, facts.overdue, facts.wanted_gone) {
        (false, ..) => again(facts.absent_reads, Pause::Growing),
        // A removal waits, and how long this lasts is not known: it has its turn.
        (true, true, Some(true)) => Ruling::FailPresent,
        (true, true, None) => Ruling::Ask(Question::WantedGone),
        (true, ..) => again(0, Pause::Resting),
    }
}

/// A data connection whose last change has ended.
fn found(facts: &Facts, owner: Owner) -> Ruling {
    match owner {
        Owner::Ours => Ruling::Succeed,
        Owner::Unreadable => again(facts.absent_reads, Pause::Resting),
        // Only when nothing of this service's can land after it any more.
        Owner::Another if !facts.settling || facts.request_dead => Ruling::Another,
        Owner::Another => again(0, Pause::Recorded),
    }
}

/// What reads tell proves nothing: the create stays unsettled. A removal that waits decides, once the create's request can't land
/// after it.
fn not_proved(facts: &Facts) -> Ruling {
    match (facts.request_dead, facts.wanted_gone) {
        (true, Some(true)) => Ruling::FailUnknown,
        (true, None) => Ruling::Ask(Question::WantedGone),
        _ => again(0, Pause::Recorded),
    }
}

/// A read that found nothing.
fn nothing(facts: &Facts, said: Said) -> Ruling {
    let reads = facts.absent_reads.saturating_add(1);
    match (said, facts.settling) {
        // ARM's failed operation may have left something that reads don't find yet.
        (Said::Failed, _) if reads < ABSENT_READS => again(reads, Pause::Short),
        (Said::Failed | Said::Refused, _) => Ruling::FailAbsent,
        (Said::Nothing | Said::Contested, false) if reads <= READS_AFTER_SUCCESS => {
            again(reads, Pause::Short)
        }
        (Said::Nothing | Said::Contested, false) => Ruling::OutcomeUnknown,
        (Said::Nothing | Said::Contested, true) => nothing_settles(facts, said),
    }
}

/// A read that found nothing, where only reads tell: enough of them count once the request is dead, unless ARM still carries it
/// out.
fn nothing_settles(facts: &Facts, said: Said) -> Ruling {
    let pause = match said {
        Said::Contested => Pause::Resting,
        _ => Pause::Recorded,
    };
    if !facts.request_dead {
        return again(0, pause);
    }
    let reads = facts.absent_reads.saturating_add(1);
    if reads < ABSENT_READS {
        return again(reads, pause);
    }
    match (facts.running, facts.overdue, facts.wanted_gone) {
        (None, ..) => Ruling::Ask(Question::Running),
        (Some(false), ..) => Ruling::FailAbsent,
        // A removal waits, and this should have ended by now: it has its turn.
        (Some(true), true, None) if said == Said::Nothing => Ruling::Ask(Question::WantedGone),
        (Some(true), true, Some(true)) if said == Said::Nothing => Ruling::FailUnknown,
        (Some(true), ..) => again(facts.absent_reads, Pause::Resting),
    }
}

#[cfg(test)]
mod tests {
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
            (Said::Contested, Done(Owner::Ours), Ruling::Another),
            (Said::Contested, Done(Owner::Unreadable), again(0, Resting)),
            (Said::Contested, Nothing, again(1, Short)),
            (Said::Contested, NoParent, Ruling::ReadFailed),
        ] {
            assert_eq!(rule(&facts(said, shown)), ruling, "{said:?} {shown:?}");
        }
        for shown in super::tests::shown() {
            assert_eq!(
                rule(&facts(Said::Refused, shown)),
                Ruling::FailAbsent,
                "{shown:?}"
            );
        }
    }

    #[test]
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
            (late(unknown(Shown::UnderWay)), Ruling::Ask(Question::WantedGone)),
            (
                wanted_gone(late(unknown(Shown::UnderWay)), true),
                Ruling::FailPresent,
            ),
            (
                wanted_gone(late(unknown(Shown::UnderWay)), false),
                again(0, Resting),
            ),
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
}
