//! Tenants, users, apps, consents.

use serde_json::json;

use super::super::state::{State, Tenant, User};
use super::html::{button, escape, form, hint, section, small, table_or};

pub(super) fn sections(state: &State, token: &str) -> String {
    [
        tenants(state, token),
        policies(state, token),
        users(state, token),
        groups(state),
        consents(state, token),
        apps(state),
    ]
    .concat()
}

fn tenants(state: &State, token: &str) -> String {
    let rows: Vec<Vec<String>> = state
        .tenants
        .iter()
        .map(|tenant| {
            let administrators = match tenant.administrators.as_slice() {
                [] => "everybody in it".to_owned(),
                named => named.join(", "),
            };
            vec![
                format!(
                    "<strong>{}</strong> {}",
                    escape(&tenant.domains.join(", ")),
                    small(&tenant.name)
                ),
                format!("<code>{}</code>", escape(&tenant.id)),
                escape(&administrators),
                demand(tenant),
            ]
        })
        .collect();
    let shown = table_or(
        "None.",
        &["Tenant", "Id", "Consents for everyone", "Second factor"],
        &rows,
    );
    section("tenants", "Tenants", &form(token, "tenants", &shown))
}

fn demand(tenant: &Tenant) -> String {
    let (told, label) = if tenant.requires_mfa {
        (
            "<b class=\"mixed\">demanded of everyone</b> ",
            "Demand it no more",
        )
    } else {
        ("", "Demand it of everyone")
    };
    let change = json!({ "requireMfa": { "tenant": tenant.id, "required": !tenant.requires_mfa } });
    format!("{told}{}", button(label, &change))
}

fn policies(state: &State, token: &str) -> String {
    let rows: Vec<Vec<String>> = state
        .policies
        .iter()
        .map(|policy| {
            let all = |named: &[String], all: &str| match named {
                [] => escape(all),
                named => escape(&named.join(", ")),
            };
            let whom = match (policy.principals.is_empty(), policy.guests) {
                (true, true) => "guests".to_owned(),
                (_, true) => format!("guests, {}", all(&policy.principals, "")),
                (_, false) => all(&policy.principals, "everybody"),
            };
            let age = policy.sign_in_frequency_seconds;
            let age = age.map(|age| format!("a sign-in younger than {age} s"));
            let asks = policy.requires.map(str::to_owned);
            let asks: Vec<String> = asks.into_iter().chain(age).collect();
            vec![
                format!(
                    "<strong>{}</strong> {}",
                    escape(&policy.name),
                    small(&policy.tenant)
                ),
                whom,
                all(&policy.resources, "everything"),
                escape(&asks.join(", ")),
                button("Remove", &json!({ "removePolicy": { "policy": policy.id } })),
            ]
        })
        .collect();
    let columns = ["Policy", "Means", "For calls to", "Asks for", "Switch"];
    let shown = table_or("None.", &columns, &rows);
    section("policies", "Conditional Access", &form(token, "policies", &shown))
}

fn groups(state: &State) -> String {
    let rows: Vec<Vec<String>> = state
        .groups
        .iter()
        .map(|group| {
            vec![
                format!("<strong>{}</strong> {}", escape(&group.name), small(&group.id)),
                escape(&group.tenant),
                escape(&group.members.join(", ")),
            ]
        })
        .collect();
    section(
        "groups",
        "Groups",
        &table_or("None.", &["Group", "In tenant", "Members"], &rows),
    )
}

fn users(state: &State, token: &str) -> String {
    let rows: Vec<Vec<String>> = state.users.iter().map(user).collect();
    let shown = table_or("None.", &["User", "In", "Sessions", "Switches"], &rows);
    section("users", "Users", &form(token, "users", &shown))
}

fn user(user: &User) -> Vec<String> {
    let memberships = user.memberships.iter().map(|membership| {
        let kind = if membership.guest { " as a guest" } else { "" };
        format!(
            "<div>{}{kind} {}</div>",
            escape(&membership.tenant),
            small(&membership.oid)
        )
    });
    let sessions = match &user.sessions_revoked {
        None => String::new(),
        Some(at) => format!("revoked {}", at.get(..19).unwrap_or(at).replace('T', " ")),
    };
    let named = json!({ "user": user.upn });
    let switch = if user.enabled {
        button("Disable", &json!({ "disableUser": named }))
    } else {
        button("Enable", &json!({ "enableUser": named }))
    };
    let state = if user.enabled {
        ""
    } else {
        " <b class=\"bad\">disabled</b>"
    };
    vec![
        format!(
            "<strong>{}</strong>{state} {}",
            escape(&user.upn),
            small(&user.name)
        ),
        memberships.collect(),
        escape(&sessions),
        format!(
            "{} {switch}",
            button("Revoke sessions", &json!({ "revokeSessions": named }))
        ),
    ]
}

fn consents(state: &State, token: &str) -> String {
    let rows: Vec<Vec<String>> = state
        .consents
        .iter()
        .map(|consent| {
            let change = json!({ "revokeConsent": { "app": consent.app, "tenant": consent.tenant } });
            vec![
                format!("<strong>{}</strong>", escape(&consent.app)),
                escape(&consent.tenant),
                format!(
                    "{} {}",
                    escape(&consent.resource),
                    small(&consent.scopes.join(" "))
                ),
                escape(consent.user.as_deref().unwrap_or("everyone")),
                button("Revoke", &change),
            ]
        })
        .collect();
    let columns = ["App", "In tenant", "May call", "For", "Switch"];
    let shown = table_or("None.", &columns, &rows);
    let told = hint("Revoking takes everything that the app was given in that tenant.");
    section(
        "consents",
        "Consents",
        &format!("{told}{}", form(token, "consents", &shown)),
    )
}

fn apps(state: &State) -> String {
    let rows: Vec<Vec<String>> = state
        .apps
        .iter()
        .map(|app| {
            let credentials = [
                (app.secrets, "secret"),
                (app.certificates.len(), "certificate"),
                (app.federated_credentials.len(), "federated"),
            ];
            let credentials: Vec<String> = credentials
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, kind)| format!("{count} {kind}"))
                .collect();
            vec![
                format!(
                    "<strong>{}</strong> <code>{}</code>",
                    escape(&app.name),
                    escape(&app.client_id)
                ),
                escape(&app.scopes.join(" ")),
                escape(&app.provisioned_in.join(" ")),
                escape(&credentials.join(", ")),
            ]
        })
        .collect();
    section(
        "apps",
        "Apps",
        &table_or("None.", &["App", "Scopes", "In tenants", "Credentials"], &rows),
    )
}
