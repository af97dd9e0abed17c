//! `[upstream]`: calls to Entra and ARM.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::Reader;
use crate::upstream::{ClientOptions, GuardLimits};

pub(super) fn read(reader: &mut Reader) -> Option<ClientOptions> {
    let minute = Duration::from_secs(60);
    let connect_timeout = reader.duration("upstream.connect_timeout", Duration::from_secs(5), minute);
    let timeout = reader.duration("upstream.timeout", Duration::from_secs(30), minute * 5);
    let mut extra_authorities = None;
    if let Some(path) = reader.maybe::<PathBuf>("upstream.ca_file") {
        match std::fs::read(&path) {
            Ok(pem) => extra_authorities = Some(pem),
            Err(error) => reader.report("upstream.ca_file", format_args!("can't be read: {error}")),
        }
    }
    let proxy = reader.maybe::<Url>("upstream.proxy");
    if let Some(proxy) = &proxy
        && !matches!(proxy.scheme(), "http" | "https")
    {
        reader.report("upstream.proxy", "must be an http or https URL");
    }
    Some(ClientOptions {
        connect_timeout: connect_timeout?,
        timeout: timeout?,
        extra_authorities,
        proxy,
    })
}

/// The limits of calls, for each tenant.
pub(super) fn read_limits(reader: &mut Reader) -> Option<GuardLimits> {
    let usual = GuardLimits::default();
    let minute = Duration::from_secs(60);
    let read_timeout = reader.duration("upstream.read_timeout", usual.read_timeout, minute);
    let open_for = reader.duration("upstream.circuit_pause", usual.open_for, minute * 10);
    Some(GuardLimits {
        read_timeout: read_timeout?,
        open_for: open_for?,
        ..usual
    })
}
