//! What breaks, as planned.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::plan::Blow;
use super::scene::Scene;

/// Plays all blows, each at its time; those of one replica wait for each other.
pub(super) async fn play(scene: Scene, blows: Vec<(Duration, Blow)>) -> anyhow::Result<()> {
    let began = Instant::now();
    let blows = blows.into_iter().map(|(at, blow)| {
        let scene = scene.clone();
        async move {
            sleep_until(began + at).await;
            strike(&scene, blow).await
        }
    });
    futures_util::future::try_join_all(blows).await?;
    Ok(())
}

async fn strike(scene: &Scene, blow: Blow) -> anyhow::Result<()> {
    match blow {
        Blow::Kill { replica, back_after } => {
            if let Some(replica) = scene.replica(replica).lock().await.as_mut() {
                replica.kill()?;
            }
            sleep(back_after).await;
            scene.bring_back(replica).await
        }
        Blow::End { replica, back_after } => {
            if let Some(replica) = scene.replica(replica).lock().await.as_mut()
                && replica.ended()?.is_none()
            {
                replica.ask_to_end()?;
            }
            sleep(back_after).await;
            scene.bring_back(replica).await
        }
        Blow::Freeze { replica, lasts } => {
            // To end it takes a kill: a frozen process hears nothing but a kill.
            let mut place = scene.replica(replica).lock().await;
            if let Some(replica) = place.as_mut()
                && replica.ended()?.is_none()
            {
                let from = scene.now();
                replica.freeze()?;
                sleep(lasts).await;
                replica.wake()?;
                scene.was_frozen(from);
            }
            Ok(())
        }
        Blow::CutLine { replica, lasts } => {
            // A replica that is to come back has to wait: without its database none starts.
            let _place = scene.replica(replica).lock().await;
            if let Some(line) = scene.line(replica) {
                line.die();
                sleep(lasts).await;
                line.mend();
            }
            Ok(())
        }
        Blow::Revoke { caller } => {
            let (person, _) = scene.person(caller)?;
            let emulator = &scene.stack().emulator;
            emulator.edit(|world| {
                let now = world.now();
                world.directory.revoke_sessions(person.upn(), now)
            })?;
            Ok(())
        }
    }
}
