//! History: a seeded mix of callers, faults and restarts over two replicas and one Postgres. Everything that was called and
//! answered is written down, and the checker replays it against what Azure saw and what the service recorded.

mod act;
mod chaos;
mod check;
mod collect;
mod ending;
mod plan;
mod record;
mod run;
mod scene;

pub use check::objections;
pub use record::History;
pub use run::{Options, run};
