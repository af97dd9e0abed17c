//! `[ledger]`: the key of the marks that tokens leave, and how soon events are in the feed.

use std::time::Duration;

use secrecy::SecretString;

use super::Reader;

/// The shortest key, in bytes: as long as the hash (RFC 2104, section 3).
const SHORTEST_KEY: usize = 32;

/// The ledger.
#[derive(Debug, Clone)]
pub struct LedgerSection {
    /// The key of the HMAC over token ids.
    pub fingerprint_key: SecretString,
    /// How often events that were committed are given their positions in the feed.
    pub feed_interval: Duration,
}

impl LedgerSection {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let expected = "at least 32 random bytes, as text";
        let fix = "generate one, such as with `openssl rand -hex 32`";
        let fingerprint_key = reader.secret("ledger.fingerprint_key", expected, SHORTEST_KEY, fix);
        let feed_interval = reader.duration(
            "ledger.feed_interval",
            Duration::from_millis(250),
            Duration::from_secs(60),
        );
        Some(Self {
            fingerprint_key: fingerprint_key?,
            feed_interval: feed_interval?,
        })
    }
}
