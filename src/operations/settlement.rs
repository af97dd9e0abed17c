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
    /// Whether the request can no longer be carried out. Known before the read: a read shows nothing of what takes effect after it.
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
    /// What is there is another creator's, or may be.
    Another,
    /// It failed, and nothing of it is there.
    FailAbsent,
    /// It failed, and something of it is there.
    FailPresent,
    /// It failed, and reads cannot show what is there.
    FailUnknown,
    /// From here on, only reads decide.
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
        (Said::Contested, Shown::UnderWay) => Ruling::Another,
        (Said::Contested, Shown::Failed(owner) | Shown::Done(owner)) => contested(facts, owner),
        (Said::Failed, Shown::UnderWay | Shown::Failed(_) | Shown::Done(_)) => Ruling::FailPresent,
        (said, Shown::Nothing) => nothing(facts, said),
    }
}

/// A change of the data connection is under way, and ARM said nothing of how the create ended.
fn under_way(facts: &Facts) -> Ruling {
    // What is shown may be another's, while the request can still take effect after a removal.
    let has_waited_enough = facts.request_dead && facts.overdue;
    match (facts.settling, has_waited_enough, facts.wanted_gone) {
        (false, ..) => again(facts.absent_reads, Pause::Growing),
        // A removal waits, and how long this lasts is not known: it is next.
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

/// A data connection that ARM changed for this create. A read that lags shows it as it was before: the cluster is free only when ARM's
/// operation has ended.
fn contested(facts: &Facts, owner: Owner) -> Ruling {
    match (owner, facts.overdue, facts.running) {
        (Owner::Unreadable, ..) => again(facts.absent_reads, Pause::Resting),
        (_, false, None) => Ruling::Ask(Question::Running),
        (_, false, Some(true)) => again(facts.absent_reads, Pause::Growing),
        _ => Ruling::Another,
    }
}

/// What reads show proves nothing: the create stays unsettled. A removal that waits decides, once the create's request can't land
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

/// A read that found nothing, where only reads decide: enough of them count once the request is dead, unless ARM still carries it
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
mod tests;
