//! A caller plays a script.

use futures_util::future::join_all;
use tokio::time::sleep;
use uuid::Uuid;

use super::plan::{Step, What};
use super::record::{Reply, Wish};
use super::scene::{Scene, create};
use crate::Client;

/// What a caller remembers.
#[derive(Debug, Default)]
struct Memory {
    connections: Vec<Uuid>,
    operations: Vec<Uuid>,
    last: Option<(Wish, u32)>,
    key: Option<String>,
}

/// Plays it to its end.
pub(super) async fn play(scene: Scene, caller: u32, script: Vec<Step>) -> anyhow::Result<()> {
    let client = scene.client(caller)?;
    let mut memory = Memory::default();
    for step in script {
        sleep(step.pause).await;
        let Some((wish, wait, copies)) = wish(&step.what, &mut memory) else {
            continue;
        };
        let replies = ask(&scene, &client, caller, &step, &wish, wait, copies).await;
        for reply in replies.into_iter().flatten().filter(Reply::is_taken_on) {
            if matches!(wish, Wish::Create { .. }) {
                memory.connections.extend(reply.connection);
            }
            memory.operations.extend(reply.operation);
        }
    }
    Ok(())
}

async fn ask(
    scene: &Scene,
    client: &Client,
    caller: u32,
    step: &Step,
    wish: &Wish,
    wait: u32,
    copies: u32,
) -> Vec<Option<Reply>> {
    let places = (step.replica..).take(usize::try_from(copies).unwrap_or(1));
    join_all(places.map(|place| scene.call(client, caller, place % 2, wish.clone(), wait))).await
}

fn wish(what: &What, memory: &mut Memory) -> Option<(Wish, u32, u32)> {
    let word = |key: &u64| format!("key-{key}");
    Some(match what {
        What::Create {
            place,
            wait,
            key,
            copies,
        } => {
            let wish = create(*place, *place, key.as_ref().map(word));
            memory.key = key.as_ref().map(word).or(memory.key.take());
            memory.last = Some((wish.clone(), *wait));
            (wish, *wait, *copies)
        }
        What::OtherBody { place } => (create(*place, *place, Some(memory.key.clone()?)), 0, 1),
        What::Repeat => {
            let (wish, wait) = memory.last.clone()?;
            (wish, wait, 1)
        }
        What::Remove {
            which,
            wait,
            key,
            copies,
        } => {
            let connection = pick(&memory.connections, *which)?;
            let key = key.as_ref().map(word);
            (Wish::Remove { connection, key }, *wait, *copies)
        }
        What::Look { which } => (
            Wish::Look {
                operation: pick(&memory.operations, *which)?,
            },
            0,
            1,
        ),
    })
}

fn pick(of: &[Uuid], which: u64) -> Option<Uuid> {
    let length = u64::try_from(of.len()).ok()?;
    of.get(usize::try_from(which.checked_rem(length)?).ok()?).copied()
}
