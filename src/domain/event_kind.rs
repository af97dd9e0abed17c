//! The catalogue of event kinds. What is not listed here is not recorded; reads are not, so far.

use crate::domain::words::{stored_words, words};

words! {
    /// What an event of the ledger says happened.
    pub enum EventKind {
        /// A create was refused before anything was sent to change Azure, be it for its form: with the code of the problem. Not
        /// recorded when the tokens were not accepted: the requester is not known then.
        CreateRefused => "create.refused",
        /// A create was decided on: who asked, which tenants' tokens go with it, the hash of what is sent, and when a
        /// read found nothing there. Committed before the request leaves.
        CreateIntended => "create.intended",
        /// A create that surely had no effect so far is sent again: when a read found nothing there once more. Committed before
        /// the request leaves.
        CreateRepeated => "create.repeated",
        /// A create waits for its turn: another change of the cluster is in flight. What will be sent, as in `create.intended`, which
        /// follows before it is.
        CreateQueued => "create.queued",
        /// Azure requires more proof for a create, and did nothing: it waits for a caller who signs in with that.
        CreateHeld => "create.held",
        /// Azure took the create.
        CreateAccepted => "create.accepted",
        /// The data connection is there, confirmed by a read.
        CreateSucceeded => "create.succeeded",
        /// What a create sent was seen at Azure after its record had been closed: it was carried out late. The connection is unsettled.
        CreateAppeared => "create.appeared",
        /// The create ended without a data connection, confirmed by a read, or with one that is not surely its own: with the reason.
        CreateFailed => "create.failed",
        /// A removal was refused before anything was sent to change Azure: with the code of the problem.
        RemoveRefused => "remove.refused",
        /// A removal waits for its turn: another change of the connection or of its cluster is in flight.
        RemoveQueued => "remove.queued",
        /// A removal was decided on. Committed before the request leaves.
        RemoveIntended => "remove.intended",
        /// A removal that had no effect so far is sent again, in the name of the person who provided the tokens. Committed before
        /// the request leaves.
        RemoveRepeated => "remove.repeated",
        /// Azure refused a removal to its caller, and did nothing: it demands more proof of them, or another person must ask. The
        /// removal waits.
        RemoveHeld => "remove.held",
        /// Azure took the removal.
        RemoveAccepted => "remove.accepted",
        /// The data connection is gone, confirmed by a read while its database could be read.
        RemoveSucceeded => "remove.succeeded",
        /// The removal ended without effect: with Azure's reason.
        RemoveFailed => "remove.failed",
        /// A caller provided tokens to a waiting operation: for which tenant, by which hash of its request, and who was its actor before.
        /// From here on it runs in the caller's name.
        OperationContinued => "operation.continued",
        /// A caller's tokens or rights did not suffice for an operation that waits, or its request's hash was missing or another: with the
        /// code of the problem.
        ContinueRefused => "continue.refused",
        /// Azure did nothing and wants the same asked later: with its code, and how long the change waits now (milliseconds).
        ChangeDeferred => "change.putOff",
        /// No answer, or no clear one: the change may or may not have happened. Reads will settle it.
        OutcomeUnknown => "outcome.unknown",
    }
}
stored_words!(EventKind {
    CreateRefused,
    CreateIntended,
    CreateRepeated,
    CreateQueued,
    CreateHeld,
    CreateAccepted,
    CreateSucceeded,
    CreateAppeared,
    CreateFailed,
    RemoveRefused,
    RemoveQueued,
    RemoveIntended,
    RemoveRepeated,
    RemoveHeld,
    RemoveAccepted,
    RemoveSucceeded,
    RemoveFailed,
    OperationContinued,
    ContinueRefused,
    ChangeDeferred,
    OutcomeUnknown
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_catalogue_is_read_back_and_is_its_own() {
        for kind in EventKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(serde_json::to_value(kind).expect("a word"), kind.as_str());
        }
    }
}
