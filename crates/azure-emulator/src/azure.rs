//! What the rooms share: addresses, clock, keys, the world behind its lock, and the tokens that were issued.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use url::Url;

use crate::clock::Clock;
use crate::entra::KeyRing;
use crate::world::World;

/// How many issued tokens are remembered; the oldest go first. More than any test issues.
const REMEMBERED: usize = 20_000;

pub(crate) struct Azure {
    pub(crate) entra_url: Url,
    pub(crate) arm_url: Url,
    pub(crate) clock: Clock,
    pub(crate) keys: KeyRing,
    world: Mutex<World>,
    issued: Mutex<VecDeque<String>>,
}

impl Azure {
    pub(crate) fn new(entra_url: Url, arm_url: Url, keys: KeyRing, world: World) -> Azure {
        let (clock, issued) = (world.clock.clone(), Mutex::default());
        Azure {
            entra_url,
            arm_url,
            clock,
            keys,
            world: Mutex::new(world),
            issued,
        }
    }

    /// The world, with every operation settled whose time has come. A panic of another holder is that test's
    /// failure, not ours: the lock is taken all the same.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        world.resources.settle(now);
        world
    }

    /// Remembers a token, so that tests can search logs and databases for it.
    pub(crate) fn remember(&self, token: &str) {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if issued.len() >= REMEMBERED {
            issued.pop_front();
        }
        issued.push_back(token.to_owned());
    }

    pub(crate) fn issued(&self) -> Vec<String> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.iter().cloned().collect()
    }

    /// The rest of a URL of the login host. It is at home under both names that its certificate has.
    pub(crate) fn below_entra<'a>(&self, url: &'a str) -> Option<&'a str> {
        let own = self.entra_url.as_str();
        let by_number = || own.replacen("//localhost", "//127.0.0.1", 1);
        url.strip_prefix(own).or_else(|| url.strip_prefix(&by_number()))
    }

    /// `https://localhost:PORT` without a trailing slash, for headers and texts.
    pub(crate) fn arm_origin(&self) -> &str {
        self.arm_url.as_str().trim_end_matches('/')
    }
}
