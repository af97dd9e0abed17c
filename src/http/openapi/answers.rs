//! The answers to changes: what each endpoint's statuses mean, and the headers with which a change is followed.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde_json::Value;
use utoipa::IntoResponses;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{Ref, RefOr};

use crate::http::openapi::headers;

/// An answer of an endpoint that changes something.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) description: &'static str,
    /// The name of its body's schema.
    pub(crate) body: &'static str,
    pub(crate) headers: &'static [&'static str],
    pub(crate) example: fn() -> Value,
}

/// The answers of an endpoint that changes something.
pub(crate) trait Answers {
    /// Those that are no problems.
    const ANSWERS: &'static [Answer];
}

/// The answers of an endpoint, for `responses(…)`.
pub(crate) struct ChangeResponses<T>(PhantomData<T>);

impl<T: Answers> IntoResponses for ChangeResponses<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let answer = |answer: &Answer| (answer.status.to_string(), RefOr::T(response(answer)));
        T::ANSWERS.iter().map(answer).collect()
    }
}

fn response(answer: &Answer) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name(answer.body))))
        .example(Some((answer.example)()))
        .build();
    let mut response = ResponseBuilder::new()
        .description(answer.description)
        .content("application/json", content)
        .build();
    for name in answer.headers.iter().copied() {
        let header = headers::of_change(name);
        response.headers.insert(name.to_owned(), RefOr::T(header));
    }
    response
}
