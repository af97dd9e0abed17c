//! Parses texts of a request; all mistakes are collected and returned at once.

use std::fmt::Display;
use std::str::FromStr;

use crate::domain::FieldError;

/// A text parsed, or what is wrong with it added to the errors under its pointer.
pub(in crate::http) fn field<T: FromStr<Err: Display>>(
    errors: &mut Vec<FieldError>,
    pointer: &str,
    text: &str,
) -> Option<T> {
    text.parse()
        .inspect_err(|error: &T::Err| {
            errors.push(FieldError {
                pointer: pointer.to_owned(),
                detail: error.to_string(),
            });
        })
        .ok()
}

/// The same for a text that may be absent.
pub(in crate::http) fn optional<T: FromStr<Err: Display>>(
    errors: &mut Vec<FieldError>,
    pointer: &str,
    text: Option<&str>,
) -> Option<T> {
    text.and_then(|text| field(errors, pointer, text))
}
