//! `$filter` of the role calls: one comparison or function, or several with `and` between them.

use http::StatusCode;

use super::ArmError;
use crate::exchange::Call;

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// At the scope or above, nothing below.
    AtScope,
    /// At the scope, above and below: what a list without a filter shows.
    AtScopeAndBelow,
    /// Given to the principal itself.
    Principal(String),
    /// Given to the principal or to a group that it is in.
    AssignedTo(String),
    /// A role of this name.
    RoleName(String),
    /// `BuiltInRole` or `CustomRole`.
    RoleType(String),
}

/// The call's conditions; none without a filter.
pub(super) fn terms(call: &Call) -> Result<Vec<Term>, ArmError> {
    let Some(text) = call.query("$filter").filter(|text| !text.trim().is_empty()) else {
        return Ok(Vec::new());
    };
    parts(text)
        .into_iter()
        .map(|part| term(part).ok_or_else(|| unsupported(text)))
        .collect()
}

/// Code and text are a guess.
fn unsupported(text: &str) -> ArmError {
    let message = format!("The filter '{text}' is not supported.");
    ArmError::gateway(StatusCode::BAD_REQUEST, "UnsupportedQueryFilter", message)
}

/// The text between its `and`s.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.to_ascii_lowercase().find(" and ") {
        let (part, after) = rest.split_at(at);
        parts.push(part.trim());
        rest = after.get(" and ".len()..).unwrap_or_default();
    }
    parts.push(rest.trim());
    parts
}

fn term(text: &str) -> Option<Term> {
    if let Some((name, argument)) = text.split_once('(') {
        let argument = argument.strip_suffix(')')?.trim();
        return match (name.trim().to_ascii_lowercase().as_str(), argument) {
            ("atscope", "") => Some(Term::AtScope),
            ("atscopeandbelow", "") => Some(Term::AtScopeAndBelow),
            ("assignedto", id) => Some(Term::AssignedTo(unquoted(id)?.to_ascii_lowercase())),
            _ => None,
        };
    }
    let mut words = text.splitn(3, char::is_whitespace);
    let (name, operator, value) = (words.next()?, words.next()?, words.next()?.trim());
    if !operator.eq_ignore_ascii_case("eq") {
        return None;
    }
    match name.to_ascii_lowercase().as_str() {
        // Clients write the id with and without quotes.
        "principalid" => {
            let id = unquoted(value).unwrap_or(value);
            if id.contains(|c: char| c.is_whitespace() || c == '\'') {
                return None;
            }
            Some(Term::Principal(id.to_ascii_lowercase()))
        }
        "rolename" => Some(Term::RoleName(unquoted(value)?.replace("''", "'"))),
        "type" => Some(Term::RoleType(unquoted(value)?.to_owned())),
        _ => None,
    }
}

fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn filters_are_read_as_clients_write_them() {
        let id = "0ACC0001-0000-4000-8000-000000000001";
        let lower = id.to_ascii_lowercase();
        for (filter, expected) in [
            ("", Some(vec![])),
            ("atScope()", Some(vec![Term::AtScope])),
            ("atScopeAndBelow()", Some(vec![Term::AtScopeAndBelow])),
            (
                &format!("principalId eq '{id}'"),
                Some(vec![Term::Principal(lower.clone())]),
            ),
            (
                &format!("principalId eq {id}"),
                Some(vec![Term::Principal(lower.clone())]),
            ),
            (
                &format!("atScope() and assignedTo('{id}')"),
                Some(vec![Term::AtScope, Term::AssignedTo(lower.clone())]),
            ),
            (
                "roleName eq 'Azure Event Hubs Data Owner'",
                Some(vec![Term::RoleName("Azure Event Hubs Data Owner".to_owned())]),
            ),
            ("atScope", None),
            ("principalId ne 'x'", None),
            ("principalId eq 'x' or 1", None),
            ("principalId eq 'x' or principalId eq 'y'", None),
            ("assignedTo(x)", None),
            ("atScope() or atScope()", None),
        ] {
            let query = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect::<String>();
            let call = Call::new(
                http::Method::GET,
                &format!("/x?$filter={query}"),
                HeaderMap::new(),
                Vec::new(),
            );
            assert_eq!(terms(&call).ok(), expected, "{filter}");
        }
    }
}
