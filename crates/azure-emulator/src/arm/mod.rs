//! Azure Resource Manager: who calls, what they may do there, and what the providers answer.
//! `token`, `auth` and `auxiliary` verify tokens, `challenge` asks for better ones, `throttle` counts calls, `path` reads
//! addresses, `providers` knows which there are, `access` asks for permissions, `error` and `headers` give the looks; one file or folder a provider.
//! What exists and who holds which role is `resources`'s.

mod access;
mod api_version;
mod auth;
mod authorization;
mod auxiliary;
mod challenge;
mod change;
mod collections;
mod error;
mod event_grid;
mod eventhub;
mod headers;
mod kusto;
mod paging;
mod path;
mod providers;
mod rules;
mod site;
mod storage;
mod subscriptions;
mod throttle;
mod throttled;
mod token;

pub use rules::ChallengeForm;
pub use throttle::{BucketSize, ThrottledBody, Throttling};

pub(crate) use rules::Rules;
pub(crate) use site::answer;
