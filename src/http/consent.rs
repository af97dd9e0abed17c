//! `GET /consent`: where Entra leads an administrator back to after they consented to this service, or did not. Outside
//! authentication, for the administrator need not be anybody who may call. The page is made of this file's own words: of the
//! query it shows a GUID and a number, each read as such.

use std::sync::OnceLock;

use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header;
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};
use uuid::Uuid;

/// The page's path.
pub(super) const PATH: &str = "/consent";

/// The page's address, where callers reach this service at this URL: what is registered at Entra, letter by letter.
#[must_use]
pub fn consent_page(public_url: &Url) -> Option<Url> {
    let base = public_url.as_str().trim_end_matches('/');
    Url::parse(&format!("{base}{PATH}")).ok()
}

const STYLE: &str = "body{font:1.1rem/1.5 sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}";

/// What Entra says came of it (Microsoft Learn, "Admin consent on the Microsoft identity platform"). Anybody can write such a
/// query: it changes nothing here, and the page says that it is Entra's word.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Given { tenant: Option<Uuid> },
    Refused { code: Option<u32>, declined: bool },
    Nothing,
}

/// `GET /consent`
pub(super) async fn page(RawQuery(query): RawQuery) -> Response {
    let (title, sentences) = words(&outcome(query.as_deref().unwrap_or_default()));
    let paragraphs: String = sentences
        .iter()
        .map(|sentence| format!("<p>{sentence}</p>\n"))
        .collect();
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{paragraphs}</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy()),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, page).into_response()
}

/// The one style, and nothing else: no script, no image, no frame, no form.
fn policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    })
}

fn outcome(query: &str) -> Outcome {
    let first = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    if let Some(error) = first("error") {
        // What the two versions of Entra's page say when a user cancels.
        let declined = ["access_denied", "consent_required", "permission_denied"];
        return Outcome::Refused {
            code: first("error_description").as_deref().and_then(number),
            declined: declined.contains(&error.as_str()),
        };
    }
    match first("admin_consent") {
        Some(given) if given.eq_ignore_ascii_case("true") => Outcome::Given {
            tenant: first("tenant").and_then(|id| Uuid::try_parse(&id).ok()),
        },
        _ => Outcome::Nothing,
    }
}

/// The number of `AADSTS65004: …`.
fn number(description: &str) -> Option<u32> {
    let (_, rest) = description.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(8).collect();
    digits.parse().ok()
}

fn words(outcome: &Outcome) -> (&'static str, Vec<String>) {
    match outcome {
        Outcome::Given { tenant } => {
            let place = tenant.map_or_else(String::new, |tenant| format!(" for tenant {tenant}"));
            let given = format!("Entra says that Tenant Bridge was given consent{place}.");
            let next = "The person who requested the connection can now repeat the request. It may take a minute until the consent is known everywhere in Entra.";
            ("Consent was given", vec![given, next.to_owned()])
        }
        Outcome::Refused { code, declined } => {
            let told = code.map_or_else(String::new, |code| {
                format!(" The Entra error code is AADSTS{code}.")
            });
            let reason = format!("{}{told}", reason(*code, *declined));
            ("Consent was not given", vec![reason])
        }
        Outcome::Nothing => {
            let sentence = "Entra redirects administrators to this page after they consented to Tenant Bridge, with the result. This time it sent none.";
            ("Consent to Tenant Bridge", vec![sentence.to_owned()])
        }
    }
}

/// Why Entra says it was not given, in plain words.
fn reason(code: Option<u32>, declined: bool) -> &'static str {
    match code {
        Some(65004) => {
            "The request for consent was declined, or the page was left. The same link can be opened again."
        }
        Some(90008 | 90092..=90095) => {
            "The account that signed in may not consent for the whole organization. An administrator of the tenant has to open the link, one with the role Cloud Application Administrator or higher."
        }
        Some(50011 | 500_112 | 500_113 | 900_144) => {
            "The application's registration does not list this page as a redirect URI. The operator of Tenant Bridge has to add it, exactly as in server.public_url."
        }
        Some(700_016 | 700_011 | 70001) => {
            "Entra does not know the application. The operator of Tenant Bridge has to compare entra.client_id with the registration, which must allow accounts of any organization."
        }
        Some(500_011 | 650_052..=650_057 | 65005) => {
            "The tenant has no service principal for a resource that the application needs, most likely Azure Resource Manager: it is created with the tenant's first Azure subscription."
        }
        Some(50020 | 50034 | 90072) => {
            "The account that signed in is not in the tenant. An administrator of the tenant has to open the link with an account of it."
        }
        _ if declined => {
            "The request for consent was declined, or the account that signed in may not consent for the whole organization."
        }
        _ => {
            "This page does not know the reason that Entra sent. Microsoft's list of Entra error codes explains the number, if there is one."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_entra_says_is_read_and_anything_else_is_nothing() {
        let tenant = "11111111-1111-4111-8111-111111111111";
        let refused = |code, declined| Outcome::Refused { code, declined };
        for (query, expected) in [
            (
                format!("admin_consent=True&tenant={tenant}&scope=x&state=y"),
                Outcome::Given {
                    tenant: Uuid::try_parse(tenant).ok(),
                },
            ),
            (
                "admin_consent=True&tenant=<b>".to_owned(),
                Outcome::Given { tenant: None },
            ),
            (
                "error=consent_required&error_description=AADSTS65004%3a+User+declined&admin_consent=True"
                    .to_owned(),
                refused(Some(65004), true),
            ),
            ("error=server_error".to_owned(), refused(None, false)),
            (
                "error=x&error_description=AADSTS999999999999".to_owned(),
                refused(Some(99_999_999), false),
            ),
            ("admin_consent=False".to_owned(), Outcome::Nothing),
            (String::new(), Outcome::Nothing),
            ("%ff=%ff&&&=".to_owned(), Outcome::Nothing),
        ] {
            assert_eq!(outcome(&query), expected, "{query}");
        }
    }

    #[test]
    fn the_pages_address_is_that_of_the_service_with_its_path() {
        for (public_url, expected) in [
            ("https://bridge.example.com", "https://bridge.example.com/consent"),
            (
                "https://example.com/bridge/",
                "https://example.com/bridge/consent",
            ),
        ] {
            let url = public_url.parse().ok().and_then(|url| consent_page(&url));
            assert_eq!(url.map(String::from).as_deref(), Some(expected));
        }
    }
}
