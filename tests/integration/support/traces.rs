//! What a request that was refused, or could not be served, may leave behind: nothing but an event of the ledger.

use azure_emulator::Host;

use super::App;

impl App {
    /// Nothing was sent that could change ARM and nothing is recorded, except that a create was refused so many times.
    #[track_caller]
    pub(crate) fn assert_untouched(&self, refusals: i64) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let writes = self.writes();
            assert!(writes.is_empty(), "{caller}: {writes:?}");
            let left: Vec<i64> = self
                .scalar(
                    "select array[(select count(*) from connections), (select count(*) from operations),
                        count(*) filter (where kind <> 'create.refused'), count(*) filter (where kind = 'create.refused')]
                     from ledger_events",
                )
                .await;
            let what = "connections, operations, other events, events of a refusal";
            assert_eq!(left, [0, 0, 0, refusals], "{caller}: {what}");
        }
    }

    /// How many creates the ledger says were refused.
    pub(crate) async fn refusals(&self) -> i64 {
        self.scalar("select count(*) from ledger_events where kind = 'create.refused'")
            .await
    }

    /// The tenants whose token endpoint was called, in the order of the calls.
    pub(crate) fn exchanges(&self) -> Vec<String> {
        let entries = self.emulator.journal().entries();
        let calls = entries
            .iter()
            .filter(|entry| entry.host == Host::Entra && entry.path().ends_with("/oauth2/v2.0/token"));
        calls
            .filter_map(|entry| entry.path().split('/').nth(1).map(str::to_owned))
            .collect()
    }

    /// How many calls ARM got.
    pub(crate) fn calls_at_arm(&self) -> usize {
        let entries = self.emulator.journal().entries();
        entries.iter().filter(|entry| entry.host == Host::Arm).count()
    }
}
