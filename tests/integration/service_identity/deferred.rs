//! Entra issues nothing for the caller's token, or for the service's own, for longer than `poll_max`: another token is used.

use std::time::Duration;

use azure_emulator::{Effect, Fault};

use super::{Granted, begin, by_itself, waits_for_a_caller};
use crate::support::{App, PATIENCE};

/// Access tokens so short that each use of one is an exchange, so that the service soon stops before Entra would see a loop. From
/// then on it has to wait for minutes.
fn exchange_for_each_use(app: &App) {
    let shortest = Duration::from_secs(200);
    app.emulator.edit(|world| world.set_token_lifetime(shortest));
}

#[tokio::test]
async fn the_service_reads_by_itself_while_the_callers_token_is_deferred() {
    let app = Granted::AtTheTarget.app().await;
    exchange_for_each_use(&app);
    let created = begin(&app).await;
    let reads = |_: &azure_emulator::Entry| !by_itself(&app).is_empty();
    let read = app.emulator.journal().wait_for(reads, PATIENCE).await;
    assert!(read.is_some(), "the service did not read by itself");
    app.release_operations();
    app.all_have_ended().await;
    let connection = app.how_to_portal().connection(created.text("/id")).await;
    assert_eq!(connection.text("/state"), "active");
    app.finish().await;
}

#[tokio::test]
async fn an_operation_whose_callers_token_is_deferred_for_long_is_continued_by_another_person() {
    let app = Granted::Nowhere.app().await;
    exchange_for_each_use(&app);
    let created = begin(&app).await;
    waits_for_a_caller(&app.how_to_portal(), &created).await;
    app.emulator
        .edit(|world| world.set_token_lifetime(Duration::from_secs(3600)));
    app.release_operations();
    let other = app.signed_in("acc5@domain1.com");
    let ended = other.continue_to_end(created.text("/lastOperation/id")).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    app.finish().await;
}

#[tokio::test]
async fn an_operation_for_which_the_services_own_token_is_deferred_for_long_waits_for_a_caller() {
    let mut app = Granted::AtTheTarget.app().await;
    let created = begin(&app).await;
    app.stop_service().await;
    let answer = Effect::status(429, &[("retry-after", "3600")]);
    app.emulator
        .inject(Fault::entra("/oauth2/v2.0/token", answer).always());
    app.release_operations();
    app.start_service().await;
    let portal = app.how_to_portal();
    waits_for_a_caller(&portal, &created).await;
    app.emulator.clear_faults();
    let ended = portal.continue_to_end(created.text("/lastOperation/id")).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    app.finish().await;
}
