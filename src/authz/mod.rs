//! Who asks, what their tokens let them do here, and which tenants may be connected.

mod caller;
pub(crate) mod limits;
pub(crate) mod policy;
pub(crate) mod tenants;

pub use caller::{Caller, Intent, Scope};
pub use policy::{Side, TenantNames, TenantPolicy};
