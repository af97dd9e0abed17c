//! The address of Postgres, and how far the connection to it is trusted.

use std::net::IpAddr;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use super::DbError;

/// Reads a URL. Without an `sslmode` in it, a server that is not on this machine has to prove by its certificate that it is the one
/// that the URL names (`verify-full`); the driver's own default would take a line without TLS from anybody.
///
/// # Errors
/// When it is no Postgres URL.
pub(super) fn options(url: &SecretString) -> Result<PgConnectOptions, DbError> {
    let text = url.expose_secret();
    // The URL may hold the password, and so may the parser's error: neither is passed on.
    let options: PgConnectOptions = text
        .parse()
        .map_err(|_| DbError::Internal("database.url is no Postgres URL".to_owned()))?;
    if is_on_this_machine(&options) || names_its_mode(text) {
        return Ok(options);
    }
    Ok(options.ssl_mode(PgSslMode::VerifyFull))
}

fn is_on_this_machine(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    options.get_socket().is_some()
        // A socket's folder, as the driver takes it.
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

/// In the URL itself: what stands in the environment was perhaps meant for another program.
fn names_its_mode(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        url.query_pairs()
            .any(|(name, _)| matches!(name.as_ref(), "sslmode" | "ssl-mode"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(url: &str) -> String {
        let options = options(&url.into()).expect("a Postgres URL");
        format!("{:?}", options.get_ssl_mode())
    }

    #[test]
    fn a_server_elsewhere_is_verified_unless_the_url_names_another_mode() {
        for host in [
            "db.example.com",
            "db",
            "10.0.0.5:6432",
            "[fd00::5]",
            "localhost.example.com",
            "127.0.0.1.example.com",
        ] {
            assert_eq!(
                mode_of(&format!("postgres://me:secret@{host}/bridge")),
                "VerifyFull",
                "{host}"
            );
            for (named, mode) in [
                ("disable", "Disable"),
                ("require", "Require"),
                ("verify-ca", "VerifyCa"),
            ] {
                for parameter in ["sslmode", "ssl-mode"] {
                    let url = format!("postgres://me:secret@{host}/bridge?{parameter}={named}");
                    assert_eq!(mode_of(&url), mode, "{url}");
                }
            }
        }
        // Also where the host stands among the parameters, and where something else about TLS is named.
        for url in [
            "postgres:///bridge?host=db.example.com",
            "postgres://localhost/bridge?host=db.example.com",
            "postgres://localhost/bridge?hostaddr=10.0.0.5",
            "postgres://db.example.com/bridge?sslrootcert=/etc/ca.pem&application_name=sslmode",
        ] {
            assert_eq!(mode_of(url), "VerifyFull", "{url}");
        }
    }

    #[test]
    fn on_this_machine_nothing_has_to_be_verified() {
        for url in [
            "postgres://me:secret@localhost/bridge",
            "postgres://me:secret@127.0.0.1:5433/bridge",
            "postgres://me:secret@127.1.2.3/bridge",
            "postgres://me:secret@[::1]:5433/bridge",
            "postgres://me:secret@%2Fvar%2Frun%2Fpostgresql/bridge",
            "postgres://me:secret@localhost/bridge?host=/var/run/postgresql",
        ] {
            assert_ne!(mode_of(url), "VerifyFull", "{url}");
        }
        assert_eq!(
            mode_of("postgres://localhost/bridge?sslmode=verify-full"),
            "VerifyFull"
        );
    }

    #[test]
    fn what_is_no_url_is_not_repeated() {
        let error = options(&"mysql//me:secret@db".into()).expect_err("no URL");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
