//! The operations that are swept.

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
    /// A create that a caller goes on with after its replica died.
    CreateResumed,
    /// A removal behind a create that a caller goes on with after the replica of both died.
    RemoveResumed,
}

impl Scenario {
    pub(super) const ALL: [Self; 13] = [
        Self::Create,
        Self::CreateFollowed,
        Self::CreateUnanswered,
        Self::CreateLost,
        Self::CreateTaken,
        Self::CreateQueued,
        Self::Remove,
        Self::RemoveBehindCreate,
        Self::RemoveUnsent,
        Self::RemoveUnanswered,
        Self::RemoveLost,
        Self::CreateResumed,
        Self::RemoveResumed,
    ];

    /// Whether another replica has to die before it.
    pub(super) const fn is_resumed(self) -> bool {
        matches!(self, Self::CreateResumed | Self::RemoveResumed)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::CreateFollowed => "create, followed",
            Self::CreateUnanswered => "create, answer cut off",
            Self::CreateLost => "create, cut off before its effect",
            Self::CreateTaken => "create, name taken after the death",
            Self::CreateQueued => "create behind another",
            Self::Remove => "remove",
            Self::RemoveBehindCreate => "remove behind its create",
            Self::RemoveUnsent => "remove a create that waits",
            Self::RemoveUnanswered => "remove, answer cut off",
            Self::RemoveLost => "remove, cut off before its effect",
            Self::CreateResumed => "create, resumed after a death",
            Self::RemoveResumed => "remove, resumed after a death",
        }
    }
}
