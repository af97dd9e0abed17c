//! Faults in force, and a form for the usual ones.

use serde_json::{Value, json};

use super::super::faults as api;
use super::super::refusal::Refusal;
use super::html::{escape, form_to, section as part, table_or};
use crate::exchange::{find, set};
use crate::fault::Faults;

pub(super) fn section(installed: &[Value], token: &str) -> String {
    let text = |fault: &Value, member: &str| {
        let value = fault.get(member).cloned().unwrap_or_default();
        escape(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let rows: Vec<Vec<String>> = installed
        .iter()
        .map(|fault| {
            let method = fault.get("method").and_then(Value::as_str).unwrap_or("any");
            let times = fault
                .get("times")
                .map_or_else(|| "always".to_owned(), Value::to_string);
            let effect = [("effect", fault.get("effect")), ("latency", fault.get("latency"))];
            let effect = effect.iter().filter_map(|(_, value)| value.map(Value::to_string));
            vec![
                text(fault, "host"),
                escape(method),
                format!("<code>{}</code>", text(fault, "path")),
                format!("{} of {times}", text(fault, "met")),
                format!("<code>{}</code>", escape(&effect.collect::<Vec<_>>().join(" "))),
            ]
        })
        .collect();
    let columns = ["Host", "Method", "Path contains", "Met", "Effect"];
    let shown = table_or("None.", &columns, &rows);
    let clear = "<button name=\"clear\" value=\"yes\" formnovalidate>Take all away</button>";
    let clear = if rows.is_empty() { "" } else { clear };
    let fields = format!(
        "<label>Host <select name=\"host\"><option value=\"arm\">ARM</option>\
         <option value=\"entra\">login</option></select></label>\
         <label>Method <select name=\"method\"><option value=\"\">any</option>{}</select></label>\
         <label>Path contains <input name=\"path\" placeholder=\"/dataConnections/\"></label>\
         <label>Times <input name=\"times\" type=\"number\" min=\"1\" value=\"1\"></label>\
         <label>Effect <select name=\"what\">{}</select></label>\
         <button>Put it there</button> {clear}",
        methods(),
        usual()
    );
    let form = form_to(
        "/faults",
        token,
        "faults",
        &format!("<div class=\"fields\">{fields}</div>"),
    );
    part("faults", "Faults", &format!("{shown}{form}"))
}

fn methods() -> String {
    let methods = ["GET", "PUT", "PATCH", "POST", "DELETE"];
    methods
        .iter()
        .map(|method| format!("<option>{method}</option>"))
        .collect()
}

fn usual() -> String {
    let answer = |status: u16, after: &str| json!({ "effect": { "answer": { "status": status, "headers": { "retry-after": after } } } });
    let choices = [
        ("503, retry after 5 s", answer(503, "5")),
        ("429, retry after 10 s", answer(429, "10")),
        (
            "500 after the effect",
            json!({ "effect": { "answerAfter": { "status": 500 } } }),
        ),
        ("line cut before the effect", json!({ "effect": "resetBefore" })),
        ("line cut after the effect", json!({ "effect": "resetAfter" })),
        (
            "no answer at all, no effect",
            json!({ "effect": "silenceBefore" }),
        ),
        (
            "no answer at all after the effect",
            json!({ "effect": "silenceAfter" }),
        ),
        (
            "line cut within the body",
            json!({ "effect": { "truncate": { "keepBytes": 20 } } }),
        ),
        (
            "a proxy’s HTML for a body",
            json!({ "effect": { "body": {
            "body": "<html>Bad gateway</html>", "contentType": "text/html" } } }),
        ),
        (
            "no operation URLs",
            json!({ "effect": { "headers": {
            "remove": ["location", "azure-asyncoperation"] } } }),
        ),
        (
            "operation URLs of another host",
            json!({ "effect": { "foreignUrls": {
            "origin": "https://elsewhere.example" } } }),
        ),
        ("5 s slower", json!({ "latency": { "fixedMs": 5000 } })),
        (
            "as slow as a bad day",
            json!({ "latency": { "percentilesMs": {
            "50": 80, "95": 900, "99": 4000, "100": 12000 } } }),
        ),
        (
            "body drips, 16 bytes a time",
            json!({ "effect": { "drip": { "chunkBytes": 16, "pauseMs": 100 } } }),
        ),
    ];
    let option = |(name, value): &(&str, Value)| {
        format!(
            "<option value=\"{}\">{}</option>",
            escape(&value.to_string()),
            escape(name)
        )
    };
    choices.iter().map(option).collect()
}

/// What the form asks for.
pub(super) fn submitted(faults: &Faults, form: &[(String, String)]) -> Result<(), Refusal> {
    let field = |name: &str| find(form, |known| known == name).unwrap_or_default();
    if field("clear") == "yes" {
        faults.clear();
        return Ok(());
    }
    let mut request: Value = serde_json::from_str(field("what"))
        .map_err(|error| Refusal::bad("what", error.to_string(), api::FIX))?;
    set(&mut request, "host", json!(field("host")));
    set(&mut request, "path", json!(field("path")));
    if !field("method").is_empty() {
        set(&mut request, "method", json!(field("method")));
    }
    let times: u32 =
        (field("times").parse()).map_err(|_| Refusal::bad("times", "no number", "a number from 1 on"))?;
    set(&mut request, "times", json!(times));
    api::put_value(faults, &request)
}
