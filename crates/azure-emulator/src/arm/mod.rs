//! Azure Resource Manager: who calls, what they may do there, and what the providers answer.
//! `auth` verifies tokens, `path` reads addresses, `access` asks for permissions, `error` and `headers` give the looks;
//! one file or folder a provider. What exists and who holds which role is `resources`'s.

mod access;
mod api_version;
mod auth;
mod auxiliary;
mod error;
mod eventhub;
mod headers;
mod kusto;
mod path;
mod permissions;
mod site;
mod subscriptions;

pub(crate) use site::answer;
