//! The problems that an endpoint answers with. An endpoint names the codes that are its own; those that every endpoint has
//! are added, and the statuses, sentences and examples follow from the codes.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use utoipa::IntoResponses;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::ComponentsBuilder;
use utoipa::openapi::{Ref, RefOr};

use crate::domain::Code;
use crate::http::openapi::{examples, headers};
use crate::http::problem::{MEDIA_TYPE, status_of};

/// What any request with a token may be answered.
const EVERYWHERE: &[Code] = &[
    Code::InvalidRequest,
    Code::AuxiliaryTokens,
    Code::Unauthenticated,
    Code::InvalidToken,
    Code::ClaimsChallenge,
    Code::InsufficientScope,
    Code::AccessMissing,
    Code::TooManyRequests,
    Code::HeadersTooLarge,
    Code::Internal,
    Code::UpstreamRefused,
    Code::UpstreamUnavailable,
    Code::DatabaseUnavailable,
    Code::Timeout,
    Code::Overloaded,
];

/// The codes that are an endpoint's own.
pub(crate) trait ErrorCodes {
    /// The codes, beside those that every endpoint has.
    const CODES: &'static [Code];
}

/// The problems of an endpoint, for `responses(…)`.
pub(crate) struct ErrorResponses<T>(PhantomData<T>);

impl<T: ErrorCodes> IntoResponses for ErrorResponses<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let common = by_status(EVERYWHERE);
        let codes: Vec<Code> = EVERYWHERE.iter().chain(T::CODES).copied().collect();
        let answer = |(status, codes): (u16, Vec<Code>)| {
            let response = if common.get(&status) == Some(&codes) {
                RefOr::Ref(Ref::new(format!("#/components/responses/{}", component(status))))
            } else {
                RefOr::T(response(status, &codes))
            };
            (status.to_string(), response)
        };
        let others = RefOr::Ref(Ref::new(format!("#/components/responses/{OTHERS}")));
        by_status(&codes)
            .into_iter()
            .map(answer)
            .chain([("default".to_owned(), others)])
            .collect()
    }
}

/// The component for answers of every other status.
const OTHERS: &str = "ProblemDefault";

/// Any other problem: proxies in between and later versions may answer with statuses that are not listed.
fn others() -> Response {
    let mut others = response(status_of(Code::Internal).as_u16(), &[Code::Internal]);
    "Any other problem. Clients must expect statuses and codes that this document does not list."
        .clone_into(&mut others.description);
    others
}

/// The answers that every endpoint has, as components.
pub(super) fn shared(components: ComponentsBuilder) -> ComponentsBuilder {
    by_status(EVERYWHERE)
        .into_iter()
        .fold(components, |components, (status, codes)| {
            components.response(component(status), response(status, &codes))
        })
        .response(OTHERS, others())
}

/// One example a code, as components.
pub(super) fn examples() -> BTreeMap<String, RefOr<Example>> {
    let example = |code: Code| {
        let problem = serde_json::to_value(examples::problem(code)).ok();
        ExampleBuilder::new().summary(code.title()).value(problem).build()
    };
    Code::ALL
        .iter()
        .filter(|code| !ONLY_IN_OPERATIONS.contains(code) && !NO_OPERATIONS_OWN.contains(code))
        .map(|code| (code.as_str().to_owned(), RefOr::T(example(*code))))
        .collect()
}

/// The codes that only a failed operation has, in its `error`.
const ONLY_IN_OPERATIONS: &[Code] = &[Code::AzureFailed, Code::NotSent];

/// The codes of requests that reach no documented operation.
const NO_OPERATIONS_OWN: &[Code] = &[Code::MethodNotAllowed];

fn component(status: u16) -> String {
    format!("Problem{status}")
}

fn by_status(codes: &[Code]) -> BTreeMap<u16, Vec<Code>> {
    let mut statuses: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for code in codes {
        if seen.insert(code.as_str()) {
            statuses.entry(status_of(*code).as_u16()).or_default().push(*code);
        }
    }
    statuses
}

fn response(status: u16, codes: &[Code]) -> Response {
    let sentences: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`: {}.", code.as_str(), code.title()))
        .collect();
    let examples = codes.iter().map(|code| {
        let name = code.as_str();
        (
            name,
            RefOr::Ref(Ref::new(format!("#/components/examples/{name}"))),
        )
    });
    let content = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name("Problem"))))
        .examples_from_iter(examples)
        .build();
    let mut response = ResponseBuilder::new()
        .description(sentences.join(" "))
        .content(MEDIA_TYPE, content)
        .build();
    let special: &[&str] = match status {
        401 | 403 => &["WWW-Authenticate"],
        429 => &["Retry-After", "RateLimit-Policy", "RateLimit"],
        503 => &["Retry-After"],
        409 if codes.contains(&Code::ChangeInProgress) => &["Retry-After"],
        _ => &[],
    };
    for name in ["x-request-id", "x-ms-error-code"].iter().chain(special).copied() {
        response.headers.insert(name.to_owned(), headers::reference(name));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_some_operations_problem_or_known_not_to_be() {
        let document = crate::http::document();
        for code in Code::ALL {
            let named = document.contains(&format!("`{}`: {}.", code.as_str(), code.title()));
            let elsewhere = ONLY_IN_OPERATIONS.contains(code) || NO_OPERATIONS_OWN.contains(code);
            assert!(named != elsewhere, "{}", code.as_str());
        }
    }

    #[test]
    fn the_problems_of_every_endpoint_are_defined_once() {
        struct Plain;
        impl ErrorCodes for Plain {
            const CODES: &'static [Code] = &[Code::NotFound];
        }
        let responses = ErrorResponses::<Plain>::responses();
        let shared = |status: &str| matches!(responses.get(status), Some(RefOr::Ref(_)));
        assert!(shared("401") && shared("500") && shared("503") && !shared("404"));
    }
}
