//! Data connections at ARM: how one is read, made and removed.
//! When that is done, and in whose name, `operations` decides.

#[cfg(test)]
mod any_answer_tests;
mod calls;
#[cfg(test)]
mod wire_tests;

use chrono::{DateTime, Utc};
use serde_json::Value;

pub use calls::{Accepted, Credentials, Deleted};

use crate::domain::json_fields::{self, instant};

/// A data connection as ARM gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct DataConnection {
    /// The whole resource, as it was answered.
    pub raw: Value,
}

impl DataConnection {
    /// `properties.provisioningState`: an open set, since the wire has states that the published list lacks.
    #[must_use]
    pub fn provisioning_state(&self) -> Option<&str> {
        json_fields::provisioning_state(&self.raw)
    }

    /// The region, as ARM writes it. Its spelling changes between the create's echo and the first read.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        json_fields::text(&self.raw, "location")
    }

    /// `kind`, such as `EventHub`.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        json_fields::text(&self.raw, "kind")
    }

    /// From when on the events are read: the moment of creation, unless the creator chose another.
    #[must_use]
    pub fn retrieval_start(&self) -> Option<DateTime<Utc>> {
        instant(json_fields::text(
            json_fields::member(&self.raw, "properties")?,
            "retrievalStartDate",
        )?)
    }

    /// `systemData.createdAt`, which api-versions from 2025-02-14 on have.
    #[must_use]
    pub fn created_at(&self) -> Option<DateTime<Utc>> {
        instant(json_fields::text(
            json_fields::member(&self.raw, "systemData")?,
            "createdAt",
        )?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_with_seven_digits_and_without_an_offset() {
        let connection = DataConnection {
            raw: json!({
                "properties": {"retrievalStartDate": "2024-11-27T11:52:03.8240511Z"},
                "systemData": {"createdAt": "2024-11-27T11:52:03.8240511"},
            }),
        };
        assert!(connection.retrieval_start().is_some());
        assert_eq!(connection.retrieval_start(), connection.created_at());
        let bare = DataConnection {
            raw: json!({"properties": {"retrievalStartDate": "yesterday"}}),
        };
        assert_eq!((bare.retrieval_start(), bare.created_at()), (None, None));
    }
}
