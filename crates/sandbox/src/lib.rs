//! A private Postgres, an emulated Azure and Tenant Bridge in one process, ready to try.
//! Here lives how the three are put together, the demonstration, and the lines to paste; nothing that runs for real.

mod commands;
mod demo;
mod ready;
mod stack;

pub use commands::lines;
pub use demo::play;
pub use ready::Ready;
pub use stack::{Stack, configuration, settings, user_token};
