//! The login host: discovery, keys, the token endpoint, and minting for tests.
//! `token` verifies and grants, `claims` says what stands in a token, `error` how a refusal reads.
//! Who exists and who consented is `directory`'s.

mod claims;
mod client;
mod discovery;
mod error;
mod jwt;
mod keys;
mod mint;
mod scope;
mod site;
mod token;

pub use keys::KeyError;
pub use mint::{MintError, MintUserToken, TokenOverrides};

pub(crate) use jwt::Jwt;
pub(crate) use keys::{KeyRing, SigningKey};
pub(crate) use mint::mint;
pub(crate) use site::answer;
