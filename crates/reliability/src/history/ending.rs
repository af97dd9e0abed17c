//! How a history ends: nothing breaks any more, all replicas serve, and callers come back to what waits for them, until nothing
//! is under way.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::collect;
use super::record::{Operation, Owner, Who, Wish};
use super::scene::Scene;

/// How long everything may take to come to an end, on a machine with much else to do.
const LONGEST: Duration = Duration::from_secs(60);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(25);
/// Between two visits of a caller.
const VISIT: Duration = Duration::from_millis(120);

/// Comes to an end; callers that are `gone` never come back.
pub(crate) async fn come_to_an_end(scene: &Scene, gone: &BTreeSet<Who>) -> anyhow::Result<()> {
    scene.stack().emulator.clear_faults();
    let deadline = Instant::now() + LONGEST;
    let mut visit = Instant::now();
    while Instant::now() < deadline {
        let people = collect::people(scene).await?;
        let undone = collect::undone(scene).await?;
        let owner = |row: &Operation| {
            let person = people.iter().find(|known| known.id == row.person_id);
            person.map(|known| format!("{}/{}", known.tenant_id, known.object_id))
        };
        let waits_for_ever: BTreeSet<_> = undone
            .iter()
            .filter(|row| {
                row.awaiting_tenant_id.is_some() && owner(row).is_some_and(|who| gone.contains(&who))
            })
            .map(|row| row.connection_id)
            .collect();
        let is_quiet = undone
            .iter()
            .all(|row| waits_for_ever.contains(&row.connection_id));
        if is_quiet && !changes_run(scene) {
            return Ok(());
        }
        if Instant::now() >= visit {
            for row in &undone {
                if let Some(who) = owner(row).filter(|who| !gone.contains(who)) {
                    come_back(scene, &who, row).await?;
                }
            }
            visit = Instant::now() + VISIT;
        }
        sleep(LOOK).await;
    }
    // What is left undone is the checker's to tell.
    Ok(())
}

/// A caller reads an operation that waits for a token, and continues it with new tokens.
async fn come_back(scene: &Scene, who: &str, row: &Operation) -> anyhow::Result<()> {
    let (Some(caller), Some(_)) = (scene.caller(who), row.awaiting_tenant_id) else {
        return Ok(());
    };
    let client = scene.client(caller)?;
    let operation = row.id;
    let replica = usize::from(operation.as_u128() % 2 == 1);
    let reply = scene
        .call(&client, caller, replica, Wish::Look { operation }, 0)
        .await;
    if reply.is_some_and(|reply| reply.progress == "awaitingCaller") {
        scene
            .call(&client, caller, replica, Wish::Continue { operation }, 0)
            .await;
        if row.kind == "remove" {
            let connection = row.connection_id;
            scene
                .call(
                    &client,
                    caller,
                    replica,
                    Wish::Remove {
                        connection,
                        key: None,
                    },
                    0,
                )
                .await;
        }
    }
    Ok(())
}

/// Whether Azure still carries out a change.
fn changes_run(scene: &Scene) -> bool {
    scene.stack().emulator.read(|world| {
        let now = world.now();
        world
            .resources
            .operations
            .iter()
            .any(|operation| operation.ends > now)
    })
}

/// Waits until everything has landed that was delayed by `takes`, and has callers come back to what was carried out after its record
/// had been closed: asking for the same again, they bring the service to look.
pub(crate) async fn see_late_effects(
    scene: &Scene,
    gone: &BTreeSet<Who>,
    takes: Duration,
) -> anyhow::Result<()> {
    sleep(takes).await;
    come_to_an_end(scene, gone).await?;
    let history = scene.history().await?;
    let is_recorded = |arm_id: &str| {
        let mut open = history.connections.iter().filter(|row| row.closed_at.is_none());
        open.any(|row| row.arm_id == arm_id)
    };
    for arm_id in history.world.iter().filter(|arm_id| !is_recorded(arm_id)) {
        if history.owner(arm_id, scene.now()) != Some(Owner::Service) {
            continue;
        }
        let asked = history.calls.iter().find(|call| {
            matches!(&call.wish, Wish::Create { arm_id: wanted, .. } if wanted == arm_id)
                && !gone.contains(&call.who)
                && !history.revoked.contains(&call.who)
        });
        let Some((call, caller)) = asked.and_then(|call| Some((call, scene.caller(&call.who)?))) else {
            continue;
        };
        let Wish::Create { arm_id, body, .. } = call.wish.clone() else {
            continue;
        };
        let again = Wish::Create {
            arm_id,
            body,
            key: None,
        };
        scene
            .call(&scene.client(caller)?, caller, call.replica, again, 0)
            .await;
    }
    come_to_an_end(scene, gone).await
}

/// Callers want to be rid of the connections whose names strangers have by now: nothing of theirs may go with that.
pub(crate) async fn remove_what_strangers_made(scene: &Scene, gone: &BTreeSet<Who>) -> anyhow::Result<()> {
    let history = scene.history().await?;
    let open = history.connections.iter().filter(|row| row.closed_at.is_none());
    let of_strangers = open.filter(|row| history.is_meddled_with(&row.arm_id));
    for row in of_strangers {
        let create = history
            .operations
            .iter()
            .find(|operation| operation.connection_id == row.id);
        let owner = create.and_then(|create| history.person(create.person_id));
        let Some(owner) = owner.filter(|who| !gone.contains(who)) else {
            continue;
        };
        if let Some(caller) = scene.caller(&owner) {
            let wish = Wish::Remove {
                connection: row.id,
                key: None,
            };
            let replica = usize::from(row.id.as_u128() % 2 == 1);
            scene.call(&scene.client(caller)?, caller, replica, wish, 1).await;
        }
    }
    come_to_an_end(scene, gone).await
}
