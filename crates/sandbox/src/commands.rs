//! The lines to paste into another shell.

use azure_emulator::how_to;
use serde_json::{Value, json};

use crate::stack::{Stack, user_token};

/// The request of the how-to: a table, a mapping, the default consumer group.
pub(crate) fn request(name: &str) -> Value {
    json!({
        "name": name,
        "target": {
            "database": how_to::DATABASE,
            "table": "Events",
            "mapping": "EventsMapping",
            "dataFormat": "JSON"
        },
        "source": { "eventHub": { "resourceId": how_to::HUB1, "consumerGroup": "$Default" } },
        "justification": "Events of domain2.com, analysed in domain1.com"
    })
}

/// Create, follow and list, each one line, with fresh tokens.
///
/// # Errors
/// When the emulator can't make the tokens.
pub fn lines(stack: &Stack) -> anyhow::Result<Vec<String>> {
    let url = stack.url()?;
    let base = url.as_str().trim_end_matches('/');
    let actor = user_token(&stack.emulator, "acc1@domain1.com", how_to::DOMAIN1)?;
    let auxiliary = user_token(&stack.emulator, "acc2@domain2.com", how_to::DOMAIN2)?;
    let body = request("telemetry").to_string();
    Ok(vec![
        format!(
            "OPERATION=$(curl -sS -o /dev/stderr -w '%header{{operation-location}}' -H 'Authorization: Bearer {actor}' -H 'x-ms-authorization-auxiliary: Bearer {auxiliary}' -H 'Content-Type: application/json' -d '{body}' {base}/v1/connections)"
        ),
        format!("curl -sS -H 'Authorization: Bearer {actor}' \"{base}$OPERATION\""),
        format!("curl -sS -H 'Authorization: Bearer {actor}' {base}/v1/connections"),
    ])
}
