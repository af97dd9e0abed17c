//! What the service does where its own token is refused: it waits for a caller, and looks again after a while.

use azure_emulator::how_to;

use super::{Granted, asked_for, begin, by_itself, grant, waits_for_a_caller};
use crate::support::{App, eventually};

/// A service that may use its own token, and has no role with it.
async fn without_a_role() -> App {
    let app = App::with(|config| Granted::AtTheTarget.configure(config)).await;
    app.operations_take(std::time::Duration::from_millis(60));
    app
}

#[tokio::test]
async fn without_a_role_it_waits_for_a_caller_and_goes_on_by_itself_once_it_has_one() {
    let mut app = without_a_role().await;
    let created = begin(&app).await;
    app.stop_service().await;
    app.release_operations();
    app.start_service().await;
    let portal = app.how_to_portal();
    let waiting = waits_for_a_caller(&portal, &created).await;
    assert_eq!(waiting["awaiting"][0]["tenantId"], how_to::DOMAIN1);
    // ARM is asked again after a while only: six of the longest waits between two looks, each 100 ms here. A look may be refused twice:
    // of four refusals more, two are of another look.
    let begun = std::time::Instant::now();
    let refused = || by_itself(&app).iter().filter(|call| call.status == 403).count();
    let asked = refused();
    let four_more = |_: &azure_emulator::Entry| refused() >= asked + 4;
    app.emulator
        .journal()
        .wait_for(four_more, crate::support::PATIENCE)
        .await
        .expect("four more reads");
    assert!(begun.elapsed() > std::time::Duration::from_millis(600));

    grant(&app, "Reader", how_to::CLUSTER);
    app.all_have_ended().await;
    assert_eq!(
        portal.connection(created.text("/id")).await.text("/state"),
        "active"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_caller_continues_what_the_service_may_not_read() {
    let mut app = without_a_role().await;
    let created = begin(&app).await;
    app.stop_service().await;
    app.release_operations();
    app.start_service().await;
    let portal = app.how_to_portal();
    waits_for_a_caller(&portal, &created).await;
    let ended = portal.continue_to_end(created.text("/lastOperation/id")).await;
    assert_eq!(ended.text("/status"), "succeeded");
    app.finish().await;
}

#[tokio::test]
async fn without_consent_it_waits_for_a_caller_and_asks_entra_again_after_a_while() {
    let mut app = Granted::AtTheTarget.app().await;
    let created = begin(&app).await;
    let portal = app.how_to_portal();
    app.stop_service().await;
    app.release_operations();
    let service = how_to::TENANT_BRIDGE;
    app.emulator
        .edit(|world| world.deprovision(service, how_to::DOMAIN1))
        .expect("a tenant");
    app.start_service().await;
    let portal = portal.at(app.address());
    waits_for_a_caller(&portal, &created).await;
    let asked = asked_for(&app);
    assert!(asked > 0);
    app.emulator
        .edit(|world| {
            world.provision(service, how_to::DOMAIN1)?;
            world.assign_role(service, "Reader", how_to::CLUSTER)
        })
        .expect("a tenant");
    app.all_have_ended().await;
    assert!(asked_for(&app) > asked);
    app.finish().await;
}

#[tokio::test]
async fn a_replica_without_an_identity_of_its_own_claims_no_recheck() {
    let app = App::hurried().await;
    let due = "select due_at::text from schedules where name = 'recheckClosedCreates'";
    let before: Option<String> = app.scalar(due).await;
    // The sequencer claims its own row once an interval, which serves as the clock.
    let claims = "select coalesce(n_tup_upd, 0) from pg_stat_user_tables where relname = 'schedules'";
    let claimed: i64 = app.scalar(claims).await;
    let later = eventually(async || (app.scalar::<i64>(claims).await >= claimed + 10).then_some(()));
    assert!(later.await.is_some(), "the sequencer does not claim its row");
    assert_eq!(app.scalar::<Option<String>>(due).await, before);
    app.finish().await;
}
