//! A steady load: callers who each make a connection, follow it, remove it and follow that, again and again, at their own place.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::Client;
use crate::history::requests::MANY;
use crate::history::scene::{Scene, create};
use crate::history::{Reply, Wish};

/// After so many calls a caller signs in anew.
const CALLS_WITH_A_TOKEN: u32 = 200;
/// How long one operation is followed.
const FOLLOWED: Duration = Duration::from_secs(60);

/// How the load is.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Set to end it.
    pub(crate) stop: AtomicBool,
    /// Creates and removals that were followed to their end, and ended well.
    pub(crate) ended: AtomicU64,
}

/// One caller's part of the load.
pub(crate) struct Caller<'a> {
    scene: &'a Scene,
    load: &'a Load,
    number: u32,
    /// At which replicas it calls, in turn.
    replicas: &'a [usize],
    /// The wait between two calls.
    pace: Duration,
    client: Client,
    calls: u32,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(
        scene: &'a Scene,
        load: &'a Load,
        number: u32,
        replicas: &'a [usize],
        pace: Duration,
    ) -> anyhow::Result<Self> {
        let client = scene.client(number)?;
        Ok(Self {
            scene,
            load,
            number,
            replicas,
            pace,
            client,
            calls: 0,
        })
    }

    /// Works until the load is stopped.
    pub(crate) async fn work(mut self) -> anyhow::Result<()> {
        let place = MANY + usize::try_from(self.number)?;
        while self.goes_on() {
            let key = Some(Uuid::new_v4().to_string());
            let Some(made) = self.change(create(place, place, key)).await? else {
                break;
            };
            let Some(connection) = made.connection else {
                continue;
            };
            let key = Some(Uuid::new_v4().to_string());
            self.change(Wish::Remove { connection, key }).await?;
        }
        Ok(())
    }

    fn goes_on(&self) -> bool {
        !self.load.stop.load(Ordering::Relaxed)
    }

    /// Asks for a change until it is taken on, and follows it to its end.
    async fn change(&mut self, wish: Wish) -> anyhow::Result<Option<Reply>> {
        let taken = loop {
            if let Some(reply) = self.call(wish.clone()).await?.filter(Reply::is_taken_on) {
                break reply;
            }
            if !self.goes_on() {
                return Ok(None);
            }
        };
        let Some(operation) = taken.operation else {
            return Ok(Some(taken));
        };
        let deadline = Instant::now() + FOLLOWED;
        while self.goes_on() && Instant::now() < deadline {
            let looked = self.call(Wish::Look { operation }).await?.unwrap_or_default();
            match looked.progress.as_str() {
                "succeeded" => {
                    self.load.ended.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                "failed" => break,
                "awaitingCaller" => {
                    self.call(Wish::Continue { operation }).await?;
                }
                _ => {}
            }
        }
        Ok(Some(taken))
    }

    async fn call(&mut self, wish: Wish) -> anyhow::Result<Option<Reply>> {
        sleep(self.pace).await;
        self.calls += 1;
        if self.calls.is_multiple_of(CALLS_WITH_A_TOKEN) {
            self.client = self.scene.client(self.number)?;
        }
        let turn = usize::try_from(self.calls)?
            .checked_rem(self.replicas.len())
            .unwrap_or_default();
        let replica = self.replicas.get(turn).copied().unwrap_or_default();
        Ok(self.scene.call(&self.client, self.number, replica, wish, 0).await)
    }
}
