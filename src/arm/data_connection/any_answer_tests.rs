//! Whatever is answered to a write, of any status and with any body, is taken for what it proves and for no more.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;

use super::calls::Deleted;
use crate::arm::answer::{Answer, BodyFault};
use crate::arm::refusal::Refusal;
use crate::arm::testing::{arm, clock};
use crate::arm::{Arm, ArmErrorKind, CallReport};

static ARM: LazyLock<Arm> = LazyLock::new(|| {
    let endpoint = "https://management.azure.com/".parse().expect("a URL");
    arm(endpoint, clock())
});

/// An answer as the wire may bring it.
#[derive(Debug, Clone)]
struct Brought {
    status: u16,
    headers: Vec<(&'static str, String)>,
    /// The bytes of the body; `None` when it broke off, or never ended.
    body: Result<Vec<u8>, bool>,
}

impl Brought {
    fn answer(&self) -> Answer {
        let status = StatusCode::from_u16(self.status).expect("a status");
        let headers: HeaderMap = self
            .headers
            .iter()
            .filter_map(|(name, value)| {
                let value = HeaderValue::from_str(value).ok()?;
                Some((HeaderName::from_static(name), value))
            })
            .collect();
        let body = match &self.body {
            Ok(bytes) => Ok(bytes.clone().into()),
            Err(true) => Err(BodyFault::Cut),
            Err(false) => Err(BodyFault::TooLong),
        };
        let text = self.body.as_deref().unwrap_or_default();
        let refusal = (!status.is_success()).then(|| Refusal::read(status, &headers, text, clock().now()));
        Answer {
            status,
            headers,
            report: CallReport::default(),
            name: "PUT data connection",
            body,
            refusal,
        }
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A 4xx proves that nothing was done, but not a time-out.
    fn may_be_a_refusal(&self) -> bool {
        (400..500).contains(&self.status) && self.status != 408
    }
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let word = || {
        prop_oneof![
            Just("ResourceNotFound"),
            Just("Succeeded"),
            Just("Failed"),
            Just("ServiceIsInMaintenance"),
            Just(""),
            Just("\u{1f600}"),
        ]
    };
    let json = (0..6_u8, word()).prop_map(|(shape, word)| match shape {
        0 => format!(r#"{{"error":{{"code":"{word}","message":"{word}"}}}}"#),
        1 => format!(r#"{{"error":"{word}"}}"#),
        2 => format!(r#"{{"properties":{{"provisioningState":"{word}"}}}}"#),
        3 => format!(r#"{{"status":"{word}","error":[]}}"#),
        4 => format!(r#"[{{"code":"{word}"}},null]"#),
        _ => format!("<html><title>{word}"),
    });
    let cut = (json, 0..80_usize).prop_map(|(text, keep)| text.into_bytes().into_iter().take(keep).collect());
    prop_oneof![cut, prop::collection::vec(any::<u8>(), 0..64)]
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let name = prop_oneof![
        Just("location"),
        Just("azure-asyncoperation"),
        Just("retry-after"),
        Just("www-authenticate"),
        Just("x-ms-error-code"),
    ];
    let value = prop_oneof![
        Just("https://management.azure.com/operationResults/x?s=y".to_owned()),
        Just("https://elsewhere.example/x".to_owned()),
        Just("Bearer claims=\"e30=\"".to_owned()),
        Just("17".to_owned()),
        "[ -~]{0,40}",
    ];
    prop::collection::vec((name, value), 0..4)
}

fn brought() -> impl Strategy<Value = Brought> {
    let body = prop_oneof![
        8 => body().prop_map(Ok),
        1 => any::<bool>().prop_map(Err),
    ];
    (100..=999_u16, headers(), body).prop_map(|(status, headers, body)| Brought {
        status,
        headers,
        body,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_answer_to_a_create_is_a_success_a_sure_refusal_or_leaves_the_outcome_open(brought in brought()) {
        match ARM.accepted(brought.answer()) {
            Ok(accepted) => {
                prop_assert!(brought.is_success());
                let operation = accepted.operation.as_ref().map(|url| url.expose().to_owned());
                prop_assert!(operation.is_none_or(|url| url.starts_with("https://management.azure.com/")));
            }
            Err(error) if error.outcome_unknown() => {
                let doubted = matches!(error.kind, ArmErrorKind::ForeignHost | ArmErrorKind::Unreadable);
                prop_assert!(!brought.is_success() || doubted, "{error}");
            }
            Err(error) => prop_assert!(brought.may_be_a_refusal(), "{error}"),
        }
    }

    #[test]
    fn an_answer_to_a_removal_says_that_nothing_is_there_only_in_arms_own_words(brought in brought()) {
        match ARM.deleted(brought.answer()) {
            Ok(Deleted::NothingThere { .. }) => {
                let told = brought.body.as_deref().unwrap_or_default();
                let in_words = String::from_utf8_lossy(told).contains("ResourceNotFound")
                    || brought.headers.iter().any(|(_, value)| value == "ResourceNotFound");
                prop_assert!(brought.status == 204 || brought.status == 404 && in_words);
            }
            Ok(Deleted::Done { .. }) => prop_assert_eq!(brought.status, 200),
            Ok(Deleted::Accepted { .. }) => prop_assert!(brought.is_success()),
            Err(error) if error.outcome_unknown() => {}
            Err(error) => prop_assert!(brought.may_be_a_refusal(), "{error}"),
        }
    }
}
