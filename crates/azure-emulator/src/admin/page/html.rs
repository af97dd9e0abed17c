//! Pieces of HTML. What comes from outside is escaped here or by whoever puts it in.

use serde_json::{Value, json};

use super::super::state::State;
pub(super) use crate::entra::escape;

/// A whole page.
pub(super) fn frame(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"stylesheet\" href=\"/style.css\"><script src=\"/page.js\" defer></script></head>\n\
         <body><h1>{title}</h1>\n{body}\n\
         <footer>This is an emulator: no account and no data here is real.</footer></body></html>\n"
    )
}

/// A section that links can name.
pub(super) fn section(id: &str, title: &str, body: &str) -> String {
    format!(
        "<section id=\"{id}\"><h2>{}</h2>\n{body}</section>\n",
        escape(title)
    )
}

/// A table; cells are HTML. Each cell carries its column's name, for windows too narrow for columns.
pub(super) fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let head: String = columns
        .iter()
        .map(|name| format!("<th>{}</th>", escape(name)))
        .collect();
    let rows: String = rows.iter().map(|cells| row(columns, cells)).collect();
    format!("<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>\n")
}

pub(super) fn row(columns: &[&str], cells: &[String]) -> String {
    let cells = columns.iter().zip(cells);
    let cells =
        cells.map(|(name, cell)| format!("<td data-label=\"{}\"><div>{cell}</div></td>", escape(name)));
    format!("<tr>{}</tr>\n", cells.collect::<String>())
}

/// A table, or a sentence when there is nothing to show.
pub(super) fn table_or(none: &str, columns: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return format!("<p class=\"none\">{}</p>", escape(none));
    }
    table(columns, rows)
}

/// A form of buttons, each of which is a change; back to the section afterwards.
pub(super) fn form(token: &str, back: &str, body: &str) -> String {
    form_to("/changes", token, back, body)
}

pub(super) fn form_to(action: &str, token: &str, back: &str, body: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
         <input type=\"hidden\" name=\"back\" value=\"{back}\">{body}</form>",
        escape(token)
    )
}

/// A sentence about the switches below it.
pub(super) fn hint(text: &str) -> String {
    format!("<p class=\"hint\">{}</p>", escape(text))
}

/// A button that makes a change.
pub(super) fn button(label: &str, change: &Value) -> String {
    let change = escape(&change.to_string());
    format!(
        "<button name=\"change\" value=\"{change}\">{}</button>",
        escape(label)
    )
}

/// Small text below the main one.
pub(super) fn small(text: &str) -> String {
    format!("<small>{}</small>", escape(text))
}

/// The last segments of a resource id: `adx1/telemetry` of a database's.
pub(super) fn short(id: &str, segments: usize) -> String {
    let names: Vec<&str> = id.rsplit('/').step_by(2).take(segments).collect();
    names.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// Addresses, the clock, and where to find the sections.
pub(super) fn summary(state: &State, token: &str) -> String {
    let links = [
        ("connections", "Data connections"),
        ("calls", "Calls"),
        ("faults", "Faults"),
        ("tenants", "Tenants"),
        ("policies", "Conditional Access"),
        ("users", "Users"),
        ("groups", "Groups"),
        ("consents", "Consents"),
        ("apps", "Apps"),
        ("roles", "Roles"),
        ("hubs", "Event hubs"),
        ("clusters", "Clusters"),
    ];
    let links: String = links
        .iter()
        .map(|(id, name)| format!("<a href=\"#{id}\">{name}</a> "))
        .collect();
    let now = state.now.get(..19).unwrap_or(&state.now).replace('T', " ");
    let clock = ["+ 1 hour", "+ 1 day"].into_iter().zip([3600, 86_400]);
    let clock: String = clock
        .map(|(label, seconds)| button(label, &json!({ "advanceClock": { "seconds": seconds } })))
        .collect();
    let clock = form(token, "", &format!("{} UTC {clock}", escape(&now)));
    let keys = [
        button("Rotate", &json!({ "rotateSigningKey": {} })),
        button("Retire the old ones", &json!({ "retireSigningKeys": {} })),
    ];
    let published = state.settings.signing_keys.len();
    let keys = form(token, "", &format!("{published} published {}", keys.concat()));
    format!(
        "<dl><dt>Login host</dt><dd><code>{}</code></dd><dt>Azure Resource Manager</dt><dd><code>{}</code></dd>\
         <dt>Clock</dt><dd>{clock}</dd><dt>Signing keys</dt><dd>{keys}</dd></dl><nav>{links}</nav>\n",
        escape(&state.entra),
        escape(&state.arm),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_text() {
        let hostile = "<script>'\"&";
        assert!(!table_or(hostile, &[], &[]).contains("<script>"));
        let shown = button(hostile, &json!({ "x": hostile }));
        assert_eq!(shown.matches('<').count(), 2, "{shown}");
        assert_eq!(shown.matches('"').count(), 4, "{shown}");
    }

    #[test]
    fn ids_are_shortened_to_their_names() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kusto/clusters/adx1/databases/db/dataConnections/c";
        assert_eq!(short(id, 1), "c");
        assert_eq!(short(id, 3), "adx1/db/c");
    }
}
