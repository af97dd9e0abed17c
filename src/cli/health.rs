//! `tenant-bridge health`: asks a running service how it is, for a container's health check.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use url::Url;

use crate::config::Config;
use crate::upstream;

/// Shorter than what a container's runtime waits for a check (30 s by default), so that the reason is printed, not cut off.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Whom to ask, and what.
#[derive(Debug, Args)]
pub(super) struct Question {
    /// The configuration file (TOML); `server.listen` alone is read, so secrets may be absent.
    #[arg(long, env = "TENANT_BRIDGE_CONFIG")]
    config: Option<PathBuf>,
    /// Where the service is, such as http://localhost:8080; otherwise where `server.listen` says.
    #[arg(long)]
    url: Option<Url>,
    /// Ask whether it can do its work, its database included, and not only whether it lives.
    #[arg(long)]
    ready: bool,
}

/// Ends well if the service answers 2xx within [`TIMEOUT`].
pub(super) async fn health(question: &Question) -> anyhow::Result<ExitCode> {
    let base = match &question.url {
        Some(url) => url.clone(),
        None => url_of(Config::load_server(question.config.as_deref())?.listen)?,
    };
    let url = at(base, if question.ready { "readyz" } else { "livez" })?;
    let request = upstream::local_client(TIMEOUT)?.get(url.clone());
    let answer = request
        .send()
        .await
        // Its own text names the URL again.
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("{url} does not answer"))?;
    let status = answer.status();
    if !status.is_success() {
        bail!("{url} answers {status}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The URL at which a service that listens on this address is asked from its own machine.
fn url_of(listen: SocketAddr) -> anyhow::Result<Url> {
    if listen.port() == 0 {
        bail!("server.listen takes any free port, so the port is not known: give --url");
    }
    // "All addresses" is an address to listen on; none to connect to.
    let address: IpAddr = match listen.ip() {
        IpAddr::V4(all) if all.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(all) if all.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        one => one,
    };
    Ok(Url::parse(&format!(
        "http://{}/",
        SocketAddr::new(address, listen.port())
    ))?)
}

/// `base` with one more segment.
fn at(mut base: Url, segment: &str) -> anyhow::Result<Url> {
    if base.cannot_be_a_base() {
        bail!("{base} can't be asked: --url is a URL such as http://localhost:8080");
    }
    if let Ok(mut path) = base.path_segments_mut() {
        path.pop_if_empty().push(segment);
    }
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_for(listen: &str) -> String {
        let base = url_of(listen.parse().expect("an address")).expect("a URL");
        at(base, "livez").expect("a URL").into()
    }

    #[test]
    fn a_service_that_listens_on_all_addresses_is_asked_on_loopback() {
        assert_eq!(asked_for("0.0.0.0:8080"), "http://127.0.0.1:8080/livez");
        assert_eq!(asked_for("[::]:8080"), "http://[::1]:8080/livez");
    }

    #[test]
    fn a_service_that_listens_on_one_address_is_asked_there() {
        assert_eq!(asked_for("127.0.0.2:81"), "http://127.0.0.2:81/livez");
        assert_eq!(asked_for("[fd00::1]:8080"), "http://[fd00::1]:8080/livez");
    }

    #[test]
    fn any_free_port_is_no_place_to_ask() {
        let error = url_of(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect_err("no port");
        assert!(error.to_string().contains("--url"), "{error}");
    }

    #[test]
    fn a_url_with_a_path_keeps_it() {
        for base in ["http://localhost:81/bridge", "http://localhost:81/bridge/"] {
            let url = at(base.parse().expect("a URL"), "readyz").expect("a URL");
            assert_eq!(url.as_str(), "http://localhost:81/bridge/readyz");
        }
        at("data:text".parse().expect("a URL"), "readyz").expect_err("no host");
    }
}
