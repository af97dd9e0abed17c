//! The login host: discovery, keys, sign-in and consent pages, the token endpoint, and minting for tests.
//! `sign_in` and `admin_consent` are the pages, `client` proves who calls, `judge` and `policies` decide about a
//! user, `limits` how often one may ask, `token` verifies and grants, `claims` and `id_token` say what stands in a token, `error` how a refusal reads.
//! Who exists and who consented is `directory`'s.

mod admin_consent;
mod claims;
mod client;
mod consent;
mod discovery;
mod error;
mod id_token;
mod judge;
mod jwt;
mod keys;
mod limits;
mod logout;
mod mint;
mod page;
mod policies;
mod scope;
mod sign_in;
mod signing_key;
mod site;
mod token;

pub use mint::{MintError, MintUserToken, TokenOverrides};
pub use signing_key::KeyError;
pub(crate) use signing_key::SigningKey;

pub(crate) use claims::opaque;
pub(crate) use jwt::Jwt;
pub(crate) use keys::KeyRing;
pub(crate) use limits::{LONGEST_RATE, Limits};
pub(crate) use mint::mint;
pub(crate) use site::answer;
