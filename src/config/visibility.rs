//! `[visibility]`: how long ARM's word is taken on what a person may read.

use std::time::Duration;

use super::Reader;
use crate::visibility::Settings;

pub(super) fn read(reader: &mut Reader) -> Option<Settings> {
    let minute = Duration::from_secs(60);
    let granted_for = reader.duration("visibility.granted_for", minute * 5, minute * 60);
    let denied_for = reader.duration("visibility.denied_for", Duration::from_secs(2), minute);
    Some(Settings {
        granted_for: granted_for?,
        denied_for: denied_for?,
    })
}
