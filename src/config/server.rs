//! `[server]`: where to listen, and how much a caller may ask for.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use crate::http::Settings;

use super::{ConfigError, Reader};

/// How long a client may take to send a request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The age from which on a connection takes no new request, so that clients reach other replicas too.
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(3600);
/// The most connections of a listener at once; more wait until one is closed.
const MAX_CONNECTIONS: u32 = 2048;

/// Reads this section and looks at nothing else, so that the secrets needn't be there.
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
    let body_timeout = reader.duration("server.body_timeout", Duration::from_secs(10), minute);
    if body_timeout >= longest_request {
        reader.report(
            "server.body_timeout",
            "must be shorter than server.longest_request",
        );
    }
    let idle_timeout = reader.duration("server.idle_timeout", minute, minute * 60);
    let max_requests = reader.at_least("server.max_requests", 1, 512);
    let drain = reader.duration_or_none("server.drain", Duration::from_secs(5), minute * 5);
    let grace = reader.duration("server.grace", Duration::from_secs(20), minute * 5);
    Some(Settings {
        listen: listen?,
        public_url,
        default_wait: default_wait?.min(longest_wait?),
        longest_wait: longest_wait?,
        longest_request: longest_request?,
        header_timeout: HEADER_TIMEOUT,
        body_timeout: body_timeout?,
        idle_timeout: idle_timeout?,
        max_connection_age: MAX_CONNECTION_AGE,
        max_connections: MAX_CONNECTIONS,
        max_requests: max_requests?,
        drain: drain?,
        grace: grace?,
    })
}
