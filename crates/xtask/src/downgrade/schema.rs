//! Schemas: JSON Schema 2020-12 in OpenAPI 3.1, a dialect of its own in 3.0.3 (specification, section 4.7.24).

use serde_json::{Map, Value, json};

use super::{ConvertError, Place, list, map};

/// Keywords that mean the same in both.
const SAME: &[&str] = &[
    "title",
    "description",
    "default",
    "format",
    "multipleOf",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
    "enum",
    "readOnly",
    "writeOnly",
    "deprecated",
    "example",
    "externalDocs",
    "discriminator",
];

/// Converts one schema and all that are in it.
pub(super) fn schema(place: &Place, value: &Value) -> Result<Value, ConvertError> {
    match value {
        Value::Bool(true) => Ok(json!({})),
        Value::Bool(false) => Ok(json!({ "not": {} })),
        _ => {
            let mut converted = Map::new();
            let keywords = place.object(value)?;
            let both = |bound: &str, exclusive: &str| {
                keywords.contains_key(bound) && keywords.contains_key(exclusive)
            };
            if both("minimum", "exclusiveMinimum") || both("maximum", "exclusiveMaximum") {
                return Err(
                    place.inexpressible("has an inclusive and an exclusive bound; 3.0.3 has room for one")
                );
            }
            for (keyword, member) in keywords {
                keyword_of(place, keyword, member, &mut converted)?;
            }
            finish(place, converted)
        }
    }
}

fn keyword_of(
    place: &Place,
    keyword: &str,
    member: &Value,
    out: &mut Map<String, Value>,
) -> Result<(), ConvertError> {
    let here = place.under(keyword);
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    match keyword {
        "type" => types(&here, member, out)?,
        "$ref" => put("$ref", member.clone()),
        "properties" => put(keyword, map(&here, member, schema)?),
        "items" | "not" => put(keyword, schema(&here, member)?),
        // 3.0.3 lets booleans stand here alone.
        "additionalProperties" if member.is_boolean() => put(keyword, member.clone()),
        "additionalProperties" => put(keyword, schema(&here, member)?),
        "allOf" | "anyOf" | "oneOf" => put(keyword, list(&here, member, schema)?),
        "const" => put("enum", json!([member])),
        // 3.0.3 takes one.
        "examples" => {
            if let Some(first) = here.list(member)?.first() {
                put("example", first.clone());
            }
        }
        "exclusiveMinimum" => exclusive(&here, "minimum", member, out)?,
        "exclusiveMaximum" => exclusive(&here, "maximum", member, out)?,
        "contentEncoding" if member == "base64" => put("format", json!("byte")),
        _ if SAME.contains(&keyword) || keyword.starts_with("x-") => put(keyword, member.clone()),
        _ => return Err(place.unknown(keyword)),
    }
    Ok(())
}

/// A list of types is one type and perhaps null.
fn types(place: &Place, value: &Value, out: &mut Map<String, Value>) -> Result<(), ConvertError> {
    let all = match value {
        Value::Array(types) => types.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut others = all.iter().filter(|kind| *kind != "null");
    match (others.next(), others.next()) {
        (Some(kind), None) => {
            out.insert("type".to_owned(), kind.clone());
            if all.len() > 1 {
                out.insert("nullable".to_owned(), json!(true));
            }
            Ok(())
        }
        (None, _) => Err(place.inexpressible("is null alone; let the member be absent instead")),
        (Some(_), Some(_)) => Err(place.inexpressible("is more than one type")),
    }
}

/// A bound of its own in 3.1, a mark on the other bound in 3.0.3.
fn exclusive(
    place: &Place,
    bound: &str,
    value: &Value,
    out: &mut Map<String, Value>,
) -> Result<(), ConvertError> {
    if !value.is_number() {
        return Err(place.inexpressible("is no number"));
    }
    let mark = if bound == "minimum" {
        "exclusiveMinimum"
    } else {
        "exclusiveMaximum"
    };
    out.insert(bound.to_owned(), value.clone());
    out.insert(mark.to_owned(), json!(true));
    Ok(())
}

/// What depends on several keywords.
fn finish(place: &Place, mut schema: Map<String, Value>) -> Result<Value, ConvertError> {
    if let Some(words) = words_of_open_enumeration(&schema) {
        schema.remove("anyOf");
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("x-extensible-enum".to_owned(), words);
    }
    if schema.get("type") == Some(&json!("object")) {
        // The same without it; but generators for 3.0 reject members that they do not know unless it stands there.
        schema
            .entry("additionalProperties")
            .or_insert_with(|| json!(true));
    }
    if schema.get("type") == Some(&json!("array")) {
        // 3.0.3 demands it.
        schema.entry("items").or_insert_with(|| json!({}));
    }
    // Beside a reference everything else is ignored.
    if schema.len() > 1
        && let Some(reference) = schema.remove("$ref")
    {
        if schema.contains_key("allOf") {
            return Err(place.inexpressible("has both a reference and allOf"));
        }
        schema.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
    }
    Ok(Value::Object(schema))
}

/// The words of an enumeration that later versions may extend: one of these, or any other string. Tools that read 3.0 know no unions
/// of that kind, and have a keyword of their own for it.
fn words_of_open_enumeration(schema: &Map<String, Value>) -> Option<Value> {
    let [known, any] = schema.get("anyOf")?.as_array()?.as_slice() else {
        return None;
    };
    let words = known.get("enum")?;
    let is_string = *known == json!({ "type": "string", "enum": words });
    (is_string && *any == json!({ "type": "string" })).then(|| words.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(value: &Value) -> Result<Value, ConvertError> {
        schema(&Place::root(), value)
    }

    #[test]
    fn each_keyword_that_changed_goes_back() {
        for (new, old) in [
            (
                json!({ "type": ["string", "null"] }),
                json!({ "type": "string", "nullable": true }),
            ),
            (json!({ "type": ["string"] }), json!({ "type": "string" })),
            (
                json!({ "type": "string", "const": "a" }),
                json!({ "type": "string", "enum": ["a"] }),
            ),
            (
                json!({ "type": "string", "examples": ["a", "b"] }),
                json!({ "type": "string", "example": "a" }),
            ),
            (
                json!({ "exclusiveMinimum": 0, "exclusiveMaximum": 9 }),
                json!({ "minimum": 0, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": true }),
            ),
            (
                json!({ "$ref": "#/a", "description": "d" }),
                json!({ "description": "d", "allOf": [{ "$ref": "#/a" }] }),
            ),
            (json!({ "$ref": "#/a" }), json!({ "$ref": "#/a" })),
            (
                json!({ "type": "array" }),
                json!({ "type": "array", "items": {} }),
            ),
            (
                json!({ "type": "string", "contentEncoding": "base64" }),
                json!({ "type": "string", "format": "byte" }),
            ),
            (
                json!({ "type": "object", "properties": {} }),
                json!({ "type": "object", "properties": {}, "additionalProperties": true }),
            ),
            (
                json!({ "type": "object", "additionalProperties": false }),
                json!({ "type": "object", "additionalProperties": false }),
            ),
            (
                json!({ "description": "d", "anyOf": [{ "type": "string", "enum": ["a", "b"] }, { "type": "string" }] }),
                json!({ "description": "d", "type": "string", "x-extensible-enum": ["a", "b"] }),
            ),
            (
                json!({ "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "integer" }] }),
                json!({ "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "integer" }] }),
            ),
            (json!(true), json!({})),
            (json!(false), json!({ "not": {} })),
        ] {
            assert_eq!(convert(&new), Ok(old), "{new}");
        }
    }

    #[test]
    fn schemas_inside_schemas_are_converted_too() {
        let inner = json!({ "type": ["integer", "null"] });
        let done = json!({ "type": "integer", "nullable": true });
        for wrap in [
            |inner: &Value| json!({ "properties": { "a": inner } }),
            |inner: &Value| json!({ "type": "array", "items": inner }),
            |inner: &Value| json!({ "additionalProperties": inner }),
            |inner: &Value| json!({ "oneOf": [inner] }),
            |inner: &Value| json!({ "anyOf": [inner] }),
            |inner: &Value| json!({ "allOf": [inner] }),
            |inner: &Value| json!({ "not": inner }),
        ] {
            assert_eq!(convert(&wrap(&inner)), Ok(wrap(&done)));
        }
    }

    #[test]
    fn names_of_properties_are_not_taken_for_keywords() {
        let properties =
            json!({ "properties": { "const": { "type": "string" }, "if": { "type": "string" } } });
        assert_eq!(convert(&properties), Ok(properties));
    }

    #[test]
    fn an_unknown_keyword_fails_wherever_it_is() {
        for keyword in [
            "if",
            "prefixItems",
            "patternProperties",
            "unevaluatedProperties",
            "$defs",
            "$id",
            "dependentRequired",
            "nullable",
            "propertyNames",
        ] {
            let deep = json!({ "properties": { "a/b": { keyword: true } } });
            let error = ConvertError::Unknown {
                pointer: "/properties/a~1b".to_owned(),
                keyword: keyword.to_owned(),
            };
            assert_eq!(convert(&deep), Err(error));
        }
    }

    #[test]
    fn what_the_older_version_cannot_say_fails() {
        for value in [
            json!({ "type": "null" }),
            json!({ "type": ["string", "integer"] }),
            json!({ "oneOf": [{ "$ref": "#/a" }, { "type": "null" }] }),
            json!({ "minimum": 1, "exclusiveMinimum": 0 }),
            json!({ "exclusiveMinimum": true, "minimum": 0 }),
            json!({ "$ref": "#/a", "allOf": [] }),
            json!("string"),
        ] {
            assert!(
                matches!(convert(&value), Err(ConvertError::Inexpressible { .. })),
                "{value}"
            );
        }
    }
}
