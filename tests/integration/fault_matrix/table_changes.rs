//! The cells of what happens once a change is recorded: the write, its operation, and the reads that bear it out. A trouble here
//! meets the one write, or the first few of the calls that follow it.

use super::calls::Call;
use super::outcome::Cell::{self, Leads, Meaningless};
use super::outcome::Outcome::{
    self, Active, ActiveAfterDoubt, FailedAfterDoubt, FailedRefused, GivenUp, Removed, RemovedAfterDoubt,
    RemovedAtLast, Stands, UnsettledThenActive, UnsettledThenRemoved,
};
use super::table_checks::READ;
use super::troubles::Trouble::{self, *};

const WRITES: &str = "a write reads nothing";
const ONE_PUT: &str = "a create of unknown outcome is never sent again, so it meets no second answer";
const NO_BODY: &str = "ARM's answer to a removal has no body to break off";
const OPERATIONS_OWN: &str = "how an operation stands is told by the operation itself, not by reads that lag";
const NO_OPERATION: &str = "a read begins no operation that could go without a URL";
const NO_URL: &str = "the answer names no URL to go on with; the redirect is a cell of its own";
const NOT_CHANGED: &str = "the database is not what was changed, so its reads lag behind nothing";
const SAME_READS: &str = "the same read as a person's, whose lag is a cell of settling a create";
const NO_RESOURCE: &str = "a token is no resource whose reads could lag";
const NOT_SENT: &str = "nothing was sent before it whose effect could lag";
const NEVER_MADE: &str = "what was put off was never made, so there is nothing to lag behind";

/// The cell of a call that is made after its change was recorded.
#[expect(
    clippy::too_many_lines,
    reason = "one row per call of a table that the compiler holds complete"
)]
pub(super) fn cell(call: Call, trouble: Trouble) -> Cell {
    match call {
        Call::Put => put(trouble),
        Call::Delete => delete(trouble),
        Call::PutPoll => poll(trouble, Active(1), ActiveAfterDoubt),
        Call::DeletePoll => poll(trouble, Removed(1), RemovedAfterDoubt(1)),
        Call::PutReadBack => follow(trouble, Leads(Active(1)), Leads(Active(1)), UnsettledThenActive),
        Call::PutSettling => follow(
            trouble,
            Leads(ActiveAfterDoubt),
            Leads(ActiveAfterDoubt),
            UnsettledThenActive,
        ),
        Call::SecondAbsence => follow(trouble, Leads(Active(2)), Meaningless(NEVER_MADE), GivenUp),
        Call::RemovalRead => follow(trouble, Leads(Removed(1)), Meaningless(NOT_SENT), Removed(1)),
        Call::DeleteReadBack => follow(
            trouble,
            Leads(Removed(1)),
            Leads(Removed(1)),
            UnsettledThenRemoved,
        ),
        Call::DeleteSettling => follow(
            trouble,
            Leads(RemovedAfterDoubt(1)),
            // It is shown as if it had never been asked to go, which proves nothing while the request may still be carried out.
            Leads(RemovedAfterDoubt(1)),
            UnsettledThenRemoved,
        ),
        Call::DatabaseAfter => follow(
            trouble,
            Leads(Removed(1)),
            Meaningless(NOT_CHANGED),
            UnsettledThenRemoved,
        ),
        Call::OwnToken => own_token(trouble),
        Call::OwnReading => follow(
            trouble,
            Leads(ActiveAfterDoubt),
            Meaningless(SAME_READS),
            UnsettledThenActive,
        ),
        Call::Keys
        | Call::TargetTenant
        | Call::SourceTenant
        | Call::TargetExchange
        | Call::SourceExchange
        | Call::Cluster
        | Call::Database
        | Call::Absence
        | Call::TargetPermissions
        | Call::SourcePermissions
        | Call::EventHub
        | Call::ConsumerGroup
        | Call::RemovalExchange
        | Call::RemovalPermissions
        | Call::ContinueExchange
        | Call::ContinueSourceExchange
        | Call::ContinueAbsence
        | Call::ContinuePermissions
        | Call::LookExchange
        | Call::LookConnection
        | Call::LookHub
        | Call::LookList
        | Call::LookNamespace => Meaningless("no change is recorded yet"),
    }
}

fn own_token(trouble: Trouble) -> Cell {
    match trouble {
        // The token that was lost is nobody's; another is asked for.
        TimeOutAfter | ResetAfter | Error500After | Error503After | Status299After | Status308After
        | Status418After | Status700After => Leads(Active(1)),
        _ => follow(
            trouble,
            Leads(Active(1)),
            Meaningless(NO_RESOURCE),
            UnsettledThenActive,
        ),
    }
}

fn put(trouble: Trouble) -> Cell {
    match trouble {
        TimeOutBefore | ResetBefore | Error500 | Error503 | ForeignRedirect | Status299 | Status308
        | Status418 | Status700 => Leads(FailedAfterDoubt),
        TimeOutAfter | ResetAfter | Error500After | Error503After | ForeignUrl | Status308After
        | Status418After | Status700After => Leads(ActiveAfterDoubt),
        // ARM did nothing and said so; a new proof of absence goes before the second PUT.
        ThrottledWithTime | Throttled => Leads(Active(2)),
        // The headers tell all that is needed.
        CutBody | BrokenJson | WrongType => Leads(Active(1)),
        // A success; without a URL the data connection itself is watched.
        NoOperationUrl | Status299After => Leads(Active(1)),
        WrongTenant => Leads(FailedRefused),
        ReadLag => Meaningless(WRITES),
        EndlessOutage => Meaningless(ONE_PUT),
    }
}

fn delete(trouble: Trouble) -> Cell {
    match trouble {
        // What somebody named and wanted gone is asked for again as long as it is there.
        TimeOutBefore | ResetBefore | Error500 | Error503 | ForeignRedirect | Status299 | Status308
        | Status418 | Status700 => Leads(RemovedAfterDoubt(2)),
        TimeOutAfter | ResetAfter | Error500After | Error503After | ForeignUrl | Status308After
        | Status418After | Status700After => Leads(RemovedAfterDoubt(1)),
        ThrottledWithTime | Throttled => Leads(Removed(2)),
        BrokenJson | WrongType | NoOperationUrl | Status299After => Leads(Removed(1)),
        CutBody => Meaningless(NO_BODY),
        WrongTenant => Leads(Stands),
        ReadLag => Meaningless(WRITES),
        EndlessOutage => Leads(RemovedAtLast),
    }
}

/// Questions about an operation: whatever comes back, the next one or a read of the resource tells.
fn poll(trouble: Trouble, end: Outcome, at_the_deadline: Outcome) -> Cell {
    match trouble {
        NoOperationUrl | ForeignUrl => Leads(end),
        _ => follow(trouble, Leads(end), Meaningless(OPERATIONS_OWN), at_the_deadline),
    }
}

/// Reads after a change: one that fails changes nothing, and the next one tells.
fn follow(trouble: Trouble, end: Cell, with_lag: Cell, at_the_deadline: Outcome) -> Cell {
    match trouble {
        TimeOutBefore | ResetBefore | ThrottledWithTime | Throttled | Error500 | Error503 | CutBody
        | BrokenJson | WrongType | ForeignRedirect | WrongTenant | Status299 | Status308 | Status418
        | Status700 => end,
        TimeOutAfter | ResetAfter | Error500After | Error503After | Status299After | Status308After
        | Status418After | Status700After => Meaningless(READ),
        NoOperationUrl => Meaningless(NO_OPERATION),
        ForeignUrl => Meaningless(NO_URL),
        ReadLag => with_lag,
        EndlessOutage => Leads(at_the_deadline),
    }
}
