//! What ARM's door can be set to: limits, what writes need, how it challenges. Seeds and `World` set it.

use serde::{Deserialize, Serialize};

use super::throttle::{Buckets, Throttling};

/// In which form ARM asks for a new token when sessions were revoked. Both were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChallengeForm {
    /// `error="insufficient_claims"`, with the authority of all tenants.
    #[default]
    Standard,
    /// `error="invalid_token"` with claims, from before the standard form.
    Older,
}

/// The rules, and what was counted under them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(super) challenge_form: ChallengeForm,
    /// Tenant's GUID, and the authentication context that writes in its subscriptions need.
    writes_need: Vec<(String, String)>,
    pub(super) buckets: Buckets,
}

impl Rules {
    pub(crate) fn set_challenge_form(&mut self, form: ChallengeForm) {
        self.challenge_form = form;
    }

    pub(crate) fn set_throttling(&mut self, limits: Throttling) {
        self.buckets.set(limits);
    }

    pub(crate) fn set_writes_need(&mut self, tenant_id: &str, context: Option<&str>) {
        self.writes_need.retain(|(tenant, _)| tenant != tenant_id);
        let context = context.map(|context| (tenant_id.to_owned(), context.to_owned()));
        self.writes_need.extend(context);
    }

    pub(crate) fn challenge_form(&self) -> ChallengeForm {
        self.challenge_form
    }

    pub(crate) fn throttling(&self) -> Throttling {
        *self.buckets.limits()
    }

    /// The authentication context that writes in subscriptions of the tenant need.
    pub(crate) fn writes_need(&self, tenant_id: &str) -> Option<&str> {
        self.writes_need
            .iter()
            .find(|(tenant, _)| tenant == tenant_id)
            .map(|(_, context)| context.as_str())
    }
}
