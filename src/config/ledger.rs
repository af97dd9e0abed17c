//! `[ledger]`: the key of the marks that tokens leave.

use secrecy::{ExposeSecret, SecretString};

use super::Reader;

/// The shortest key, in bytes: as long as the hash (RFC 2104, section 3).
const SHORTEST_KEY: usize = 32;

/// The ledger.
#[derive(Debug, Clone)]
pub struct LedgerSection {
    /// The key of the HMAC over token ids.
    pub mark_key: SecretString,
}

impl LedgerSection {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mark_key = reader.secret("ledger.mark_key", "at least 32 random bytes, as text")?;
        if mark_key.expose_secret().len() < SHORTEST_KEY {
            reader.report("ledger.mark_key", "must be at least 32 bytes long");
            return None;
        }
        Some(Self { mark_key })
    }
}
