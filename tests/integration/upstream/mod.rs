//! Entra and ARM out of reach, throttling, refusing or answering wrongly while a create is checked: nothing is sent that
//! changes ARM, and an outage is never told as the caller's fault. Here lives what is answered before the intent is
//! recorded; what happens to a create under way is no part of it.

mod arm;
mod entra;

use azure_emulator::{Effect, FaultAnswer, FaultBody};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Answer, App, CLAIMS};

fn text(status: u16, headers: &[(&str, &str)], text: &str) -> Effect {
    let headers = headers
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()));
    Effect::Answer(FaultAnswer {
        status,
        headers: headers.collect(),
        body: FaultBody::Text(text.to_owned()),
    })
}

/// Can't be told now, and when to ask again.
#[track_caller]
fn is_unavailable(answer: &Answer, seconds: &str) {
    answer.is_problem(503, "upstreamUnavailable");
    assert_eq!(answer.header("retry-after"), Some(seconds), "{}", answer.body);
    assert_eq!(answer.body["retryable"], true);
    assert!(answer.header("www-authenticate").is_none());
}

/// Exactly one challenge that asks a user of this tenant to sign in with the claims.
#[track_caller]
fn is_claims_challenge(answer: &Answer, app: &App, tenant: &str) {
    answer.is_problem(401, "claimsChallenge");
    assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);
    let challenge = answer.header("www-authenticate").expect("a challenge");
    let parameters = challenge.strip_prefix("Bearer ").expect("a bearer challenge");
    let read = |name: &str| {
        let mut found = parameters.split(", ").filter_map(|parameter| {
            let value = parameter.strip_prefix(name)?.strip_prefix('=')?;
            value.strip_prefix('"')?.strip_suffix('"')
        });
        let value = found.next().expect(name);
        assert_eq!(found.next(), None, "{name} twice");
        value
    };
    assert_eq!(read("error"), "insufficient_claims");
    assert_eq!(read("realm"), tenant);
    let authority = app.emulator.entra_url();
    assert_eq!(
        read("authorization_uri"),
        format!("{authority}{tenant}/oauth2/authorize")
    );
    let claims = STANDARD.decode(read("claims")).expect("Base64");
    assert_eq!(String::from_utf8(claims).as_deref(), Ok(CLAIMS));
    assert!(answer.text("/detail").contains(tenant));
}

/// More proof is missing at this tenant, and nothing says which: the app has not declared that it could ask for it.
#[track_caller]
fn is_missing_proof(answer: &Answer, tenant: &str) {
    answer.is_problem(403, "accessMissing");
    assert!(answer.header("www-authenticate").is_none());
    assert_eq!(answer.body["missing"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer.text("/missing/0/tenant"), tenant);
    assert_eq!(answer.text("/missing/0/kind"), "permission");
    let fix = answer.text("/missing/0/fix");
    assert!(fix.contains(tenant) && fix.contains("cp1"), "{fix}");
    assert!(!answer.body.to_string().contains("acrs"), "{}", answer.body);
}
