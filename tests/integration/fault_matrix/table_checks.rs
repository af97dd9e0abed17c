//! The cells of what is asked before anything is recorded: keys, tenants, exchanges, reads, and whether somebody may look.
//! Every trouble here lasts as long as the request.

use super::calls::Call;
use super::outcome::Cell::{self, Leads, Meaningless};
use super::outcome::Outcome::{NotAllowed, NotSeen, Outage, Refused, Taken, Unharmed, Unusable};
use super::table_changes;
use super::troubles::TOLD;
use super::troubles::Trouble::{self, *};

/// What the service says when nobody has named a time.
const SOON: &str = "5";

pub(super) const READ: &str = "a read changes nothing, so that before and after its effect are the same";
const NO_OPERATION: &str = "the call begins no operation that could go without a URL";
const NO_URL: &str = "the answer names no URL to go on with; the redirect is a cell of its own";
const UNCHANGED: &str =
    "no call of the service's changes what is read here, so there is nothing to lag behind";
const LASTS: &str =
    "what is answered at once has no deadline; every trouble of this row lasts as long as the request";
const NO_TOKEN: &str = "neither question nor answer holds a token";

/// The cell of any call. Nothing stands for the rest here: a call or a trouble that is added needs its cells, or this doesn't compile.
pub(super) fn cell(call: Call, trouble: Trouble) -> Cell {
    match call {
        Call::Keys => keys(trouble),
        Call::TargetTenant | Call::SourceTenant => tenant(trouble),
        Call::TargetExchange
        | Call::SourceExchange
        | Call::RemovalExchange
        | Call::ContinueExchange
        | Call::ContinueSourceExchange
        | Call::LookExchange => exchange(trouble),
        Call::TargetPermissions
        | Call::SourcePermissions
        | Call::RemovalPermissions
        | Call::ContinuePermissions => match trouble {
            ForeignUrl => Leads(Outage(SOON)),
            _ => read(trouble),
        },
        Call::Absence | Call::ContinueAbsence => match trouble {
            // What was there a moment ago may be there still.
            ReadLag => Leads(Taken),
            _ => read(trouble),
        },
        Call::LookConnection => match trouble {
            // ARM looks at the right to read before it looks for the thing.
            ReadLag => Leads(Unharmed),
            _ => look(trouble),
        },
        Call::LookHub | Call::LookList | Call::LookNamespace => look(trouble),
        Call::Cluster | Call::Database | Call::EventHub | Call::ConsumerGroup => read(trouble),
        Call::Put
        | Call::PutPoll
        | Call::PutReadBack
        | Call::PutSettling
        | Call::SecondAbsence
        | Call::RemovalRead
        | Call::Delete
        | Call::DeletePoll
        | Call::DeleteReadBack
        | Call::DatabaseAfter
        | Call::DeleteSettling
        | Call::OwnToken
        | Call::OwnReading => table_changes::cell(call, trouble),
    }
}

fn keys(trouble: Trouble) -> Cell {
    match trouble {
        Throttled | TimeOutBefore | ResetBefore | Error500 | Error503 | CutBody | BrokenJson | WrongType
        | ForeignRedirect | Status299 | Status308 | Status418 | Status700 => {
            // No shorter than the pause between two attempts of the service's own.
            Leads(Outage(SOON))
        }
        WrongTenant => Meaningless(NO_TOKEN),
        _ => read(trouble),
    }
}

fn tenant(trouble: Trouble) -> Cell {
    match trouble {
        // The answer is in a header of the challenge; the body adds nothing.
        CutBody | BrokenJson | WrongType => Leads(Unharmed),
        WrongTenant => Leads(NotAllowed),
        _ => read(trouble),
    }
}

fn exchange(trouble: Trouble) -> Cell {
    match trouble {
        // The token that was lost is nobody's; another is asked for.
        TimeOutAfter | ResetAfter | Error500After | Error503After | Status299After | Status308After
        | Status418After | Status700After => Leads(Outage(SOON)),
        WrongTenant => Leads(Unusable),
        _ => read(trouble),
    }
}

fn look(trouble: Trouble) -> Cell {
    match trouble {
        // Anyone who brings a token that ARM refuses sees nothing.
        WrongTenant => Leads(NotSeen),
        _ => read(trouble),
    }
}

/// A read at ARM.
fn read(trouble: Trouble) -> Cell {
    match trouble {
        TimeOutBefore | ResetBefore | Throttled | Error500 | Error503 | CutBody => Leads(Outage(SOON)),
        // What makes no sense says neither yes nor no.
        BrokenJson | WrongType | ForeignRedirect | Status299 | Status308 | Status418 | Status700 => {
            Leads(Outage(SOON))
        }
        ThrottledWithTime => Leads(Outage(TOLD)),
        WrongTenant => Leads(Refused),
        TimeOutAfter | ResetAfter | Error500After | Error503After | Status299After | Status308After
        | Status418After | Status700After => Meaningless(READ),
        NoOperationUrl => Meaningless(NO_OPERATION),
        ForeignUrl => Meaningless(NO_URL),
        ReadLag => Meaningless(UNCHANGED),
        EndlessOutage => Meaningless(LASTS),
    }
}
