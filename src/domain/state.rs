//! The state of a connection: derived, in one function, from the desired state, the observed state and the running operation.
//! Nothing stores a state, so no two columns can contradict each other.

use crate::domain::words::{UnknownWord, stored_words, words};

macro_rules! stored_as_text {
    ($name:ident { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl $name {
            /// The word that the database holds.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownWord(text.to_owned())),
                }
            }
        }
    };
}

/// What the people who may change the connection want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Desired {
    /// It should exist at ARM.
    Present,
    /// It should not.
    Absent,
}
stored_as_text!(Desired { Present => "present", Absent => "absent" });

/// What the last read or answer that counts said about ARM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Observed {
    /// Not there.
    Absent,
    /// There.
    Present,
    /// A change may or may not have happened, and no read has shown it yet.
    Unknown,
}
stored_as_text!(Observed { Absent => "absent", Present => "present", Unknown => "unknown" });

words! {
    /// What an operation does to its connection.
    pub enum OperationKind {
        /// Creates the data connection.
        Create => "create",
        /// Deletes the data connection; its record stays.
        Remove => "remove",
    }
}
stored_words!(OperationKind { Create, Remove });

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Recorded; nothing has been sent.
    Queued,
    /// The intent is committed, so the request may have left; no answer is recorded.
    Dispatched,
    /// ARM took the request; its operation is being followed.
    Accepted,
    /// The outcome is unknown; reads will decide.
    Settling,
    /// Done, and a read confirmed it.
    Succeeded,
    /// Ended without the change.
    Failed,
}
stored_as_text!(Phase {
    Queued => "queued",
    Dispatched => "dispatched",
    Accepted => "accepted",
    Settling => "settling",
    Succeeded => "succeeded",
    Failed => "failed",
});

impl Phase {
    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// The running operation, as far as the state depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InFlight {
    /// What it does.
    pub kind: OperationKind,
    /// How far it is; never a terminal phase.
    pub phase: Phase,
}

words! {
    /// The state of a connection.
    pub enum State {
        /// It is being created at Azure, or waits for that in the queue of its cluster.
        Creating => "creating",
        /// It exists, as far as the last read knows: data can flow.
        Active => "active",
        /// It is being deleted at Azure, or its deletion was requested and not carried out yet.
        Removing => "removing",
        /// It was deleted, and a read confirmed that, or only its record was closed. Final.
        Removed => "removed",
        /// It was never created: Azure said why, and a read found nothing. Final.
        Failed => "failed",
        /// A change may or may not have happened, and no read has decided yet; or Azure holds something else under the name.
        Unsettled => "unsettled",
        /// It existed, and is gone without this service having removed it.
        Missing => "missing",
    }
}
stored_words!(State {
    Creating,
    Active,
    Removing,
    Removed,
    Failed,
    Unsettled,
    Missing
});

/// Derives the state.
///
/// `confirmed` says whether a create ever ended with the data connection there: it distinguishes a creation that failed from a
/// connection that another person deleted, and one that stands from one that ARM shows although it called the create failed.
#[must_use]
pub const fn derive(
    desired: Desired,
    observed: Observed,
    in_flight: Option<InFlight>,
    confirmed: bool,
) -> State {
    match (in_flight, desired, observed) {
        (
            Some(InFlight {
                phase: Phase::Settling,
                ..
            }),
            _,
            _,
        ) => State::Unsettled,
        // Wanted gone: the removal is under way, or waits for the creation to end.
        (Some(_), Desired::Absent, _) => State::Removing,
        (
            Some(InFlight {
                kind: OperationKind::Create,
                ..
            }),
            Desired::Present,
            _,
        ) => State::Creating,
        (
            Some(InFlight {
                kind: OperationKind::Remove,
                ..
            }),
            Desired::Present,
            _,
        ) => State::Removing,
        (None, _, Observed::Unknown) => State::Unsettled,
        (None, Desired::Present, Observed::Present) if confirmed => State::Active,
        (None, Desired::Present, Observed::Present) => State::Unsettled,
        (None, Desired::Present, Observed::Absent) if confirmed => State::Missing,
        (None, Desired::Present, Observed::Absent) => State::Failed,
        // A removal that ended without effect leaves the wish, and a caller must request it again.
        (None, Desired::Absent, Observed::Present) => State::Removing,
        (None, Desired::Absent, Observed::Absent) => State::Removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_desired_and_observed_has_its_state_at_rest() {
        use Desired as D;
        use Observed as O;
        for (desired, observed, confirmed, state) in [
            (D::Present, O::Present, true, State::Active),
            (D::Present, O::Present, false, State::Unsettled),
            (D::Present, O::Absent, false, State::Failed),
            (D::Present, O::Absent, true, State::Missing),
            (D::Present, O::Unknown, false, State::Unsettled),
            (D::Present, O::Unknown, true, State::Unsettled),
            (D::Absent, O::Absent, false, State::Removed),
            (D::Absent, O::Absent, true, State::Removed),
            (D::Absent, O::Present, true, State::Removing),
            (D::Absent, O::Present, false, State::Removing),
            (D::Absent, O::Unknown, false, State::Unsettled),
            (D::Absent, O::Unknown, true, State::Unsettled),
        ] {
            assert_eq!(
                derive(desired, observed, None, confirmed),
                state,
                "{desired:?} {observed:?} {confirmed}"
            );
        }
    }

    #[test]
    fn an_operation_under_way_decides_the_state_whatever_was_seen_before() {
        use OperationKind::{Create, Remove};
        for observed in [Observed::Absent, Observed::Present, Observed::Unknown] {
            for phase in [Phase::Queued, Phase::Dispatched, Phase::Accepted] {
                for (desired, kind, state) in [
                    (Desired::Present, Create, State::Creating),
                    (Desired::Present, Remove, State::Removing),
                    (Desired::Absent, Create, State::Removing),
                    (Desired::Absent, Remove, State::Removing),
                ] {
                    let in_flight = Some(InFlight { kind, phase });
                    assert_eq!(derive(desired, observed, in_flight, false), state);
                    assert_eq!(derive(desired, observed, in_flight, true), state);
                }
            }
            let settling = Some(InFlight {
                kind: Create,
                phase: Phase::Settling,
            });
            assert_eq!(
                derive(Desired::Present, observed, settling, false),
                State::Unsettled
            );
        }
    }

    /// The states that the picture in `docs/architecture.md` connects, as from and to.
    fn drawn() -> Vec<(&'static str, &'static str)> {
        let text = include_str!("../../docs/architecture.md");
        let (_, picture) = text.split_once("stateDiagram-v2\n").expect("a picture");
        let (picture, _) = picture.split_once("```").expect("its end");
        picture
            .lines()
            .filter_map(|line| {
                let (from, rest) = line.split_once(" --> ")?;
                Some((
                    from.trim(),
                    rest.split_once(" : ").map_or(rest, |(to, _)| to).trim(),
                ))
            })
            .collect()
    }

    #[test]
    fn the_picture_of_the_states_connects_those_that_are_derived() {
        use Desired as D;
        use Observed as O;
        let drawn = drawn();
        assert!(drawn.len() > State::ALL.len());
        let follows = |state: State| drawn.iter().filter(move |(from, _)| *from == state.as_str());
        for state in State::ALL {
            let is_reached = drawn.iter().any(|(_, to)| *to == state.as_str());
            assert!(is_reached && follows(*state).next().is_some(), "{state:?}");
        }
        for (from, to) in &drawn {
            for end in [from, to] {
                assert!(*end == "[*]" || end.parse::<State>().is_ok(), "{end}");
            }
        }
        // What one change of what is wanted, of what is seen, or of the operation makes of a state at rest.
        let at_rest = |desired, observed, confirmed| derive(desired, observed, None, confirmed);
        let sent = |kind, desired, observed, confirmed| {
            let in_flight = Some(InFlight {
                kind,
                phase: Phase::Dispatched,
            });
            derive(desired, observed, in_flight, confirmed)
        };
        let create = sent(OperationKind::Create, D::Present, O::Unknown, false);
        let remove = sent(OperationKind::Remove, D::Absent, O::Unknown, true);
        for (from, to) in [
            (create, at_rest(D::Present, O::Present, true)),
            (create, at_rest(D::Present, O::Absent, false)),
            (create, at_rest(D::Present, O::Unknown, false)),
            (create, sent(OperationKind::Create, D::Absent, O::Unknown, false)),
            (at_rest(D::Present, O::Present, true), remove),
            (at_rest(D::Present, O::Absent, true), remove),
            (at_rest(D::Present, O::Unknown, false), remove),
            (remove, at_rest(D::Absent, O::Absent, true)),
            (remove, at_rest(D::Present, O::Present, true)),
            (remove, at_rest(D::Present, O::Absent, true)),
            (remove, at_rest(D::Present, O::Unknown, false)),
            (
                at_rest(D::Present, O::Unknown, false),
                at_rest(D::Present, O::Present, true),
            ),
            (
                at_rest(D::Present, O::Unknown, false),
                at_rest(D::Present, O::Absent, false),
            ),
            (
                at_rest(D::Present, O::Absent, false),
                at_rest(D::Present, O::Unknown, false),
            ),
        ] {
            assert!(
                follows(from).any(|(_, drawn)| *drawn == to.as_str()),
                "{from:?} to {to:?}"
            );
        }
    }

    #[test]
    fn words_of_the_database_are_read_back() {
        for phase in [
            Phase::Queued,
            Phase::Dispatched,
            Phase::Accepted,
            Phase::Settling,
            Phase::Succeeded,
            Phase::Failed,
        ] {
            assert_eq!(phase.as_str().parse(), Ok(phase));
        }
        assert!("later".parse::<Phase>().is_err());
    }
}
