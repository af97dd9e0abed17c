//! What Entra's errors mean. Driven by `error`, then `suberror`, then whether claims came along; the AADSTS numbers only refine,
//! since Microsoft may change them (Microsoft Learn, "Microsoft Entra authentication and authorization error codes"). Every
//! `error` has a safe answer without a number.

use std::time::Duration;

use http::StatusCode;

use super::error::ExchangeErrorKind as Kind;

/// Entra's loop detector (AADSTS50196) counts identical requests over five minutes; after that long the count is gone.
const LOOP_WINDOW: Duration = Duration::from_secs(300);

/// What an error answer says, in checked parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Signals {
    pub(super) error: Option<String>,
    pub(super) suberror: Option<String>,
    pub(super) claims: Option<String>,
    pub(super) code: Option<u32>,
    pub(super) retry_after: Option<Duration>,
}

/// What an answer with a status other than 2xx means; `None` if it is not Entra's own voice.
pub(super) fn classify(status: StatusCode, signals: &Signals) -> Option<Kind> {
    let retry_after = signals.retry_after;
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Some(Kind::Throttled { retry_after });
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return Some(Kind::Unavailable { retry_after });
    }
    // A 4xx that is no OAuth error comes from elsewhere (a proxy, a wrong host).
    let error = signals.error.as_deref()?;
    Some(match error {
        "temporarily_unavailable" | "server_error" => Kind::Unavailable { retry_after },
        // The credential of this service was rejected; a user cannot fix that.
        "invalid_client" => Kind::Configuration,
        "consent_required" => Kind::Consent,
        _ => by_suberror(signals)
            .or_else(|| transient(signals))
            .or_else(|| with_claims(error, signals))
            .or_else(|| signals.code.and_then(by_code))
            .or_else(|| by_vague_suberror(signals))
            .unwrap_or_else(|| by_error(error)),
    })
}

/// The refinements that mean one thing whatever else is said. They are the ones that Microsoft's libraries act on.
fn by_suberror(signals: &Signals) -> Option<Kind> {
    match signals.suberror.as_deref()? {
        "consent_required" => Some(Kind::Consent),
        "bad_token" | "token_expired" | "user_password_expired" => Some(Kind::Reauthenticate),
        "client_mismatch" => Some(Kind::Configuration),
        "protection_policy_required" => Some(Kind::Denied),
        _ => None,
    }
}

/// The refinements that say only how a client should talk to its user; a number says more.
fn by_vague_suberror(signals: &Signals) -> Option<Kind> {
    match signals.suberror.as_deref()? {
        "basic_action" | "additional_action" => Some(Kind::Challenge { claims: None }),
        "message_only" | "device_authentication_failed" => Some(Kind::Denied),
        _ => None,
    }
}

/// Trouble that passes. Entra wraps it in `invalid_grant` too, where it would read as the user's fault.
fn transient(signals: &Signals) -> Option<Kind> {
    let retry_after = signals.retry_after;
    match signals.code? {
        50196 => Some(Kind::Throttled {
            retry_after: retry_after.or(Some(LOOP_WINDOW)),
        }),
        90055 => Some(Kind::Throttled { retry_after }),
        50033 | 80005 | 80007 | 90006 | 90012 | 90024 | 90033 | 90090 => {
            Some(Kind::Unavailable { retry_after })
        }
        _ => None,
    }
}

/// Claims that came along can be answered by the next sign-in, also where a policy blocked (the user may move to another
/// network or device).
fn with_claims(error: &str, signals: &Signals) -> Option<Kind> {
    let claims = signals.claims.clone()?;
    matches!(error, "interaction_required" | "invalid_grant" | "login_required")
        .then_some(Kind::Challenge { claims: Some(claims) })
}

fn by_code(code: u32) -> Option<Kind> {
    Some(match code {
        // No consent, declined, or only an administrator may give it.
        65001 | 65004 | 90008 | 90094 | 90095 => Kind::Consent,
        // The user is unknown in that tenant.
        16000 | 50020 | 50034 | 51004 | 90072 => Kind::NotAMember,
        // The app is unknown or disabled in that tenant, or has no service principal there.
        70001 | 700_011 | 700_016 | 7_000_112 | 7_000_229 => Kind::ApplicationMissing,
        // Multi-factor sign-in, its enrolment, another provider's challenge, device authentication.
        50072 | 50074 | 50076 | 50078 | 50079 | 50097 | 50158 => Kind::Challenge { claims: None },
        // The assertion or the session behind it is over, or was never good.
        50013 | 50027 | 50132 | 50133 | 50173 | 54005 | 70008 | 70043 | 240_002 | 500_133 | 700_082
        | 700_084 => Kind::Reauthenticate,
        // Blocked by policy; user disabled or not assigned; cross-tenant access or tenant restrictions.
        50005
        | 50057
        | 50105
        | 50131
        | 53000..=53003
        | 53009
        | 500_021
        | 500_022
        | 500_212
        | 500_213
        | 530_032
        | 530_034
        | 530_035 => Kind::Denied,
        // The resource is not in the tenant, the assertion's audience is not this app, scope, grant, cloud, request.
        28002 | 50001 | 65005 | 70003 | 70011 | 90002 | 90014 | 90023 | 90038 | 500_011 | 500_131
        | 650_052 | 650_056 | 650_057 | 700_022 | 700_024 | 700_027 | 900_023 | 900_144 | 900_382
        | 900_439 | 1_000_502 | 1_002_012 | 7_000_114 | 7_000_214 | 7_000_215 | 7_000_218 | 7_000_222
        | 7_000_274 | 7_000_277 | 9_001_023 | 9_002_313 => Kind::Configuration,
        _ => return None,
    })
}

/// The safe answer for an `error` about which nothing more is known.
fn by_error(error: &str) -> Kind {
    match error {
        // RFC 6749, section 5.2: the assertion is invalid, expired or revoked. A new one is the way on.
        "invalid_grant" | "login_required" | "bad_token" => Kind::Reauthenticate,
        "interaction_required" => Kind::Challenge { claims: None },
        "access_denied" => Kind::Denied,
        // unauthorized_client, invalid_scope, invalid_resource, invalid_request, unsupported_grant_type and what is not known:
        // the request was this service's own, so its operator should look.
        _ => Kind::Configuration,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, error: &str, suberror: &str, code: u32, claims: bool) -> &'static str {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let signals = Signals {
            error: some(error),
            suberror: some(suberror),
            claims: claims.then(|| r#"{"access_token":{}}"#.to_owned()),
            code: (code != 0).then_some(code),
            retry_after: None,
        };
        let kind = classify(StatusCode::from_u16(status).expect("a status"), &signals);
        kind.map_or("not Entra's", |kind| kind.label())
    }

    #[test]
    fn each_documented_error_has_its_meaning() {
        for (error, suberror, code, claims, expected) in [
            ("invalid_grant", "consent_required", 65001, false, "consent"),
            ("invalid_grant", "", 65001, false, "consent"),
            ("access_denied", "", 90094, false, "consent"),
            ("invalid_grant", "basic_action", 50076, false, "challenge"),
            ("interaction_required", "basic_action", 50076, true, "challenge"),
            ("interaction_required", "", 50079, true, "challenge"),
            ("interaction_required", "basic_action", 50158, true, "challenge"),
            ("invalid_grant", "message_only", 53003, true, "challenge"),
            ("invalid_grant", "message_only", 53003, false, "denied"),
            ("interaction_required", "", 53000, false, "denied"),
            ("invalid_grant", "", 50105, false, "denied"),
            ("invalid_grant", "", 50057, false, "denied"),
            ("invalid_grant", "", 50020, false, "not_a_member"),
            (
                "interaction_required",
                "basic_action",
                50020,
                false,
                "not_a_member",
            ),
            ("invalid_grant", "", 90072, false, "not_a_member"),
            ("unauthorized_client", "", 700_016, false, "application_missing"),
            ("unauthorized_client", "", 7_000_114, false, "configuration"),
            ("invalid_grant", "token_expired", 70043, false, "reauthenticate"),
            ("invalid_grant", "", 50013, false, "reauthenticate"),
            ("invalid_grant", "", 500_133, false, "reauthenticate"),
            ("invalid_grant", "", 500_131, false, "configuration"),
            ("invalid_resource", "", 500_011, false, "configuration"),
            ("invalid_scope", "", 70011, false, "configuration"),
            ("invalid_request", "", 90002, false, "configuration"),
            ("invalid_grant", "", 50196, false, "throttled"),
            ("invalid_grant", "", 90033, false, "unavailable"),
            ("temporarily_unavailable", "", 90033, false, "unavailable"),
        ] {
            assert_eq!(
                meaning(400, error, suberror, code, claims),
                expected,
                "{error} {suberror} {code}"
            );
        }
    }

    #[test]
    fn an_error_with_an_unknown_number_or_none_has_a_safe_meaning() {
        for (error, expected) in [
            ("invalid_grant", "reauthenticate"),
            ("interaction_required", "challenge"),
            ("login_required", "reauthenticate"),
            ("consent_required", "consent"),
            ("access_denied", "denied"),
            ("invalid_client", "configuration"),
            ("unauthorized_client", "configuration"),
            ("invalid_scope", "configuration"),
            ("unsupported_grant_type", "configuration"),
            ("something_new", "configuration"),
            ("", "not Entra's"),
        ] {
            assert_eq!(meaning(400, error, "", 0, false), expected, "{error}");
            assert_eq!(meaning(400, error, "", 99_999, false), expected, "{error}");
        }
    }

    #[test]
    fn throttling_and_outages_are_known_by_their_status_alone_and_never_blamed_on_the_user() {
        assert_eq!(meaning(429, "", "", 0, false), "throttled");
        assert_eq!(meaning(429, "invalid_grant", "", 50196, false), "throttled");
        assert_eq!(meaning(500, "invalid_grant", "", 50076, true), "unavailable");
        assert_eq!(meaning(503, "", "", 0, false), "unavailable");
    }

    #[test]
    fn a_refused_credential_is_the_operators_matter_whatever_number_comes_with_it() {
        for code in [7_000_215, 7_000_222, 700_027, 650_052, 65001] {
            assert_eq!(meaning(401, "invalid_client", "", code, false), "configuration");
        }
    }

    #[test]
    fn the_loop_detector_names_its_own_window_when_entra_names_none() {
        let mut signals = Signals {
            error: Some("invalid_grant".to_owned()),
            code: Some(50196),
            ..Signals::default()
        };
        assert_eq!(
            classify(StatusCode::BAD_REQUEST, &signals),
            Some(Kind::Throttled {
                retry_after: Some(LOOP_WINDOW)
            })
        );
        signals.retry_after = Some(Duration::from_secs(7));
        assert_eq!(
            classify(StatusCode::BAD_REQUEST, &signals),
            Some(Kind::Throttled {
                retry_after: Some(Duration::from_secs(7))
            })
        );
    }
}
