//! Errors are cut down to what is safe; lives and pauses are read in all their forms.

use secrecy::SecretString;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::super::testing::{API, HOME, PORTAL, START, USER, arm_token, settings, start};
use super::super::user_token::Facts;
use super::*;

fn with_asked<T>(test: impl FnOnce(&Asked<'_>) -> T) -> T {
    let settings = settings(&Url::parse("https://login.microsoftonline.com/").expect("a URL"));
    let facts = Facts {
        person: Person {
            tenant: HOME,
            object: ObjectId::new(USER),
        },
        app: PORTAL,
        scopes: Vec::new(),
        roles: Vec::new(),
        expires_at: start() + Duration::from_secs(3600),
        unique_id: None,
        username: None,
        takes_claims_challenges: false,
    };
    let token = UserToken::new(SecretString::from("a.b.c"), facts);
    test(&Asked {
        settings: &settings,
        token: &token,
        tenant: HOME,
        now: start(),
    })
}

fn failure(status: u16, retry_after: Option<&str>, body: &str) -> ExchangeError {
    let mut headers = HeaderMap::new();
    if let Some(value) = retry_after {
        headers.insert(http::header::RETRY_AFTER, value.parse().expect("a header value"));
    }
    let status = StatusCode::from_u16(status).expect("a status");
    with_asked(|asked| asked.failure(status, &headers, body.as_bytes()))
}

fn life(exp: &Value, expires_in: &Value) -> Option<i64> {
    let mut body = json!({"token_type": "Bearer", "access_token": arm_token(HOME, &json!({"exp": exp}))});
    body["expires_in"] = expires_in.clone();
    with_asked(|asked| asked.success(body.to_string().as_bytes()))
        .ok()
        .map(|token| token.expires_at().timestamp() - START)
}

#[test]
fn an_error_keeps_its_number_words_and_ids_and_nothing_of_the_prose() {
    let (trace, correlation) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let assertion = "eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJhY2MxIn0.c2ln";
    let claims =
        r#"{"access_token":{"polids":{"essential":true,"values":["9ab03e19-ed42-4168-b6b7-7001fb3e933a"]}}}"#;
    let body = json!({
        "error": "interaction_required", "suberror": "basic_action", "claims": claims, "error_codes": [50079],
        "error_description": format!("AADSTS50079: the assertion {assertion} of acc1@domain1.com … Trace ID: …"),
        "timestamp": "2027-01-15 08:00:00Z", "trace_id": trace.to_string(), "correlation_id": correlation.to_string(),
        "error_uri": "https://login.microsoftonline.com/error?code=50079",
    });
    let error = failure(400, None, &body.to_string());
    assert_eq!(
        error,
        ExchangeError::from(ExchangeFailure {
            tenant: HOME,
            kind: ExchangeErrorKind::Challenge {
                claims: Some(claims.to_owned())
            },
            code: Some(50079),
            error: Some("interaction_required".into()),
            suberror: Some("basic_action".into()),
            correlation_id: Some(correlation.to_string()),
            trace_id: Some(trace.to_string()),
        })
    );
    let printed = format!("{error} {error:?}");
    assert!(
        !printed.contains(assertion) && !printed.contains("acc1"),
        "{printed}"
    );
    assert!(error.to_string().contains("AADSTS50079"), "{error}");
}

#[test]
fn words_and_ids_that_are_none_are_dropped() {
    let token = "eyJhbGciOiJSUzI1NiJ9".repeat(5);
    let body = json!({
        "error": "invalid_grant", "suberror": format!("{token} and more"), "correlation_id": token, "trace_id": 7,
        "claims": token, "error_codes": "none",
    });
    let error = failure(400, None, &body.to_string());
    assert_eq!(error.kind, ExchangeErrorKind::Reauthenticate);
    assert_eq!(
        (
            error.code,
            &error.suberror,
            &error.correlation_id,
            &error.trace_id
        ),
        (None, &None, &None, &None)
    );
    let too_long = json!({"error": token.repeat(2)});
    assert_eq!(failure(400, None, &too_long.to_string()).error, None);
    let vast = format!(r#"{{"access_token":{{"x":"{}"}}}}"#, "y".repeat(4096));
    let body = json!({"error": "interaction_required", "claims": vast});
    let challenge = ExchangeErrorKind::Challenge { claims: None };
    assert_eq!(failure(400, None, &body.to_string()).kind, challenge);
}

#[test]
fn the_number_is_read_from_the_prose_only_where_nothing_else_has_it() {
    let prose = json!({"error": "invalid_grant", "error_description": "AADSTS65001: The user or administrator …\r\nTrace ID: …"});
    let error = failure(400, None, &prose.to_string());
    assert_eq!(
        (error.code, &error.kind),
        (Some(65001), &ExchangeErrorKind::Consent)
    );
    let both =
        json!({"error": "invalid_grant", "error_description": "AADSTS65001: …", "error_codes": [50057]});
    let error = failure(400, None, &both.to_string());
    assert_eq!(
        (error.code, error.kind.clone()),
        (Some(50057), ExchangeErrorKind::Denied)
    );
    let endless = json!({"error": "invalid_grant", "error_description": "AADSTS99999999999999: …"});
    assert_eq!(failure(400, None, &endless.to_string()).code, None);
}

#[test]
fn a_pause_is_read_in_seconds_and_as_a_date_and_never_longer_than_an_hour() {
    let pause = |text: &str| match &failure(429, Some(text), "Too Many Requests").kind {
        ExchangeErrorKind::Throttled { retry_after } => retry_after.map(|pause| pause.as_secs()),
        other => panic!("{other:?}"),
    };
    assert_eq!(pause("30"), Some(30));
    assert_eq!(pause("999999"), Some(3600));
    assert_eq!(pause("Fri, 15 Jan 2027 08:00:45 GMT"), Some(45));
    assert_eq!(pause("Fri, 15 Jan 2027 07:00:00 GMT"), Some(0));
    assert_eq!(pause("soon"), None);
    assert_eq!(pause("-1"), None);
}

#[test]
fn a_tokens_life_is_the_shorter_of_its_date_and_its_remaining_seconds() {
    assert_eq!(life(&json!(START + 4000), &json!(3599)), Some(3599));
    assert_eq!(life(&json!(START + 3000), &json!(3599)), Some(3000));
    assert_eq!(life(&json!(START + 4000), &json!("3599")), Some(3599));
    assert_eq!(life(&json!(START + 4000), &Value::Null), Some(4000));
    assert_eq!(life(&Value::Null, &json!(3599)), Some(3599));
    assert_eq!(life(&Value::Null, &json!(u64::MAX)), Some(48 * 3600));
    assert_eq!(life(&Value::Null, &Value::Null), None);
    assert_eq!(life(&json!(START), &json!(3599)), None);
}

#[test]
fn arms_audiences_are_the_same_with_and_without_a_slash_and_no_prefix_of_another() {
    let accepted = ["https://management.azure.com/".to_owned(), API.to_string()];
    assert!(is_arm("https://management.azure.com", &accepted));
    assert!(is_arm("https://management.azure.com/", &accepted));
    assert!(!is_arm("https://management.azure.com.evil.example/", &accepted));
    assert!(!is_arm("", &accepted));
}

#[test]
fn an_answer_is_an_object_and_no_array_whose_entries_would_fit() {
    let token = arm_token(HOME, &json!({"exp": START + 3600}));
    let read = |body: Value| with_asked(|asked| asked.success(body.to_string().as_bytes())).is_ok();
    assert!(read(
        json!({"token_type": "Bearer", "access_token": token, "expires_in": 3600})
    ));
    assert!(!read(json!(["Bearer", token, 3600])));
    let error = failure(400, None, r#"["invalid_grant","consent_required"]"#);
    assert_eq!(
        (&error.error, &error.kind),
        (&None, &ExchangeErrorKind::Unavailable { retry_after: None })
    );
}
