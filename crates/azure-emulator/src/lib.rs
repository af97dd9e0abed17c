//! An Azure to test against: the login host (Microsoft Entra) and Azure Resource Manager, for many tenants, over TLS.
//!
//! Small but real: tokens are signed and verified, consent and role assignments decide, Kusto's long-running
//! operations take their time and can fail. What it does not know, it refuses as Azure would.

mod admin;
mod arm;
mod azure;
mod bounded;
mod client_key;
mod clock;
pub mod directory;
mod emulator;
mod entra;
mod exchange;
mod fault;
mod front;
pub mod how_to;
mod journal;
mod pace;
pub mod resources;
mod seed;
mod server;
mod shape;
mod sign_ins;
mod tls;
mod world;

pub use arm::{BucketSize, ChallengeForm, ThrottledBody, Throttling};
pub use client_key::ClientKey;
pub use clock::Clock;
pub use emulator::{Emulator, Options, ParallelWrites, StartError};
pub use entra::{KeyError, MintError, MintUserToken, TokenOverrides};
pub use fault::{Effect, Fault, FaultAnswer, FaultBody, Latency};
pub use journal::{Entry, GrantView, Host, Journal, TokenKind, TokenView};
pub use seed::{Problem, Seed, SeedError};
pub use sign_ins::{SignIn, SignIns};
pub use tls::TlsError;
pub use world::World;
