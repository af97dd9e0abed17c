//! `[limits]`: how much of one replica a single person may use.

use super::Reader;

/// What one person may use of one replica. Far above what a person at a portal needs.
#[derive(Debug, Clone)]
pub struct LimitsSection {
    /// The most requests in a minute.
    pub per_person: u32,
    /// The most refusals in a minute that are written to the ledger. The next one that is written has the number of those that
    /// were left out.
    pub refusals_logged: u32,
}

impl LimitsSection {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let per_person = reader.at_least("limits.per_person", 1, 6000);
        let refusals_logged = reader.at_least("limits.refusals_logged", 1, 20);
        Some(Self {
            per_person: per_person?,
            refusals_logged: refusals_logged?,
        })
    }
}
