//! The operations that are swept.

use std::time::Duration;

use azure_emulator::Effect;

/// When a late request is carried out: just after its sender gave up, which a trial's calls do after 3 s, and well before the end of
/// its life, which begins with the commit before it was sent.
const LATE: Duration = Duration::from_millis(3020);

/// An operation as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// A create whose caller waits for its end.
    Create,
    /// A create that is followed.
    CreateFollowed,
    /// A create whose PUT is cut off after its effect.
    CreateUnanswered,
    /// A create whose PUT is cut off before its effect.
    CreateLost,
    /// A create whose PUT is carried out after its sender gave up.
    CreateLate,
    /// A create whose name, if it is free when its replica dies, a stranger takes before the restart.
    CreateTaken,
    /// A create on a cluster where another one is under way.
    CreateQueued,
    /// A removal whose caller waits for its end.
    Remove,
    /// A removal that is asked for while the create is under way.
    RemoveBehindCreate,
    /// A removal of a create that waits for another one to end, and so is never sent.
    RemoveUnsent,
    /// A removal whose DELETE is cut off after its effect.
    RemoveUnanswered,
    /// A removal whose DELETE is cut off before its effect, so that it has to be sent again.
    RemoveLost,
    /// A removal whose DELETE is carried out after its sender gave up.
    RemoveLate,
    /// A create that a caller goes on with after its replica died.
    CreateResumed,
    /// A removal behind a create that a caller goes on with after the replica of both died.
    RemoveResumed,
}

impl Scenario {
    pub(super) const ALL: [Self; 15] = [
        Self::Create,
        Self::CreateFollowed,
        Self::CreateUnanswered,
        Self::CreateLost,
        Self::CreateLate,
        Self::CreateTaken,
        Self::CreateQueued,
        Self::Remove,
        Self::RemoveBehindCreate,
        Self::RemoveUnsent,
        Self::RemoveUnanswered,
        Self::RemoveLost,
        Self::RemoveLate,
        Self::CreateResumed,
        Self::RemoveResumed,
    ];

    /// Whether another replica has to die before it.
    pub(super) const fn is_resumed(self) -> bool {
        matches!(self, Self::CreateResumed | Self::RemoveResumed)
    }

    /// What the request meets at ARM: its method, and what happens to it.
    pub(super) const fn fault(self) -> Option<(&'static str, Effect)> {
        match self {
            Self::CreateUnanswered => Some(("PUT", Effect::ResetAfterEffect)),
            Self::CreateLost => Some(("PUT", Effect::ResetBeforeEffect)),
            Self::CreateLate => Some(("PUT", Effect::Delay(LATE))),
            Self::RemoveUnanswered => Some(("DELETE", Effect::ResetAfterEffect)),
            Self::RemoveLost => Some(("DELETE", Effect::ResetBeforeEffect)),
            Self::RemoveLate => Some(("DELETE", Effect::Delay(LATE))),
            _ => None,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::CreateFollowed => "create, followed",
            Self::CreateUnanswered => "create, answer cut off",
            Self::CreateLost => "create, cut off before its effect",
            Self::CreateLate => "create, carried out late",
            Self::CreateTaken => "create, name taken after the death",
            Self::CreateQueued => "create behind another",
            Self::Remove => "remove",
            Self::RemoveBehindCreate => "remove behind its create",
            Self::RemoveUnsent => "remove a create that waits",
            Self::RemoveUnanswered => "remove, answer cut off",
            Self::RemoveLost => "remove, cut off before its effect",
            Self::RemoveLate => "remove, carried out late",
            Self::CreateResumed => "create, resumed after a death",
            Self::RemoveResumed => "remove, resumed after a death",
        }
    }
}
