//! What both network edges share: the one builder of HTTP clients, and the tokens they may carry.
//! Nothing here knows what Entra or ARM mean by their answers.

mod client;
mod token;

pub use client::{ClientError, ClientOptions, client, collector_client};
pub use token::ArmToken;
