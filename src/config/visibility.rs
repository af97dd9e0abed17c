//! `[visibility]`: how long ARM's word is taken on what a person may read.

use std::time::Duration;

use super::Reader;
use crate::visibility::Settings;

/// How long a denial is cached: short, since a person may just have been given the right.
const DENIED_FOR: Duration = Duration::from_secs(2);

pub(super) fn read(reader: &mut Reader) -> Option<Settings> {
    let minute = Duration::from_secs(60);
    let granted_for = reader.duration("visibility.granted_for", minute * 5, minute * 60);
    Some(Settings {
        granted_for: granted_for?,
        denied_for: DENIED_FOR,
    })
}
