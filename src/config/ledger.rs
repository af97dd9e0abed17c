//! `[ledger]`: the key of the marks that tokens leave.

use secrecy::SecretString;

use super::Reader;

/// The shortest key, in bytes: as long as the hash (RFC 2104, section 3).
const SHORTEST_KEY: usize = 32;

/// The ledger.
#[derive(Debug, Clone)]
pub struct LedgerSection {
    /// The key of the HMAC over token ids.
    pub fingerprint_key: SecretString,
}

impl LedgerSection {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let expected = "at least 32 random bytes, as text";
        let fix = "generate one, such as with `openssl rand -hex 32`";
        let fingerprint_key = reader.secret("ledger.fingerprint_key", expected, SHORTEST_KEY, fix)?;
        Some(Self { fingerprint_key })
    }
}
