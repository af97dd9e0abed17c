//! Where and how the service listens.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address and port; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The URL that callers reach this service at; without one, links are paths.
    pub public_url: Option<Url>,
    /// How long a create or removal is waited for without `Prefer: wait=`.
    pub default_wait: Duration,
    /// The longest that a caller may ask to wait.
    pub longest_wait: Duration,
    /// The longest that any request may take: the wait for an operation, and the calls before it.
    pub longest_request: Duration,
    /// How long a client may take to send a request's headers.
    pub header_timeout: Duration,
    /// How long a client may take to send a request's body, from the moment it is read.
    pub body_timeout: Duration,
    /// How long a connection is kept that asks for nothing or does not read its answers.
    pub idle_timeout: Duration,
    /// The age from which on a connection takes no new request.
    pub max_connection_age: Duration,
    /// The most connections at once; more wait to be accepted. At least 1.
    pub max_connections: u32,
    /// The most requests that are answered at once; then who has fewer than their share still gets a place, up to as many more.
    pub max_requests: u32,
    /// How long requests are still taken after the signal to stop, while the replica says that it is not ready; may be zero.
    pub drain: Duration,
    /// How long running requests may continue after that.
    pub grace: Duration,
}
