//! Trials of the service under faults: its real program, killed, frozen and restarted, against a private Postgres and an emulated
//! Azure. Here lives what all trials stand on, and the trials; nothing that runs for real. `docs/reliability.md` tells what
//! they prove.

pub mod agreement;
mod client;
pub mod contention;
pub mod duplicates;
pub mod feed;
pub mod freeze;
pub mod history;
pub mod kill_sweep;
mod load;
pub mod postgres;
mod random;
pub mod smoke;
pub mod soak;
pub mod stack;
mod tally;
pub mod upgrade;

pub use client::{Answer, Client};
pub use random::Random;
pub use stack::{Database, Ground, Person, Replica, Settings, Stack};
pub use tally::Tally;
