//! The service that a row of the matrix is run on: its clock, its limits and what it may read by itself.

use std::time::Duration;

use azure_emulator::how_to;
use tenant_bridge::clock::Clock;

use super::calls::Call;
use super::troubles::Trouble;
use super::waits::Waits;
use crate::support::{App, PATIENCE, hurried};

/// How long reads lag, and by which time operations should have ended. Tests don't wait for either: they move the clocks.
pub(super) const LONG: Duration = Duration::from_secs(300);

/// Which service a cell needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Usual,
    /// It soon waits no longer for an answer.
    Impatient,
    /// By a clock that is moved past deadlines.
    Ahead,
    /// It continues to read for as long as reads lag.
    Lagging,
}

/// Which service this cell needs.
pub(super) fn kind(call: Call, trouble: Trouble) -> Kind {
    match (call, trouble) {
        (_, trouble) if trouble.is_time_out() => Kind::Impatient,
        // A success that did nothing is believed until the deadline.
        (_, Trouble::EndlessOutage) | (Call::Delete, Trouble::Status299) => Kind::Ahead,
        (_, Trouble::ReadLag) => Kind::Lagging,
        _ => Kind::Usual,
    }
}

/// A service that hurries and remembers nothing from one cell to the next.
pub(super) async fn service(call: Call, kind: Kind, waits: Waits, clock: &Clock) -> App {
    let app = App::by_clock(clock, |config| {
        hurried(config);
        config.worker.max_request_lifetime = waits.max_request_lifetime;
        // Many services at once share one Postgres, which takes a hundred connections.
        config.database.pool.max_connections = 4;
        config.arm.tenant_cache = Duration::ZERO;
        // One refusal for too many calls must not be felt by the next trouble; `resilience` has what it does.
        config.upstream_limits.longest_retry_after = Duration::ZERO;
        config.visibility.granted_for = Duration::from_millis(1);
        config.visibility.denied_for = Duration::from_millis(1);
        // One cell's failures are no reason to hold back the next one's calls.
        config.upstream_limits.opens_after = u32::MAX;
        config.upstream_limits.pause = Duration::from_millis(10);
        match kind {
            Kind::Usual => {}
            Kind::Impatient => {
                config.upstream.timeout = waits.patience;
                config.upstream_limits.read_timeout = waits.patience;
            }
            Kind::Ahead => {
                config.worker.deadline = LONG;
                config.worker.max_queue_time = LONG;
            }
            Kind::Lagging => {
                // What ARM called done is looked for so many times, and what got no answer for so long.
                config.worker.poll_min = Duration::from_millis(200);
                config.worker.poll_max = Duration::from_millis(200);
                config.worker.max_request_lifetime = PATIENCE * 2;
            }
        }
        if call.is_own() {
            // Asked for in milliseconds what it is asked for in minutes otherwise.
            config.entra.identical_exchanges = u32::MAX;
            config.tenants.service_reads = [how_to::DOMAIN1.parse().expect("a GUID")].into();
        }
    })
    .await;
    app.operations_take(Duration::from_millis(60));
    for (user, scope) in [
        ("acc8@domain2.com", how_to::HUB1),
        (how_to::TENANT_BRIDGE, how_to::CLUSTER),
    ] {
        app.emulator
            .edit(|world| world.assign_role(user, "Reader", scope))
            .expect("a role");
    }
    app
}
