//! The document's objects but for schemas: which members each has in OpenAPI 3.0.3 (specification, section 4.7), and how the
//! few that changed in 3.1 go back.

use serde_json::{Map, Value, json};

use super::schema::schema;
use super::{Convert, ConvertError, Place, list, map};

/// What a member holds.
#[derive(Clone, Copy)]
enum Member {
    /// The same in both versions.
    Same,
    /// An object.
    One(Convert),
    /// A list of objects.
    List(Convert),
    /// Objects under names of the author's choice.
    Map(Convert),
}
use Member::{List, Map as Named, One, Same};

type Members = &'static [(&'static str, Member)];

const DOCUMENT: Members = &[
    ("openapi", Same),
    ("info", One(info)),
    ("servers", List(server)),
    ("paths", Named(path_item)),
    ("components", One(components)),
    ("security", Same),
    ("tags", List(tag)),
    ("externalDocs", Same),
];
const INFO: Members = &[
    ("title", Same),
    ("description", Same),
    ("termsOfService", Same),
    ("contact", Same),
    ("license", One(license)),
    ("version", Same),
];
const SERVER: Members = &[("url", Same), ("description", Same)];
const TAG: Members = &[("name", Same), ("description", Same), ("externalDocs", Same)];
const COMPONENTS: Members = &[
    ("schemas", Named(schema)),
    ("responses", Named(response)),
    ("parameters", Named(parameter)),
    ("examples", Named(example)),
    ("requestBodies", Named(request_body)),
    ("headers", Named(header)),
    ("securitySchemes", Named(security_scheme)),
];
const PATH_ITEM: Members = &[
    ("summary", Same),
    ("description", Same),
    ("get", One(operation)),
    ("put", One(operation)),
    ("post", One(operation)),
    ("delete", One(operation)),
    ("options", One(operation)),
    ("head", One(operation)),
    ("patch", One(operation)),
    ("parameters", List(parameter)),
];
const OPERATION: Members = &[
    ("tags", Same),
    ("summary", Same),
    ("description", Same),
    ("externalDocs", Same),
    ("operationId", Same),
    ("parameters", List(parameter)),
    ("requestBody", One(request_body)),
    ("responses", Named(response)),
    ("deprecated", Same),
    ("security", Same),
];
const PARAMETER: Members = &[
    ("name", Same),
    ("in", Same),
    ("description", Same),
    ("required", Same),
    ("deprecated", Same),
    ("style", Same),
    ("explode", Same),
    ("schema", One(schema)),
    ("example", Same),
    ("examples", Named(example)),
];
const HEADER: Members = &[
    ("description", Same),
    ("required", Same),
    ("deprecated", Same),
    ("schema", One(schema)),
    ("example", Same),
    ("examples", Named(example)),
];
const REQUEST_BODY: Members = &[
    ("description", Same),
    ("content", Named(media_type)),
    ("required", Same),
];
const MEDIA_TYPE: Members = &[
    ("schema", One(schema)),
    ("example", Same),
    ("examples", Named(example)),
];
const RESPONSE: Members = &[
    ("description", Same),
    ("headers", Named(header)),
    ("content", Named(media_type)),
];
const EXAMPLE: Members = &[
    ("summary", Same),
    ("description", Same),
    ("value", Same),
    ("externalValue", Same),
];
const SECURITY_SCHEME: Members = &[
    ("type", Same),
    ("description", Same),
    ("name", Same),
    ("in", Same),
    ("scheme", Same),
    ("bearerFormat", Same),
    ("flows", Same),
    ("openIdConnectUrl", Same),
];

/// The whole document.
pub(super) fn document(value: &Value) -> Result<Value, ConvertError> {
    let place = Place::root();
    let is_3_1 = value
        .get("openapi")
        .and_then(Value::as_str)
        .is_some_and(|version| version.starts_with("3.1."));
    if !is_3_1 {
        return Err(place.inexpressible("is no OpenAPI 3.1 document"));
    }
    let mut converted = members(&place, value, DOCUMENT)?;
    converted.insert("openapi".to_owned(), json!("3.0.3"));
    // 3.1 can do without.
    converted.entry("paths").or_insert_with(|| json!({}));
    Ok(Value::Object(converted))
}

fn members(place: &Place, value: &Value, known: Members) -> Result<Map<String, Value>, ConvertError> {
    let mut converted = Map::new();
    for (name, member) in place.object(value)? {
        let kind = known
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, kind)| *kind);
        let here = place.under(name);
        let member = match kind {
            Some(Same) => member.clone(),
            Some(One(convert)) => convert(&here, member)?,
            Some(List(convert)) => list(&here, member, convert)?,
            Some(Named(convert)) => map(&here, member, convert)?,
            None if name.starts_with("x-") => member.clone(),
            None => return Err(place.unknown(name)),
        };
        converted.insert(name.clone(), member);
    }
    Ok(converted)
}

/// An object, or a reference to one. Beside a reference 3.1 lets a summary and a description stand, which 3.0.3 ignores.
fn referable(place: &Place, value: &Value, known: Members) -> Result<Value, ConvertError> {
    let Some(reference) = value.get("$ref") else {
        return members(place, value, known).map(Value::Object);
    };
    let other = place
        .object(value)?
        .keys()
        .find(|name| !["$ref", "summary", "description"].contains(&name.as_str()));
    match other {
        Some(name) => Err(place.under(name).inexpressible("stands beside a reference")),
        None => Ok(json!({ "$ref": reference })),
    }
}

fn info(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    members(place, value, INFO).map(Value::Object)
}

/// 3.0.3 has no SPDX identifier, so the name says it.
fn license(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    const LICENSE: Members = &[("name", Same), ("url", Same), ("identifier", Same)];
    let mut converted = members(place, value, LICENSE)?;
    if let Some(Value::String(identifier)) = converted.remove("identifier")
        && let Some(Value::String(name)) = converted.get_mut("name")
        && *name != identifier
    {
        name.push_str(&format!(" ({identifier})"));
    }
    Ok(Value::Object(converted))
}

fn server(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    members(place, value, SERVER).map(Value::Object)
}

fn tag(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    members(place, value, TAG).map(Value::Object)
}

fn components(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    members(place, value, COMPONENTS).map(Value::Object)
}

fn path_item(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    members(place, value, PATH_ITEM).map(Value::Object)
}

fn operation(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    if value.get("responses").is_none() {
        return Err(place.inexpressible("has no responses"));
    }
    members(place, value, OPERATION).map(Value::Object)
}

fn parameter(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    referable(place, value, PARAMETER)
}

fn header(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    referable(place, value, HEADER)
}

fn request_body(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    referable(place, value, REQUEST_BODY)
}

fn media_type(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    members(place, value, MEDIA_TYPE).map(Value::Object)
}

fn response(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    if value.get("description").is_none() && value.get("$ref").is_none() {
        return Err(place.inexpressible("has no description"));
    }
    referable(place, value, RESPONSE)
}

fn example(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    referable(place, value, EXAMPLE)
}

fn security_scheme(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    if value.get("type").and_then(Value::as_str) == Some("mutualTLS") {
        return Err(place.inexpressible("is mutual TLS"));
    }
    referable(place, value, SECURITY_SCHEME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(member: &str, value: Value) -> Value {
        let mut document = json!({
            "openapi": "3.1.0",
            "info": { "title": "t", "version": "1" },
            "paths": {}
        });
        document[member] = value;
        document
    }

    #[test]
    fn the_identifier_of_the_license_goes_into_its_name() {
        let info = |license: Value| json!({ "title": "t", "version": "1", "license": license });
        let name = |license: Value| {
            let converted = document(&with("info", info(license))).expect("converts");
            converted["info"]["license"].clone()
        };
        assert_eq!(
            name(json!({ "name": "MIT", "identifier": "MIT" })),
            json!({ "name": "MIT" })
        );
        assert_eq!(
            name(json!({ "name": "Ours", "identifier": "MIT" })),
            json!({ "name": "Ours (MIT)" })
        );
    }

    #[test]
    fn what_stands_beside_a_reference_is_left_out_if_it_only_explains() {
        let beside = |member: &str| {
            let reference = json!({ "$ref": "#/components/responses/A", member: "x" });
            document(&with("components", json!({ "responses": { "B": reference } })))
        };
        let converted = beside("description").expect("converts");
        assert_eq!(
            converted["components"]["responses"]["B"],
            json!({ "$ref": "#/components/responses/A" })
        );
        assert!(beside("content").is_err());
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_place() {
        for (member, value, place) in [
            ("webhooks", json!({}), ""),
            ("jsonSchemaDialect", json!("x"), ""),
            ("info", json!({ "summary": "s" }), "/info"),
            ("paths", json!({ "/a": { "query": {} } }), "/paths/~1a"),
            ("components", json!({ "pathItems": {} }), "/components"),
        ] {
            match document(&with(member, value)) {
                Err(ConvertError::Unknown { pointer, .. }) => assert_eq!(pointer, place),
                other => panic!("{member}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_only_newer_documents_can_say_is_refused() {
        for (member, value) in [
            (
                "components",
                json!({ "securitySchemes": { "a": { "type": "mutualTLS" } } }),
            ),
            ("components", json!({ "responses": { "A": { "content": {} } } })),
            ("paths", json!({ "/a": { "get": { "summary": "s" } } })),
            ("openapi", json!("3.2.0")),
        ] {
            assert!(
                matches!(
                    document(&with(member, value.clone())),
                    Err(ConvertError::Inexpressible { .. })
                ),
                "{member}: {value}"
            );
        }
    }

    #[test]
    fn extensions_are_kept() {
        let converted = document(&with("x-origin", json!([1]))).expect("converts");
        assert_eq!(converted["x-origin"], json!([1]));
        assert_eq!(converted["openapi"], "3.0.3");
    }
}
