//! How many requests one person may send to this replica.

use super::problem::Problem;
use crate::authz::Caller;
use crate::authz::limits::{PerPerson, WINDOW};
use crate::domain::{Code, Exceeded};
use crate::telemetry::metrics;

/// The limit's name, in the answer and in the metrics.
const NAME: &str = "person";

/// The limit, with the counts of all who called lately.
#[derive(Debug)]
pub struct PersonLimit {
    quota: u32,
    requests: PerPerson,
    /// The log mentions each person once in a while, not each of thousands of requests.
    told: PerPerson,
}

impl PersonLimit {
    /// A limit of so many requests a minute; nothing is counted yet.
    #[must_use]
    pub fn new(per_person: u32) -> Self {
        Self {
            quota: per_person,
            requests: PerPerson::new(per_person),
            told: PerPerson::new(1),
        }
    }

    /// Counts a request of this caller's.
    pub(super) fn check(&self, caller: &Caller) -> Result<(), Problem> {
        let Err(wait) = self.requests.count(caller.actor()) else {
            return Ok(());
        };
        metrics::request_limited(NAME);
        if self.told.count(caller.actor()).is_ok() {
            tracing::warn!(
                http.limit = NAME,
                entra.tenant = %caller.actor().tenant,
                entra.app = %caller.app(),
                "a person sends more requests than limits.per_person allows; they are answered with 429"
            );
        }
        let detail = format!(
            "you sent more than {} requests in a minute; nothing was done",
            self.quota
        );
        Err(Problem {
            retry_after: Some(wait),
            exceeded: Some(Exceeded {
                name: NAME,
                quota: self.quota,
                window: Some(WINDOW),
            }),
            ..Problem::new(Code::TooManyRequests, detail)
        })
    }
}
