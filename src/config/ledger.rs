//! `[ledger]`: the key of the marks that tokens leave, how soon events are in the feed, and how long
//! they stay.

use std::time::Duration;

use secrecy::SecretString;

use super::Reader;
use crate::ledger::Settings;

const DAY: Duration = Duration::from_secs(86_400);

/// The shortest key, in bytes: as long as the hash (RFC 2104, section 3).
const SHORTEST_KEY: usize = 32;

/// The ledger.
#[derive(Debug, Clone)]
pub struct LedgerSection {
    /// The key of the HMAC over token ids.
    pub fingerprint_key: SecretString,
    /// How soon events are in the feed, and how long they stay.
    pub upkeep: Settings,
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
        let retention = reader.duration_or_none("ledger.retention", Duration::ZERO, DAY * 36_525);
        let body_retention = reader.duration("ledger.body_retention", DAY * 90, DAY * 3650);
        if body_retention.is_some_and(|age| age < DAY) {
            reader.report("ledger.body_retention", "must be at least 1d");
        }
        Some(Self {
            fingerprint_key: fingerprint_key?,
            upkeep: Settings {
                feed_interval: feed_interval?,
                retention: retention?,
                body_retention: body_retention?,
            },
        })
    }
}
