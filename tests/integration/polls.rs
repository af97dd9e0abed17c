//! How often Azure is asked how far it is, with the clocks of the service and of Azure driven side by side.

use std::time::Duration;

use azure_emulator::{Effect, Entry, Fault};
use tenant_bridge::clock::Clock;

use crate::support::{App, request};

/// The shortest wait of [`App::driven_by`].
const SHORTEST: Duration = Duration::from_secs(1);

/// Lets both clocks run from one wait of the service to the next, until no operation is open. Returns how long that took by the
/// service's clock. Azure's also goes on by itself, so what it carries out never ends later than the service's clock says.
async fn run_to_the_end(app: &App, clock: &Clock) -> Duration {
    let began = clock.now();
    let clocks_run = async {
        loop {
            let wait = clock.until_next_alarm().await;
            app.emulator.clock().advance(wait);
            clock.advance(wait);
        }
    };
    tokio::select! {
        () = clocks_run => {}
        () = app.all_have_ended() => {}
    }
    (clock.now() - began).to_std().expect("a clock that runs forward")
}

/// The questions how far an operation is, from this entry of the journal on.
fn polls(app: &App, from: usize) -> Vec<Entry> {
    let entries = app.emulator.journal().entries().into_iter().skip(from);
    entries
        .filter(|entry| entry.path().to_ascii_lowercase().contains("/operationresults/"))
        .collect()
}

#[tokio::test]
async fn what_azure_takes_long_for_is_seen_ended_soon_after_and_asked_about_seldom() {
    let clock = Clock::driven(Clock::system().now());
    let app = App::driven_by(&clock).await;
    let portal = app.how_to_portal();
    for (seconds, most_polls) in [(4, 5), (60, 31), (600, 88)] {
        let takes = Duration::from_secs(seconds);
        app.operations_take(takes);
        let name = format!("taking{seconds}s");
        let created = portal.create_waiting(&request(&name), 0).await;
        assert_eq!(created.status, 202, "{}", created.body);
        for (method, state) in [("PUT", "active"), ("DELETE", "removed")] {
            if method == "DELETE" {
                portal.remove_waiting(created.text("/id"), 0).await;
            }
            app.wait_for_calls(method, &name, 1).await;
            let from = app.emulator.journal().entries().len();
            let took = run_to_the_end(&app, &clock).await;
            assert_eq!(portal.connection(created.text("/id")).await.text("/state"), state);
            let latest = takes.mul_f64(1.15) + SHORTEST;
            assert!(
                took <= latest,
                "{method}: seen ended after {took:?}, and not by {latest:?}"
            );
            let polls = polls(&app, from).len();
            assert!(polls <= most_polls, "{method}: asked {polls} times in {takes:?}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_wait_that_azure_asks_for_is_kept_to_the_second() {
    let clock = Clock::driven(Clock::system().now());
    let app = App::driven_by(&clock).await;
    app.hold_operations();
    let asks = Effect::Headers {
        set: vec![("Retry-After".to_owned(), "17".to_owned())],
        removed: Vec::new(),
    };
    app.emulator
        .inject(Fault::arm("/operationResults/", asks).method("GET"));
    let portal = app.how_to_portal();
    portal.create_waiting(&request("telemetry"), 0).await;
    let first = clock.until_next_alarm().await;
    assert_eq!(first, SHORTEST);
    clock.advance(first);
    // Longer than the longest wait of its own.
    assert_eq!(clock.until_next_alarm().await, Duration::from_secs(17));
    clock.advance(Duration::from_secs(17));
    // A tenth of all that.
    assert_eq!(clock.until_next_alarm().await, Duration::from_millis(1800));
    app.release_operations();
    run_to_the_end(&app, &clock).await;
    app.finish().await;
}

#[tokio::test]
async fn the_operation_and_the_data_connection_are_asked_side_by_side() {
    let clock = Clock::driven(Clock::system().now());
    let app = App::driven_by(&clock).await;
    let portal = app.how_to_portal();
    app.operations_take(SHORTEST * 5 / 2);
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    let from = app.emulator.journal().entries().len();
    run_to_the_end(&app, &clock).await;
    let polled = polls(&app, from).len();
    let entries = app.emulator.journal().entries().into_iter().skip(from);
    let read = entries.filter(|entry| entry.path().ends_with("/dataConnections/telemetry"));
    // The read that bears the end out came with the last question, and none after it.
    assert_eq!(read.count(), polled);
    assert_eq!(
        portal.connection(created.text("/id")).await.text("/state"),
        "active"
    );
    app.finish().await;
}
