//! api-versions: there must be one, and the provider must know it.

use http::StatusCode;

use super::error::ArmError;
use crate::exchange::Call;

/// Versions of the permissions call.
pub(super) const AUTHORIZATION: &[&str] = &["2015-07-01", "2018-01-01-preview", "2018-07-01", "2022-04-01"];

/// The call's api-version; ARM refuses every call without one.
pub(super) fn given(call: &Call) -> Result<&str, ArmError> {
    call.query("api-version")
        .filter(|version| !version.is_empty())
        .ok_or_else(|| {
            let message = "The api-version query parameter (?api-version=) is required for all requests.";
            ArmError::gateway(StatusCode::BAD_REQUEST, "MissingApiVersionParameter", message)
        })
}

/// Refuses a version that a type which is in no region does not have.
pub(super) fn known_anywhere(version: &str, kind: &str, supported: &[&str]) -> Result<(), ArmError> {
    if supported.contains(&version) {
        return Ok(());
    }
    Err(unknown(version, kind, supported, None, &[]))
}

/// The refusal of a version. The type stands there without its namespace.
pub(super) fn unknown(
    version: &str,
    kind: &str,
    supported: &[&str],
    location: Option<&str>,
    locations: &[String],
) -> ArmError {
    let message = format!(
        "No registered resource provider found for location '{}' and API version '{version}' for type '{kind}'. The \
         supported api-versions are '{}'. The supported locations are '{}'.",
        location.unwrap_or("null"),
        supported.join(", "),
        locations.join(", "),
    );
    ArmError::gateway(StatusCode::BAD_REQUEST, "NoRegisteredProviderFound", message)
}
