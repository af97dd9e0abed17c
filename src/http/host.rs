//! Whom a request is for: exactly one host (RFC 9112, section 3.2, and RFC 9113, section 8.3.1). Where there are two, what stands in
//! front of this service may have looked at the one and this service at the other.

use axum::extract::Request;
use http::uri::Authority;
use http::{Version, header};

use super::problem::Problem;
use crate::domain::FieldError;

/// What is wrong with whom the request is for, if anything is.
pub(super) fn wrong_host(request: &Request) -> Option<Problem> {
    let detail = check(request).err()?;
    Some(Problem::invalid(vec![FieldError {
        pointer: "Host".to_owned(),
        detail: detail.to_owned(),
    }]))
}

fn check(request: &Request) -> Result<(), &'static str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let authority = request.uri().authority();
    match (hosts.next(), hosts.next(), authority) {
        (_, Some(_), _) => Err("must be there once, and there are several"),
        (Some(host), None, authority) => {
            let host: Authority = host
                .to_str()
                .ok()
                .and_then(|host| host.parse().ok())
                .filter(|host: &Authority| !host.as_str().contains('@'))
                .ok_or("must be a host, with a port or without")?;
            match authority {
                Some(authority) if *authority != host => {
                    Err("must be the host that the request itself names (:authority)")
                }
                _ => Ok(()),
            }
        }
        (None, None, Some(_)) if request.version() >= Version::HTTP_2 => Ok(()),
        (None, None, _) => Err("must be there: a request names the host that it is for"),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn checked(version: Version, uri: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().version(version).uri(uri);
        for host in hosts {
            request = request.header("host", *host);
        }
        wrong_host(&request.body(Body::empty()).expect("a request")).is_none()
    }

    #[test]
    fn a_request_is_for_exactly_one_host() {
        const ONE: Version = Version::HTTP_11;
        const TWO: Version = Version::HTTP_2;
        for (version, uri, hosts) in [
            (ONE, "/livez", &["a.example:8080"][..]),
            (ONE, "/livez", &["[::1]:8080"]),
            (ONE, "http://a.example/livez", &["A.example"]),
            (TWO, "http://a.example/livez", &[]),
            (TWO, "http://a.example/livez", &["a.example"]),
        ] {
            assert!(checked(version, uri, hosts), "{version:?} {uri} {hosts:?}");
        }
        for (version, uri, hosts) in [
            (ONE, "/livez", &[][..]),
            (Version::HTTP_10, "/livez", &[]),
            (ONE, "/livez", &["a.example", "a.example"]),
            (ONE, "/livez", &["a.example, b.example"]),
            (ONE, "/livez", &["user@a.example"]),
            (ONE, "/livez", &[""]),
            (ONE, "http://a.example/livez", &["b.example"]),
            (ONE, "http://a.example/livez", &[]),
            (TWO, "http://a.example/livez", &["b.example"]),
            (TWO, "http://a.example/livez", &["a.example", "a.example"]),
        ] {
            assert!(!checked(version, uri, hosts), "{version:?} {uri} {hosts:?}");
        }
    }
}
