//! The seed's format, as far as ARM's door and custom roles go.

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arm {
    pub(super) challenge_form: Option<ChallengeForm>,
    /// Authentication contexts that writes need.
    #[serde(default)]
    pub(super) writes_need: Vec<WritesNeed>,
    /// How long it takes until a role that was given or taken counts.
    #[serde(default)]
    pub(super) role_lag_seconds: u64,
    pub(super) throttling: Option<Throttling>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChallengeForm {
    Standard,
    Older,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WritesNeed {
    pub(super) tenant: String,
    /// Such as `p1`.
    pub(super) context: String,
}

/// What is left out is as at ARM.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Throttling {
    #[serde(default)]
    pub(super) enforced: bool,
    pub(super) reads: Option<Bucket>,
    pub(super) writes: Option<Bucket>,
    pub(super) deletes: Option<Bucket>,
    pub(super) global_factor: Option<u32>,
    pub(super) body: Option<Body>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bucket {
    pub(super) calls: u32,
    pub(super) refill_per_second: u32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Body {
    Subscription,
    BackendStorage,
    Resource,
    Plain,
}

/// A role of a tenant's own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleDefinition {
    /// A new GUID when left out.
    pub(super) id: Option<String>,
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    /// Where it may be given, and below.
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    pub(super) actions: Vec<String>,
    #[serde(default)]
    pub(super) not_actions: Vec<String>,
    #[serde(default)]
    pub(super) data_actions: Vec<String>,
    #[serde(default)]
    pub(super) not_data_actions: Vec<String>,
}
