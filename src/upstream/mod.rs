//! What both network edges share: the one builder of HTTP clients, the tokens they may carry, answers read within bounds, and how
//! much each tenant's side is asked: deadlines, circuit breakers, repetitions.
//! Nothing here knows what Entra or ARM mean by their answers.

mod body;
mod circuit;
mod client;
pub mod deadline;
mod guard;
mod retry_after;
mod token;

/// The header with the tokens of further tenants, at ARM and at this API (Microsoft Learn, "Authenticate requests across tenants").
pub const AUXILIARY_HEADER: &str = "x-ms-authorization-auxiliary";

pub use body::{Body, BodyError, parse_object, read_body};
pub use client::{ClientError, ClientOptions, client, local_client};
pub use guard::{AdmittedCall, Guard, GuardLimits, Guards, Rejected, RejectedFor, Service};
pub use retry_after::retry_after;
pub use token::{ArmToken, BearerToken, ServicePrincipal, User};
