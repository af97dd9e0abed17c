//! The fault matrix: every call that the service makes, met by everything that can go wrong with a call. Each cell has a named
//! state in which it ends, or the reason why it means nothing; `table_checks` and `table_changes` hold them, and the compiler
//! holds the two complete. What is asserted beside the state: one PUT unless ARM surely did nothing, no call of another host, no
//! outage told as the caller's fault, nothing left to do. Whole stories with a trouble in them are in `outcomes` and `upstream`.

mod bench;
mod calls;
mod change;
mod check;
mod complete;
mod outcome;
mod own;
mod service;
mod table_changes;
mod table_checks;
mod troubles;
mod waits;

use bench::row;
use calls::Call;

macro_rules! rows {
    ($($name:ident => $call:ident,)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                row(Call::$call).await;
            }
        )+

        /// The rows that are run.
        const ROWS: &[Call] = &[$(Call::$call),+];
    };
}

rows! {
    each_trouble_of_the_signing_keys => Keys,
    each_trouble_of_asking_whose_the_target_is => TargetTenant,
    each_trouble_of_asking_whose_the_source_is => SourceTenant,
    each_trouble_of_the_exchange_for_the_target => TargetExchange,
    each_trouble_of_the_exchange_for_the_source => SourceExchange,
    each_trouble_of_reading_the_cluster => Cluster,
    each_trouble_of_reading_the_database => Database,
    each_trouble_of_proving_absence => Absence,
    each_trouble_of_asking_for_rights_at_the_target => TargetPermissions,
    each_trouble_of_asking_for_rights_at_the_source => SourcePermissions,
    each_trouble_of_reading_the_event_hub => EventHub,
    each_trouble_of_reading_the_consumer_group => ConsumerGroup,
    each_trouble_of_the_create => Put,
    each_trouble_of_asking_how_the_create_stands => PutPoll,
    each_trouble_of_reading_back_what_was_created => PutReadBack,
    each_trouble_of_settling_a_create => PutSettling,
    each_trouble_of_proving_absence_once_more => SecondAbsence,
    each_trouble_of_the_exchange_for_a_removal => RemovalExchange,
    each_trouble_of_asking_for_the_right_to_remove => RemovalPermissions,
    each_trouble_of_the_read_before_a_removal => RemovalRead,
    each_trouble_of_the_exchange_to_go_on => ContinueExchange,
    each_trouble_of_the_exchange_to_go_on_at_the_source => ContinueSourceExchange,
    each_trouble_of_asking_whether_the_name_is_free_to_go_on => ContinueAbsence,
    each_trouble_of_asking_for_the_right_to_go_on => ContinuePermissions,
    each_trouble_of_the_removal => Delete,
    each_trouble_of_asking_how_the_removal_stands => DeletePoll,
    each_trouble_of_reading_back_what_was_removed => DeleteReadBack,
    each_trouble_of_reading_the_database_after_a_removal => DatabaseAfter,
    each_trouble_of_settling_a_removal => DeleteSettling,
    each_trouble_of_the_services_own_token => OwnToken,
    each_trouble_of_reading_with_the_services_own_token => OwnReading,
    each_trouble_of_the_exchange_for_a_look => LookExchange,
    each_trouble_of_looking_at_a_connection => LookConnection,
    each_trouble_of_looking_at_a_hub => LookHub,
    each_trouble_of_looking_at_a_list => LookList,
    each_trouble_of_looking_at_a_namespace => LookNamespace,
}
