//! History: a seeded mix of callers, faults and restarts over two replicas and one Postgres. Everything that was called and
//! answered is written down, and the checker replays it against what Azure saw and what the service recorded.

mod act;
mod chaos;
mod check;
pub(crate) mod collect;
pub(crate) mod ending;
mod plan;
mod record;
pub(crate) mod requests;
mod run;
pub(crate) mod scene;
mod strangers;

pub use check::objections;
pub use record::{
    Call, Change, ChangeKind, Connection, Event, History, Meddled, Operation, Owner, Pseudonym, Read, Reply,
    Sent, Shown, Who, Wish,
};
pub use run::{Options, run};
