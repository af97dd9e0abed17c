//! The forms in which Microsoft's own test suites keep their recordings, each read as a list of exchanges:
//! the command line's (`interactions`, in YAML), the SDKs' (`Entries`), PowerShell's (an object whose members are the
//! exchanges, in their order), and a plain list (`exchanges`).

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};

/// The text of a recording as exchanges in the plain form.
pub(super) fn exchanges(text: &str) -> Result<Vec<Value>, String> {
    let Ok(Members(members)) = serde_json::from_str(text) else {
        let file: Value = serde_yaml_ng::from_str(text).map_err(|error| error.to_string())?;
        return of_file(&file).ok_or_else(|| "no recording in a form that is known".to_owned());
    };
    let is_exchange = |value: &Value| value["Request"].is_object() && value["Response"].is_object();
    if !members.is_empty() && members.iter().all(|(_, value)| is_exchange(value)) {
        return Ok(members.iter().map(|(_, value)| of_powershell(value)).collect());
    }
    let file = Value::Object(members.into_iter().collect());
    of_file(&file).ok_or_else(|| "no recording in a form that is known".to_owned())
}

fn of_file(file: &Value) -> Option<Vec<Value>> {
    let list = |name: &str| file.get(name).and_then(Value::as_array);
    if let Some(exchanges) = list("exchanges") {
        return Some(exchanges.clone());
    }
    if let Some(entries) = list("Entries") {
        return Some(entries.iter().map(of_sdk).collect());
    }
    list("interactions").map(|all| all.iter().map(of_command_line).collect())
}

fn of_sdk(entry: &Value) -> Value {
    json!({
        "request": { "method": entry["RequestMethod"], "uri": entry["RequestUri"], "body": entry["RequestBody"] },
        "response": {
            "status": entry["StatusCode"], "headers": entry["ResponseHeaders"], "body": entry["ResponseBody"],
        },
    })
}

fn of_powershell(exchange: &Value) -> Value {
    let (request, response) = (&exchange["Request"], &exchange["Response"]);
    json!({
        "request": { "method": request["Method"], "uri": request["RequestUri"], "body": request["Content"] },
        "response": {
            "status": response["StatusCode"], "headers": response["Headers"], "body": response["Content"],
        },
    })
}

fn of_command_line(interaction: &Value) -> Value {
    let (request, response) = (&interaction["request"], &interaction["response"]);
    json!({
        "request": { "method": request["method"], "uri": request["uri"], "body": request["body"] },
        "response": {
            "status": response["status"]["code"], "headers": response["headers"],
            "body": response["body"]["string"],
        },
    })
}

/// The members of an object in the order of the text.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// One exchange in every form is the same exchange.
#[test]
fn every_form_of_a_recording_is_read() {
    let uri = "https://management.azure.com/x?api-version=1";
    let plain = json!({ "exchanges": [{
        "request": { "method": "PUT", "uri": uri, "body": "{\"a\":1}" },
        "response": { "status": 201, "headers": { "ETag": ["e"] }, "body": "{}" },
    }] });
    let sdk = json!({ "Entries": [{ "RequestMethod": "PUT", "RequestUri": uri, "RequestBody": "{\"a\":1}",
        "StatusCode": 201, "ResponseHeaders": { "ETag": ["e"] }, "ResponseBody": "{}" }], "Variables": {} });
    let powershell = json!({ "[NoDescription]+Put+1": {
        "Request": { "Method": "PUT", "RequestUri": uri, "Content": "{\"a\":1}" },
        "Response": { "StatusCode": 201, "Headers": { "ETag": ["e"] }, "Content": "{}" },
    } });
    let yaml = format!(
        "interactions:\n- request:\n    body: '{{\"a\":1}}'\n    method: PUT\n    uri: {uri}\n  response:\n    \
         body:\n      string: '{{}}'\n    headers:\n      ETag:\n      - e\n    status:\n      code: 201\n      \
         message: Created\nversion: 1\n"
    );
    let expected = plain["exchanges"].as_array().unwrap().clone();
    for text in [plain.to_string(), sdk.to_string(), powershell.to_string(), yaml] {
        assert_eq!(exchanges(&text).as_ref(), Ok(&expected), "{text}");
    }
    let two = r#"{"z+1": {"Request": {"Method": "GET"}, "Response": {}}, "a+2": {"Request": {"Method": "PUT"}, "Response": {}}}"#;
    let methods: Vec<Value> = exchanges(two)
        .unwrap()
        .iter()
        .map(|e| e["request"]["method"].clone())
        .collect();
    assert_eq!(methods, ["GET", "PUT"], "in the order of the file");
    for nothing in ["{}", "[]", "no recording", "{\"exchanges\": 5}"] {
        assert!(exchanges(nothing).is_err(), "{nothing}");
    }
}
