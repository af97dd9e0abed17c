//! The `details` of ledger events in the document. They depend on the event's kind, and no generator should meet a union: so the member is
//! an object of any shape, its description says which schema each kind has, and the schemas stand beside it.

use std::fmt::Write as _;

use serde_json::{Map, json};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::domain::EventKind;
use crate::ledger::details::shape_of;

/// The schema of the member.
pub(crate) fn event_details() -> Object {
    let mut text =
        "Further details. Their shape depends on the event's kind; `by` is `service` in each whose change this service found with a token of \
         its own.\n"
            .to_owned();
    let mut shapes = Map::new();
    for kind in EventKind::ALL {
        let (word, shape) = (kind.as_str(), shape_of(*kind));
        // Writing to a text never fails.
        let _ = write!(text, "\n- `{word}`: `{shape}`");
        shapes.insert(
            word.to_owned(),
            json!({ "$ref": format!("#/components/schemas/{shape}") }),
        );
    }
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(text))
        .extensions(Some(
            ExtensionsBuilder::new().add("x-shape-of-kind", shapes).build(),
        ))
        .build()
}
