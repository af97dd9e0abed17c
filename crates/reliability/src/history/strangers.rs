//! Strangers: people with rights of their own at Azure, who delete and make what callers name, and tell nobody.

use std::time::Duration;

use azure_emulator::{Entry, Host, how_to};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::plan::Meddling;
use super::record::Meddled;
use super::requests::many;
use super::scene::{Scene, arm_id};

/// For how long a stranger waits for his moment.
const PATIENCE: Duration = Duration::from_millis(2500);
/// How often he looks.
const LOOK: Duration = Duration::from_millis(3);
/// The first of the consumer groups that only strangers use.
const GROUPS: usize = 900;

/// Plays all of them, each from its time on.
pub(super) async fn play(scene: Scene, strangers: Vec<(Duration, Meddling)>) -> anyhow::Result<()> {
    let began = Instant::now();
    let strangers = strangers.into_iter().map(|(at, meddling)| {
        let scene = scene.clone();
        async move {
            sleep_until(began + at).await;
            match meddling {
                Meddling::Remake { place } => remake(&scene, place).await,
                Meddling::Snatch { place } => snatch(&scene, place).await,
            }
        }
    });
    futures_util::future::join_all(strangers).await;
    Ok(())
}

/// Deletes what the service made and makes another in its place, once there is something and nothing of it is under way.
async fn remake(scene: &Scene, place: usize) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let done = scene.stack().emulator.edit(|world| {
            let id = id(place);
            let stands = world.data_connection(&id).is_some_and(|found| !is_theirs(&found));
            if !stands || is_busy(world, place) || world.remove_data_connection(&id).is_err() {
                return None;
            }
            make(world, place)
        });
        if let Some(meddled) = done {
            return scene.meddled(meddled);
        }
        sleep(LOOK).await;
    }
}

/// Makes a data connection as soon as a read has found its name free.
async fn snatch(scene: &Scene, place: usize) {
    let mut news = scene.stack().emulator.journal().subscribe();
    let deadline = Instant::now() + PATIENCE;
    while let Ok(Ok(entry)) = timeout_at(deadline, news.recv()).await {
        if !finds_nothing(&entry, place) {
            continue;
        }
        let done = scene.stack().emulator.edit(|world| {
            let is_free = world.data_connection(&id(place)).is_none() && !is_busy(world, place);
            is_free.then(|| make(world, place)).flatten()
        });
        if let Some(meddled) = done {
            return scene.meddled(meddled);
        }
    }
}

fn finds_nothing(entry: &Entry, place: usize) -> bool {
    entry.host == Host::Arm
        && entry.method == "GET"
        && entry.status == 404
        && entry.path().eq_ignore_ascii_case(&id(place))
}

fn make(world: &mut azure_emulator::World, place: usize) -> Option<Meddled> {
    let theirs = json!({ "kind": "EventHub", "properties": {
        "eventHubResourceId": many(), "consumerGroup": format!("g{}", GROUPS + place), "tableName": "Events"
    } });
    let at = world.now();
    world.add_data_connection(&id(place), &theirs).ok()?;
    Some(Meddled {
        at,
        arm_id: arm_id(place),
    })
}

/// Whether Azure carries out a change of it.
fn is_busy(world: &azure_emulator::World, place: usize) -> bool {
    let now = world.now();
    let mut operations = world.resources.operations.iter();
    operations.any(|operation| {
        operation.ends > now && operation.connection.as_str().eq_ignore_ascii_case(&id(place))
    })
}

/// Whether a stranger made what ARM shows.
pub(super) fn is_theirs(shown: &Value) -> bool {
    let group = shown.pointer("/properties/consumerGroup").and_then(Value::as_str);
    let number = group.and_then(|group| group.strip_prefix('g')?.parse::<usize>().ok());
    number.is_some_and(|number| number >= GROUPS)
}

fn id(place: usize) -> String {
    format!("{}/dataConnections/dc{place}", how_to::DATABASE)
}
