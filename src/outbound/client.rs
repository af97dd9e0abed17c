//! The one place that builds an HTTP client: TLS only, no redirects, every call bounded in time.

use std::time::Duration;

use reqwest::redirect;
use rustls::crypto::aws_lc_rs;

/// How a client connects.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The longest time for a TCP and TLS handshake.
    pub connect_timeout: Duration,
    /// The longest time for a whole call, from the first byte sent to the last received.
    pub timeout: Duration,
    /// PEM certificates of authorities to trust beside the platform's own (a private Azure, a test).
    pub extra_authorities: Option<Vec<u8>>,
}

/// Why a client can't be built.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client can't be set up: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// Builds a client that pools kept-alive TLS connections.
///
/// It never follows a redirect, since that could carry a token to another host, and takes no proxy from the environment's
/// variables for loopback tests to trip over: a proxy is the operator's network's matter.
///
/// # Errors
/// When the extra authorities are no PEM certificates, or the platform's can't be read.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one builder that the rule points to"
)]
pub fn client(options: &ClientOptions) -> Result<reqwest::Client, ClientError> {
    // Another part of the process may have installed it already; either way one is there afterwards.
    let _ = aws_lc_rs::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .https_only(true)
        .redirect(redirect::Policy::none())
        .connect_timeout(options.connect_timeout)
        .timeout(options.timeout)
        .pool_idle_timeout(Duration::from_secs(90))
        // Four tokens in the headers of one call are larger than the 16 KiB that HTTP/2 stacks take by default.
        .http2_max_header_list_size(256 * 1024)
        .user_agent(concat!("tenant-bridge/", env!("CARGO_PKG_VERSION")));
    if let Some(pem) = &options.extra_authorities {
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
    }
    Ok(builder.build()?)
}

/// Builds a client for the collector of traces, which stands on the operator's own network and may speak plain HTTP. It
/// carries no token.
///
/// # Errors
/// When the platform's certificates can't be read.
#[expect(
    clippy::disallowed_methods,
    reason = "the second of three builders, in the one place for all"
)]
pub fn collector_client(timeout: Duration) -> Result<reqwest::Client, ClientError> {
    let _ = aws_lc_rs::default_provider().install_default();
    Ok(reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(timeout)
        .build()?)
}

/// Builds a client for the question of a service on this machine how it is: plain HTTP, no redirect, and no proxy whatever the
/// environment's variables say, for a proxy's loopback is another machine. It carries no token.
///
/// # Errors
/// When the platform's certificates can't be read.
#[expect(
    clippy::disallowed_methods,
    reason = "the last of three builders, in the one place for all"
)]
pub fn health_client(timeout: Duration) -> Result<reqwest::Client, ClientError> {
    let _ = aws_lc_rs::default_provider().install_default();
    Ok(reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .timeout(timeout)
        .build()?)
}
