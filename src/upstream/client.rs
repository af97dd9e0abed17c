//! The one place that builds an HTTP client: TLS only, no redirects, every call bounded in time.

use std::time::Duration;

use reqwest::redirect;
use rustls::crypto::aws_lc_rs;
use url::Url;

/// How a client connects.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The longest time for a TCP and TLS handshake.
    pub connect_timeout: Duration,
    /// The longest time for a whole call, from the first byte sent to the last received.
    pub timeout: Duration,
    /// PEM certificates of authorities to trust beside the platform's own (a private Azure, a test).
    pub extra_authorities: Option<Vec<u8>>,
    /// The proxy that calls go through, by CONNECT: it sees only host names, since TLS ends at the host itself.
    pub proxy: Option<Url>,
}

/// Why a client can't be built.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client can't be set up: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// Builds a client that pools kept-alive TLS connections.
///
/// It never follows a redirect, since that could carry a token to another host, and takes no proxy but the configured one: what
/// a variable of the environment says was perhaps said to other programs.
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
    builder = match &options.proxy {
        Some(proxy) => builder.proxy(reqwest::Proxy::https(proxy.as_str())?),
        None => builder.no_proxy(),
    };
    if let Some(pem) = &options.extra_authorities {
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
    }
    Ok(builder.build()?)
}

/// Builds a client for what stands on the operator's own network and may speak plain HTTP: the collector of traces, and the health of
/// a service on this machine. No redirect, and no proxy whatever the environment says. It carries no token.
///
/// # Errors
/// When the platform's certificates can't be read.
#[expect(
    clippy::disallowed_methods,
    reason = "the second of two builders, in the one place for all"
)]
pub fn local_client(timeout: Duration) -> Result<reqwest::Client, ClientError> {
    let _ = aws_lc_rs::default_provider().install_default();
    Ok(reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .timeout(timeout)
        .build()?)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_configured_proxy_is_told_the_host_and_nothing_of_the_call() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let told = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a call");
            let mut head = String::new();
            for line in BufReader::new(&stream).lines() {
                let line = line.expect("a line");
                if line.is_empty() {
                    break;
                }
                head.push_str(&line);
                head.push('\n');
            }
            stream
                .write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                .expect("an answer");
            head
        });
        let options = ClientOptions {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(5),
            extra_authorities: None,
            proxy: Some(format!("http://{address}").parse().expect("a URL")),
        };
        let client = client(&options).expect("a client");
        let call = client
            .get("https://management.example.org/secret-path")
            .bearer_auth("secret-token");
        assert!(call.send().await.is_err());
        let head = told.join().expect("the proxy's thread");
        assert!(head.starts_with("CONNECT management.example.org:443 "), "{head}");
        assert!(!head.contains("secret"), "{head}");
    }
}
