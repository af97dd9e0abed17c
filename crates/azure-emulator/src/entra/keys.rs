//! The signing keys: two of the enterprise authority, one of the consumer authority,
//! one that nobody publishes, and ARM's own for operation URLs.

use std::sync::{Arc, LazyLock, Once, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;

use serde_json::{Value, json};

use super::signing_key::{KeyError, SigningKey};
use crate::exchange::set;

/// The tenant of personal Microsoft accounts. Its key stands in every tenant's key set, bound to its own issuer,
/// so that a validator which forgets to bind key to issuer is found out.
pub(crate) const CONSUMER_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The name in the certificates of the enterprise authority.
const ENTERPRISE: &str = "accounts.accesscontrol.windows.net";

/// The keys that a process makes, each once and when it is first needed.
struct OfProcess {
    active: Arc<SigningKey>,
    next: Arc<SigningKey>,
    consumer: Arc<SigningKey>,
    foreign: Arc<SigningKey>,
    operations: Arc<SigningKey>,
}

static OF_PROCESS: LazyLock<OfProcess> = LazyLock::new(|| {
    let key = |name| Arc::new(SigningKey::new(name, Vec::new()));
    // ARM's own certificate names its regions and stands in every operation URL: that is what makes them long.
    let regions = (1..=40)
        .map(|n| format!("region{n:02}.management.azure.com"))
        .collect();
    OfProcess {
        active: key(ENTERPRISE),
        next: key(ENTERPRISE),
        consumer: key("login.live.com"),
        foreign: key("nobody"),
        operations: Arc::new(SigningKey::new("management.azure.com", regions)),
    }
});

/// The keys of one emulator. Emulators of a process begin with the same ones; each rotates its own.
pub(crate) struct KeyRing {
    enterprise: RwLock<Enterprise>,
    /// Published under the consumer tenant's issuer; signs only on a test's demand.
    pub(crate) consumer: Arc<SigningKey>,
    /// Never published; signs only on a test's demand.
    pub(crate) foreign: Arc<SigningKey>,
    /// ARM's: signs operation URLs, never a token.
    pub(crate) operations: Arc<SigningKey>,
}

/// The published keys of the enterprise authority.
struct Enterprise {
    /// Signs every token.
    active: Arc<SigningKey>,
    /// Published beside it, as Entra publishes the keys it will turn to.
    next: Arc<SigningKey>,
    /// Signed before; published until they are retired.
    old: Vec<Arc<SigningKey>>,
}

impl Enterprise {
    fn published(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        [&self.active, &self.next].into_iter().chain(&self.old)
    }
}

impl KeyRing {
    /// A ring of the process's keys.
    pub(crate) fn of_process() -> KeyRing {
        let keys = &*OF_PROCESS;
        KeyRing {
            enterprise: RwLock::new(Enterprise {
                active: Arc::clone(&keys.active),
                next: Arc::clone(&keys.next),
                old: Vec::new(),
            }),
            consumer: Arc::clone(&keys.consumer),
            foreign: Arc::clone(&keys.foreign),
            operations: Arc::clone(&keys.operations),
        }
    }

    /// Makes the process's keys beside what else goes on, those first that a client needs first. To be called when
    /// everything else of a start is done, which would have to share the processor with it.
    pub(crate) fn make_ahead() {
        static BEGUN: Once = Once::new();
        BEGUN.call_once(|| {
            let keys = &*OF_PROCESS;
            for keys in [[&keys.active, &keys.operations], [&keys.next, &keys.consumer]] {
                // Without a thread the keys are made by whoever needs them.
                let maker = thread::Builder::new().name("signing keys".to_owned());
                let _ = maker.spawn(move || keys.into_iter().for_each(|key| key.make()));
            }
        });
    }

    /// The key that signs tokens now.
    pub(crate) fn active(&self) -> Arc<SigningKey> {
        Arc::clone(&self.read().active)
    }

    /// The key of the enterprise authority with this `kid`: what Entra and ARM accept as a signer of tenants' tokens.
    pub(crate) fn enterprise(&self, kid: &str) -> Option<Arc<SigningKey>> {
        let published: Vec<_> = self.read().published().cloned().collect();
        published
            .into_iter()
            .find(|key| key.kid().is_ok_and(|known| known == kid))
    }

    /// `kid`s of the enterprise authority's published keys; the first signs.
    pub(crate) fn published_kids(&self) -> Vec<String> {
        self.read()
            .published()
            .filter_map(|key| key.kid().ok().map(str::to_owned))
            .collect()
    }

    /// Turns to the next key and makes another next one. The key that signed so far stays published.
    pub(crate) fn rotate(&self) -> Result<(), KeyError> {
        let made = Arc::new(SigningKey::new(ENTERPRISE, Vec::new()));
        made.kid()?;
        let mut keys = self.write();
        let next = std::mem::replace(&mut keys.next, made);
        let active = std::mem::replace(&mut keys.active, next);
        keys.old.push(active);
        Ok(())
    }

    /// Publishes the keys that signed before no longer: tokens of theirs are worthless.
    pub(crate) fn retire(&self) {
        self.write().old.clear();
    }

    /// The v2 key set: every key names the issuer it may sign for, with `{tenantid}` left open for enterprise keys.
    pub(crate) fn jwks_v2(&self, authority: &str) -> Value {
        self.key_set(|jwk, tenant| set(jwk, "issuer", json!(format!("{authority}{tenant}/v2.0"))))
    }

    /// The v1 key set: the same keys without issuers.
    pub(crate) fn jwks_v1(&self) -> Value {
        self.key_set(|_, _| ())
    }

    /// The published keys, each changed with the tenant that it may sign for.
    fn key_set(&self, change: impl Fn(&mut Value, &str)) -> Value {
        let mut keys: Vec<_> = self
            .read()
            .published()
            .map(|key| (Arc::clone(key), "{tenantid}"))
            .collect();
        keys.push((Arc::clone(&self.consumer), CONSUMER_TENANT));
        let keys = keys.into_iter().filter_map(|(key, tenant)| {
            let mut jwk = key.jwk()?;
            change(&mut jwk, tenant);
            Some(jwk)
        });
        json!({ "keys": keys.collect::<Vec<_>>() })
    }

    fn read(&self) -> RwLockReadGuard<'_, Enterprise> {
        self.enterprise.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Enterprise> {
        self.enterprise.write().unwrap_or_else(PoisonError::into_inner)
    }
}
