//! Places that everybody may use while some are free, and that are shared by app and then by person when none is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use uuid::Uuid;

use crate::authz::Caller;
use crate::domain::Person;

/// How long a caller who has their share waits for a place.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Whom a place is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Holder {
    app: Uuid,
    person: Person,
}

impl From<&Caller> for Holder {
    fn from(caller: &Caller) -> Self {
        Self {
            app: caller.app(),
            person: caller.actor(),
        }
    }
}

/// The places. Cheap to clone; clones are the same places.
///
/// No request is rejected to make room: its work may be half done. So there are as many places again for those who come when
/// all are taken and have fewer than their share: they are served at once, however long the others keep theirs.
#[derive(Debug, Clone)]
pub(super) struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    free: Arc<Semaphore>,
    /// Those who may wait for a place.
    queue: Semaphore,
    taken: Mutex<Taken>,
}

/// How many places each app and person has.
#[derive(Debug, Default)]
struct Taken {
    /// Places beyond `most`.
    beyond: usize,
    apps: HashMap<Uuid, Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Its places beyond `most`.
    beyond: usize,
    people: HashMap<Person, usize>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    holder: Holder,
    /// `None` for a place beyond the most.
    _permit: Option<OwnedSemaphorePermit>,
    beyond: bool,
}

impl Places {
    /// So many places, and as many for callers below their share when these are taken.
    pub(super) fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared {
            most,
            free: Arc::new(Semaphore::new(most)),
            queue: Semaphore::new(most),
            taken: Mutex::default(),
        }))
    }

    /// A place, if one is free or this caller has fewer than their share.
    pub(super) fn take_now(&self, holder: Holder) -> Option<Place> {
        let permit = Arc::clone(&self.0.free).try_acquire_owned().ok();
        self.counted(holder, permit)
    }

    /// The same; waits a moment for a place if there is none, unless as many wait as there are places.
    pub(super) async fn take(&self, holder: Holder) -> Option<Place> {
        if let Some(place) = self.take_now(holder) {
            return Some(place);
        }
        let _queued = self.0.queue.try_acquire().ok()?;
        let permit = timeout(LONGEST_WAIT, Arc::clone(&self.0.free).acquire_owned()).await;
        self.counted(holder, permit.ok()?.ok())
    }

    fn counted(&self, holder: Holder, permit: Option<OwnedSemaphorePermit>) -> Option<Place> {
        let mut taken = self.taken();
        let beyond = permit.is_none();
        if beyond && !taken.is_due(holder, self.0.most) {
            return None;
        }
        taken.add(holder, beyond);
        Some(Place {
            places: self.clone(),
            holder,
            _permit: permit,
            beyond,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Whether a place beyond the most is this caller's due. Each app has the same share of them, and in it each person, but at
    /// least one place. No app and no person takes more than they leave to those who may come next: several who use up their
    /// shares exclude no caller.
    fn is_due(&self, holder: Holder, most: usize) -> bool {
        let nobody = Counts::default();
        let app = self.apps.get(&holder.app).unwrap_or(&nobody);
        let own = app.people.get(&holder.person).copied().unwrap_or_default();
        let apps = self.apps.len() + usize::from(app.people.is_empty());
        let people = app.people.len() + usize::from(own == 0);
        let of_app = (most / apps.max(1)).max(1);
        let of_person = (of_app / people.max(1)).max(1);
        let left = most.saturating_sub(self.beyond);
        let left_to_app = of_app.min(left).saturating_sub(app.beyond);
        own < of_person.min(left_to_app)
    }

    fn add(&mut self, holder: Holder, beyond: bool) {
        self.beyond += usize::from(beyond);
        let app = self.apps.entry(holder.app).or_default();
        app.beyond += usize::from(beyond);
        *app.people.entry(holder.person).or_default() += 1;
    }

    fn remove(&mut self, holder: Holder, beyond: bool) {
        self.beyond -= usize::from(beyond);
        let Some(app) = self.apps.get_mut(&holder.app) else {
            return;
        };
        app.beyond -= usize::from(beyond);
        if let Some(own) = app.people.get_mut(&holder.person) {
            *own -= 1;
            if *own == 0 {
                app.people.remove(&holder.person);
            }
        }
        if app.people.is_empty() {
            self.apps.remove(&holder.app);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().remove(self.holder, self.beyond);
    }
}

#[cfg(test)]
mod tests;
