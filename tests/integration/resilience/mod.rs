//! What one side that hangs, fails or throttles does to the rest: nothing that lasts. Circuit breakers, repetitions and their
//! budget, the pace of calls. What becomes of a single change under faults is told in `outcomes`.

mod circuits;
mod connections;
mod database;
mod loops;
mod overload;
mod pooler;
mod rate_limit;

use azure_emulator::{Host, how_to};
use serde_json::Value;

use crate::support::{App, request};

impl App {
    /// How often a tenant's token endpoint was asked.
    fn exchanges_at(&self, tenant: &str) -> usize {
        self.exchanges().iter().filter(|asked| *asked == tenant).count()
    }

    /// How many calls ARM got whose path holds this.
    fn asked_of_arm(&self, path: &str) -> usize {
        let entries = self.emulator.journal().entries();
        let wanted =
            |entry: &&azure_emulator::Entry| entry.host == Host::Arm && entry.path_and_query.contains(path);
        entries.iter().filter(wanted).count()
    }
}

/// A connection within the first tenant, of which the second knows nothing.
fn within_the_first_tenant(name: &str) -> Value {
    let mut body = request(name);
    body["source"]["eventHub"]["resourceId"] = how_to::LOCAL_HUB.into();
    body
}
