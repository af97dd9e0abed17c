//! The ledger's events: what is recorded, in one catalogue, and what each event says.
//! People appear as pseudonyms, free text as a salted hash. Storing and reading them is `db`'s part.

mod event;
mod kind;
mod mark;

pub use event::{Event, RecordedEvent, hex, salted_hash};
pub use kind::EventKind;
pub use mark::Marker;
