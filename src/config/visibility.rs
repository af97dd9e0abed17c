//! `[visibility]`: how long ARM's word is taken on what a person may read.

use std::time::Duration;

use super::Reader;

/// How long it is remembered what ARM lets a person read.
#[derive(Debug, Clone)]
pub struct VisibilitySection {
    /// That it does: for as long somebody goes on seeing a connection after losing the right to read it at ARM.
    pub granted_for: Duration,
    /// That it doesn't: for as long somebody goes on not seeing one after being given the right. So short that whoever asks again
    /// is not told an old no, and long enough that a page which asks for the same several times asks ARM once.
    pub denied_for: Duration,
}

impl VisibilitySection {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let minute = Duration::from_secs(60);
        let granted_for = reader.duration("visibility.granted_for", minute * 5, minute * 60);
        let denied_for = reader.duration("visibility.denied_for", Duration::from_secs(2), minute);
        Some(Self {
            granted_for: granted_for?,
            denied_for: denied_for?,
        })
    }
}
