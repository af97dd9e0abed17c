//! Keys that a start does not wait for: they are made on threads of their own, and the first call that needs one waits
//! for what is left of that.

use std::ops::Deref;
use std::sync::OnceLock;

use super::keys::KeyRing;

/// An emulator's key ring, there when it is needed.
pub(crate) struct LateKeys(OnceLock<KeyRing>);

impl LateKeys {
    /// Begins to make the process's keys, unless they are made already.
    pub(crate) fn begin() -> LateKeys {
        std::thread::spawn(|| {
            // Whoever needs a key is told what went wrong.
            let _ = KeyRing::of_process();
        });
        LateKeys(OnceLock::new())
    }
}

impl Deref for LateKeys {
    type Target = KeyRing;

    #[expect(
        clippy::expect_used,
        reason = "a machine without random numbers can answer no call; there is nothing to go on with"
    )]
    fn deref(&self) -> &KeyRing {
        self.0
            .get_or_init(|| KeyRing::of_process().expect("this machine makes RSA keys"))
    }
}
