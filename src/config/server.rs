//! `[server]`: where to listen, and how much a caller may ask for.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use crate::http::Settings;

use super::{ConfigError, Reader};

/// Reads this section and looks at nothing else, so that the secrets needn't be there.
///
/// # Errors
/// What is malformed in it.
pub(super) fn load(file: Option<&Path>) -> Result<Settings, ConfigError> {
    let mut reader = Reader::open(file)?;
    let section = read(&mut reader);
    reader.finish()?;
    section.ok_or_else(ConfigError::incomplete)
}

pub(super) fn read(reader: &mut Reader) -> Option<Settings> {
    let listen = reader.optional("server.listen", SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
    let public_url = reader.maybe_plain_url("server.public_url", &["https", "http"]);
    let minute = Duration::from_secs(60);
    let default_wait = reader.duration("server.default_wait", Duration::from_secs(5), minute);
    let longest_wait = reader.duration("server.longest_wait", Duration::from_secs(30), minute);
    let longest_request = reader.duration("server.longest_request", minute * 2, minute * 10);
    if longest_request <= longest_wait {
        reader.report(
            "server.longest_request",
            "must be longer than server.longest_wait",
        );
    }
    let header_timeout = reader.duration("server.header_timeout", Duration::from_secs(10), minute);
    let body_timeout = reader.duration("server.body_timeout", Duration::from_secs(10), minute);
    if body_timeout >= longest_request {
        reader.report(
            "server.body_timeout",
            "must be shorter than server.longest_request",
        );
    }
    let idle_timeout = reader.duration("server.idle_timeout", minute, minute * 60);
    let max_connection_age = reader.duration("server.max_connection_age", minute * 60, minute * 60 * 24);
    let max_connections = reader.at_least("server.max_connections", 1, 2048);
    let max_requests = reader.at_least("server.max_requests", 1, 512);
    let drain = reader.duration_or_none("server.drain", Duration::from_secs(5), minute * 5);
    let grace = reader.duration("server.grace", Duration::from_secs(20), minute * 5);
    Some(Settings {
        listen: listen?,
        public_url,
        default_wait: default_wait?.min(longest_wait?),
        longest_wait: longest_wait?,
        longest_request: longest_request?,
        header_timeout: header_timeout?,
        body_timeout: body_timeout?,
        idle_timeout: idle_timeout?,
        max_connection_age: max_connection_age?,
        max_connections: max_connections?,
        max_requests: max_requests?,
        drain: drain?,
        grace: grace?,
    })
}
