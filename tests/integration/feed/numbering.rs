//! Positions: each committed event gets one, and later ones get higher ones.

use std::time::Duration;

use tokio::task::JoinSet;

use super::{auditor, ids, one, read, read_all, run};
use crate::support::{App, connect};

#[tokio::test]
async fn an_event_that_is_committed_late_comes_after_those_that_were_read_and_none_is_left_out() {
    let app = App::hurried().await;
    let portal = auditor(&app);
    let mut late = connect(&app.database.serving_url).await;
    let mut other = connect(&app.database.serving_url).await;
    run(&mut late, &format!("begin; {}", one("late"))).await;
    run(&mut other, &one("early")).await;
    let first = read(&portal, None).await;
    assert_eq!(ids(&first), ["early"]);
    // One that is rolled back leaves a number that never comes.
    run(
        &mut other,
        &format!("begin; {}; rollback; {}", one("never"), one("next")),
    )
    .await;
    let second = read(&portal, Some(first.text("/cursor"))).await;
    assert_eq!(ids(&second), ["next"]);
    run(&mut late, "commit").await;
    let third = read(&portal, Some(second.text("/cursor"))).await;
    assert_eq!(ids(&third), ["late"]);
    // Who begins later reads the same.
    let whole = read(&portal, None).await;
    assert_eq!(ids(&whole), ["early", "next", "late"]);
    assert_eq!(whole.body["cursor"], third.body["cursor"]);
    assert_eq!(whole.body["value"][2]["cursor"], third.body["cursor"]);
    // Nothing more can come, so nothing is looked for again.
    run(&mut other, &one("last")).await;
    app.wait_until("select numbered_up_to = (select max(sequence) from ledger_events) from feed_epochs")
        .await;
    app.finish().await;
}

#[tokio::test]
async fn several_replicas_give_each_event_one_position_also_when_one_is_killed() {
    const WRITERS: usize = 6;
    const EACH: usize = 40;
    let app =
        App::hurried_with(|config| config.ledger.upkeep.feed_interval = Duration::from_millis(20)).await;
    let (other, mortal) = (app.replica().await, app.mortal().await);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let url = app.database.serving_url.clone();
        writers.spawn(async move {
            let mut db = connect(&url).await;
            for number in 0..EACH {
                let id = format!("{writer}-{number}");
                // Some are rolled back, and some are held for a while.
                let end = match number % 4 {
                    0 => format!("begin; {} rollback; {}", one("never"), one(&id)),
                    1 => format!("begin; {} select pg_sleep(0.03); commit", one(&id)),
                    _ => one(&id),
                };
                run(&mut db, &end).await;
            }
        });
    }
    let (first, second, third) = (auditor(&app), auditor(&app).at(other.address()), auditor(&app));
    let count = WRITERS * EACH;
    let killed = async {
        app.wait_until("select count(*) > 60 from feed").await;
        mortal.kill();
    };
    let (read, again, ..) = tokio::join!(
        read_all(&first, count),
        read_all(&second, count),
        killed,
        writers.join_all()
    );
    let late = read_all(&third, count).await;
    assert_eq!(read, again);
    assert_eq!(read, late);
    let is_dense =
        "select count(*) = max(position) and min(position) = 1 and count(distinct event_sequence) = count(*)
        and count(*) = (select count(*) from ledger_events) and count(distinct hash) = count(*) from feed";
    assert!(app.scalar::<bool>(is_dense).await);
    other.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn maintenance_of_the_ledger_keeps_nothing_back_and_a_write_to_a_partition_is_awaited_like_any_other() {
    let app = App::hurried().await;
    let portal = auditor(&app);
    let mut owner = connect(&app.database.owner_url).await;
    let mut other = connect(&app.database.serving_url).await;
    // As `vacuum` and `create index concurrently` do.
    run(
        &mut owner,
        "begin; lock table ledger_events, ledger_events_before in share update exclusive mode",
    )
    .await;
    run(
        &mut other,
        &format!("begin; {}; rollback; {}", one("never"), one("first")),
    )
    .await;
    app.wait_until("select numbered_up_to = (select max(sequence) from ledger_events) from feed_epochs")
        .await;
    run(&mut owner, "commit").await;
    let into = one("into a partition").replace("ledger_events (", "ledger_events_before (sequence, ");
    let drawn = into.replace(
        "(gen_random_uuid()",
        "(nextval(pg_get_serial_sequence('ledger_events', 'sequence')), gen_random_uuid()",
    );
    run(&mut owner, &format!("begin; {drawn}")).await;
    run(&mut other, &one("second")).await;
    let early = read_all(&portal, 2).await;
    let cursor = early[1]["cursor"].as_str().expect("a cursor");
    run(&mut owner, "commit").await;
    assert_eq!(ids(&read(&portal, Some(cursor)).await), ["into a partition"]);
    app.finish().await;
}

#[tokio::test]
async fn events_are_numbered_although_the_clock_of_postgres_was_set_back() {
    let app = App::hurried().await;
    app.as_owner("update schedules set due_at = now() + interval '1 day' where name = 'numberEvents'")
        .await;
    let mut db = connect(&app.database.serving_url).await;
    run(&mut db, &one("later")).await;
    assert_eq!(ids(&read(&auditor(&app), None).await), ["later"]);
    app.finish().await;
}

#[tokio::test]
async fn numbers_of_events_are_drawn_one_by_one() {
    let app = App::hurried().await;
    let cache = "select seqcache from pg_sequence
        where seqrelid = pg_get_serial_sequence('ledger_events', 'sequence')::regclass";
    assert_eq!(app.scalar::<i64>(cache).await, 1);
    app.finish().await;
}
