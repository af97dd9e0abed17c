//! The caller: a handler with this extractor runs only if every token is valid.

use axum::extract::FromRequestParts;
use futures_util::future::join_all;
use http::header::{AUTHORIZATION, HeaderMap};
use http::request::Parts;
use secrecy::SecretString;

use crate::authz::Caller;
use crate::domain::{Code, FieldError};
use crate::entra::{TokenError, TokenRefusal};
use crate::http::AppState;
use crate::http::middleware::RequestId;
use crate::http::problem::Problem;
use crate::upstream::AUXILIARY_HEADER;

/// The most entries that are validated; `authz` decides how many are accepted.
const MAX_ENTRIES: usize = 8;

/// The validated caller of a request, as its admission identified them.
pub(in crate::http) struct Authenticated(pub(in crate::http) Caller);

impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.remove::<Caller>().map(Self);
        caller.ok_or_else(|| {
            tracing::error!("route without authentication: the caller is unknown");
            Problem::internal()
        })
    }
}

/// Validates every token of a request.
pub(in crate::http) async fn authenticate(parts: &Parts, state: &AppState) -> Result<Caller, Problem> {
    let actor = authorization(&parts.headers)?;
    let auxiliary = auxiliary(&parts.headers)?;
    let entra = state.usecases.entra();
    // The tokens may be of different tenants, whose keys are fetched side by side.
    let mut validated = Vec::with_capacity(auxiliary.len() + 1);
    let named = std::iter::once(("Authorization", actor))
        .chain(auxiliary.into_iter().map(|token| (AUXILIARY_HEADER, token)));
    let checks = named.map(async |(header, token)| (header, entra.validate(token).await));
    for (header, result) in join_all(checks).await {
        validated.push(result.map_err(|error| explain(header, error))?);
    }
    let mut validated = validated.into_iter();
    let actor = validated.next().ok_or_else(Problem::unauthenticated)?;
    let request_id = parts
        .extensions
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default();
    Ok(Caller::new(actor, validated.collect(), request_id)?)
}

fn explain(header: &str, error: TokenError) -> Problem {
    match error {
        TokenError::Refused(refusal) => {
            // Another sign-in would return an equally long token: after a 401 the client would try forever.
            let code = match refusal {
                TokenRefusal::TooLong => Code::HeadersTooLarge,
                _ => Code::InvalidToken,
            };
            let detail = refusal.told();
            let errors = vec![FieldError {
                pointer: header.to_owned(),
                detail: detail.clone(),
            }];
            Problem {
                errors,
                ..Problem::new(code, format!("the token in {header} is not accepted: {detail}"))
            }
        }
        TokenError::Unavailable { retry_after } => Problem::unavailable(
            Code::UpstreamUnavailable,
            "Entra's signing keys can't be had at the moment, so no token can be checked",
            Some(retry_after),
        ),
    }
}

fn authorization(headers: &HeaderMap) -> Result<SecretString, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::unauthenticated());
    };
    value
        .to_str()
        .ok()
        .and_then(bearer)
        .ok_or_else(Problem::unauthenticated)
}

/// The token of `Bearer <token>`; the scheme's case doesn't count (RFC 9110, section 11.1).
fn bearer(text: &str) -> Option<SecretString> {
    let (scheme, token) = text.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty() && !token.contains([' ', ',', ';']))
        .then(|| SecretString::from(token))
}

/// The entries of the auxiliary header: `Bearer <token>`, parted by commas or semicolons; an empty header counts for nothing
/// (Microsoft Learn, "Authenticate requests across tenants"; clients have been seen to send both).
fn auxiliary(headers: &HeaderMap) -> Result<Vec<SecretString>, Problem> {
    let wrong = |detail: &str| {
        let errors = vec![FieldError {
            pointer: AUXILIARY_HEADER.to_owned(),
            detail: detail.to_owned(),
        }];
        Problem {
            errors,
            ..Problem::new(Code::AuxiliaryTokens, format!("{AUXILIARY_HEADER}: {detail}"))
        }
    };
    let mut tokens = Vec::new();
    for value in headers.get_all(AUXILIARY_HEADER) {
        let text = value
            .to_str()
            .map_err(|_| wrong("holds characters that no token has"))?;
        for entry in text
            .split([',', ';'])
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            if tokens.len() == MAX_ENTRIES {
                return Err(wrong("holds too many tokens; at most three are taken"));
            }
            tokens.push(bearer(entry).ok_or_else(|| wrong("each entry must be 'Bearer <token>'"))?);
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use secrecy::ExposeSecret;

    use super::*;

    fn read(header: &'static str) -> Result<Vec<String>, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(AUXILIARY_HEADER, HeaderValue::from_static(header));
        auxiliary(&headers)
            .map(|tokens| {
                tokens
                    .iter()
                    .map(|token| token.expose_secret().to_owned())
                    .collect()
            })
            .map_err(|problem| problem.status)
    }

    #[test]
    fn the_auxiliary_header_takes_commas_semicolons_and_nothing_at_all() {
        assert_eq!(
            read("Bearer a.b.c, bearer d.e.f"),
            Ok(vec!["a.b.c".to_owned(), "d.e.f".to_owned()])
        );
        assert_eq!(
            read("Bearer a.b.c; Bearer d.e.f"),
            Ok(vec!["a.b.c".to_owned(), "d.e.f".to_owned()])
        );
        assert_eq!(read(""), Ok(vec![]));
        assert_eq!(read(" , "), Ok(vec![]));
    }

    #[test]
    fn an_entry_that_is_no_bearer_token_is_refused() {
        for header in [
            "a.b.c",
            "EncryptedBearer a.b.c",
            "Bearer",
            "Bearer a b",
            "Basic abc",
        ] {
            assert_eq!(read(header), Err(400), "{header}");
        }
    }

    #[test]
    fn two_authorization_headers_are_as_good_as_none() {
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a.b.c"));
        assert!(authorization(&headers).is_ok());
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer d.e.f"));
        assert_eq!(
            authorization(&headers).map_err(|problem| problem.status).err(),
            Some(401)
        );
    }
}
