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
mod late_keys;
mod limits;
mod logout;
mod mint;
mod page;
mod policies;
mod scope;
mod sign_in;
mod site;
mod token;

pub use keys::KeyError;
pub use mint::{MintError, MintUserToken, TokenOverrides};

pub(crate) use claims::opaque;
pub(crate) use jwt::Jwt;
#[cfg(test)]
pub(crate) use keys::KeyRing;
pub(crate) use keys::SigningKey;
pub(crate) use late_keys::LateKeys;
pub(crate) use limits::Limits;
pub(crate) use mint::mint;
pub(crate) use page::escape;
pub(crate) use site::answer;
