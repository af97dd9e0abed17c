//! How tests of an operation's life hurry the service along, and watch what it does at ARM.

use std::time::Duration;

use azure_emulator::{Entry, Host};
use tenant_bridge::config::Config;
use tokio::time::{Instant, sleep};

use super::{App, PATIENCE};

/// Waits so short that an operation's whole life fits into a test. The order of the lengths is the real one.
pub(crate) fn hurried(config: &mut Config) {
    config.worker.poll_min = Duration::from_millis(20);
    config.worker.poll_max = Duration::from_millis(100);
    config.worker.interval = Duration::from_millis(100);
    config.worker.max_request_lifetime = Duration::from_millis(600);
}

/// The same, and an outage of the database counts as soon as it does by default.
pub(crate) fn impatient(config: &mut Config) {
    hurried(config);
    config.database.pool.acquire_timeout = Duration::from_millis(1500);
}

/// How often a condition is looked at that nothing announces.
const LOOK: Duration = Duration::from_millis(25);

/// Asks again and again until there is an answer; none when that takes too long.
pub(crate) async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask().await;
        if answer.is_some() || Instant::now() > deadline {
            return answer;
        }
        sleep(LOOK).await;
    }
}

impl App {
    /// A service that hurries, and an ARM that does.
    pub(crate) async fn hurried() -> Self {
        Self::hurried_with(|_| ()).await
    }

    /// The same with other settings too.
    pub(crate) async fn hurried_with(change: impl FnOnce(&mut Config)) -> Self {
        let app = Self::with(|config| {
            hurried(config);
            change(config);
        })
        .await;
        app.operations_take(Duration::from_millis(60));
        app
    }

    /// The calls to ARM with this method on this data connection.
    pub(crate) fn calls(&self, method: &str, name: &str) -> Vec<Entry> {
        let entries = self.emulator.journal().entries();
        entries
            .into_iter()
            .filter(|entry| is_call(entry, method, name))
            .collect()
    }

    /// Waits until ARM has answered, or cut off, so many such calls.
    pub(crate) async fn wait_for_calls(&self, method: &str, name: &str, count: usize) {
        let seen = self
            .emulator
            .journal()
            .wait_for(|_| self.calls(method, name).len() >= count, PATIENCE)
            .await;
        assert!(seen.is_some(), "ARM did not see {count} {method} of {name}");
    }

    /// Waits until the service has asked ARM once more how an operation stands.
    pub(crate) async fn wait_for_another_poll(&self) {
        let polls = || {
            let entries = self.emulator.journal().entries();
            let is_poll =
                |entry: &&Entry| entry.host == Host::Arm && entry.path().contains("/operationResults/");
            entries.iter().filter(is_poll).count()
        };
        let before = polls();
        let asked = eventually(async || (polls() > before).then_some(())).await;
        assert!(asked.is_some(), "ARM was not asked again");
    }

    /// Waits until a query of the database gives true.
    pub(crate) async fn wait_until(&self, query: &'static str) {
        let true_by_now = eventually(async || self.scalar::<bool>(query).await.then_some(()));
        assert!(true_by_now.await.is_some(), "it did not become true: {query}");
    }

    /// Waits until no operation is open.
    pub(crate) async fn all_have_ended(&self) {
        self.wait_until(
            "select not exists (select from operations where phase not in ('succeeded', 'failed'))",
        )
        .await;
    }

    /// A write to ARM takes this long from now on.
    pub(crate) fn operations_take(&self, duration: Duration) {
        self.emulator.edit(|world| world.set_operation_duration(duration));
    }

    /// From now on a write at ARM goes on until [`App::release_operations`].
    pub(crate) fn hold_operations(&self) {
        self.operations_take(PATIENCE * 100);
    }

    /// Lets writes that were held end now, and others after a moment.
    pub(crate) fn release_operations(&self) {
        self.emulator.edit(|world| {
            world.set_operation_duration(Duration::from_millis(60));
            world.finish_operations(|_| true);
        });
    }
}

fn is_call(entry: &Entry, method: &str, name: &str) -> bool {
    entry.host == Host::Arm
        && entry.method == method
        && entry
            .path()
            .to_ascii_lowercase()
            .ends_with(&format!("/dataconnections/{name}"))
}
