//! The page for people, and who is kept out.

use std::time::Duration;

use azure_emulator::how_to::HUB1;
use reqwest::{Certificate, Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::admin::url;
use crate::support::{Cloud, connection, event_hub_body, start};

/// A browser's way of asking: HTTP/1.1 with any headers.
fn browser(cloud: &Cloud) -> Client {
    let ca = Certificate::from_pem(cloud.emulator.ca_pem().as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([ca]).http1_only();
    client.timeout(Duration::from_secs(10)).build().unwrap()
}

async fn page(cloud: &Cloud, path: &str) -> String {
    let reply = cloud.http.get(url(cloud, path)).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK, "{path}");
    reply.text().await.unwrap()
}

/// The texts that stand between the two.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let parts = text.split(before).skip(1);
    parts
        .filter_map(|part| part.split_once(after))
        .map(|(found, _)| found)
        .collect()
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The members that a script reads of what it calls by this name.
fn members<'a>(script: &'a str, name: &str) -> Vec<&'a str> {
    let places = script.match_indices(name);
    let found = places.filter_map(|(at, _)| {
        let (before, after) = script.split_at(at);
        let after = after.strip_prefix(name)?;
        let member = after.strip_prefix("?.").or_else(|| after.strip_prefix('.'))?;
        let whole = !before.ends_with(|c| is_of_word(c) || c == '.' || c == '"');
        let member = member.split(|c| !is_of_word(c)).next().unwrap();
        (whole && !member.is_empty()).then_some(member)
    });
    found.collect()
}

/// What the page's script calls things, and where they stand in the answers that it reads.
const THINGS: &[(&str, &str)] = &[
    ("state", "/state"),
    ("connection", "/state/dataConnections/0"),
    ("properties", "/state/dataConnections/0/properties"),
    ("flow", "/state/dataConnections/0/ingestion"),
    ("tenant", "/state/tenants/0"),
    ("policy", "/state/policies/0"),
    ("user", "/state/users/0"),
    ("membership", "/state/users/0/memberships/0"),
    ("group", "/state/groups/0"),
    ("consent", "/state/consents/0"),
    ("app", "/state/apps/0"),
    ("given", "/state/roleAssignments/0"),
    ("namespace", "/state/namespaces/0"),
    ("hub", "/state/namespaces/0/eventHubs/0"),
    ("rule", "/state/namespaces/0/authorizationRules/0"),
    ("cluster", "/state/clusters/0"),
    ("database", "/state/clusters/0/databases/0"),
    ("fault", "/faults/value/0"),
    ("entry", "/journal/value/0"),
    ("token", "/journal/value/0/grant/issued"),
    ("auxiliary", "/journal/value/1/auxiliary/0"),
];

#[tokio::test]
async fn the_api_has_everything_that_the_page_shows() {
    let cloud = start().await;
    let arm = cloud.arm_token("acc3@domain1.com", "domain1.com").await;
    let other = cloud.arm_token("acc3@domain1.com", "domain2.com").await;
    let mut body = event_hub_body(HUB1, "cg1");
    body["properties"]["tableName"] = json!("Events");
    body["properties"]["mappingRuleName"] = json!("EventsMapping");
    cloud.put(&arm, &[&other], &connection("c1"), &body).await;
    let changes = json!([
        { "addPolicy": { "tenant": "domain1.com", "name": "phones", "requires": "mfa" } },
        { "addGroup": { "tenant": "domain1.com", "name": "engineers" } },
    ]);
    cloud.admin_post("changes", &changes).await;
    let fault =
        json!({ "host": "arm", "method": "PUT", "effect": "resetAfter", "latency": { "fixedMs": 1 } });
    cloud.admin_post("faults", &fault).await;
    let mut journal = cloud.admin("journal").await.body;
    let calls = journal["value"].as_array_mut().unwrap();
    calls.retain(|call| call["grant"] != Value::Null || call["auxiliary"] != json!([]));
    calls.drain(..calls.len() - 2);
    let answers = json!({
        "state": cloud.admin("state").await.body,
        "faults": cloud.admin("faults").await.body,
        "journal": journal,
    });
    let script = page(&cloud, "page.js").await;
    let mut read = 0;
    for (name, place) in THINGS {
        let thing = answers.pointer(place).unwrap_or_else(|| panic!("{place}"));
        for member in members(&script, name) {
            assert!(thing.get(member).is_some(), "{name}.{member}: {place} is {thing}");
            read += 1;
        }
    }
    assert!(read > 90, "{read}");
    let text = answers.to_string();
    for secret in cloud.emulator.issued_tokens() {
        assert!(!text.contains(&secret));
    }
}

#[tokio::test]
async fn every_button_of_the_page_is_a_change_that_there_is() {
    let cloud = start().await;
    let catalogue = cloud.admin("changes").await.body;
    let script = page(&cloud, "page.js").await;
    let buttons = between(&script, "change(\"", "}");
    assert!(buttons.len() >= 15, "{}", buttons.len());
    for button in buttons {
        let (name, sent) = button.split_once("\", {").unwrap();
        let known = catalogue[name].as_array().unwrap_or_else(|| panic!("{name}"));
        let known: Vec<&str> = known.iter().map(|member| member.as_str().unwrap()).collect();
        let sent = sent
            .split(',')
            .map(|member| member.split(':').next().unwrap().trim());
        for member in sent.filter(|member| !member.is_empty()) {
            let optional = format!("{member}?");
            assert!(
                known.contains(&member) || known.contains(&&*optional),
                "{name}: {member} of {known:?}"
            );
        }
    }
    let hindrances = between(&script, "HINDRANCES = {", "};")[0];
    for reason in [
        "keyNotCurrent",
        "tableMissing",
        "notProvisioned",
        "localAuthDisabled",
    ] {
        assert!(hindrances.contains(&format!("{reason}:")), "{reason}");
    }
}

#[tokio::test]
async fn the_form_offers_faults_that_the_api_takes() {
    let cloud = start().await;
    let html = page(&cloud, "").await;
    let choices = between(&html, "<option value='", "'");
    assert!(choices.len() > 10);
    for choice in &choices {
        let text = choice.replace("&lt;", "<");
        let mut fault: Value = serde_json::from_str(&text).unwrap();
        for (name, value) in [("host", json!("arm")), ("path", json!("/x")), ("times", json!(2))] {
            fault[name] = value;
        }
        let reply = cloud.admin_post("faults", &fault).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{fault} {}", reply.body);
    }
    let listed = cloud.admin("faults").await.body;
    assert_eq!(listed["value"].as_array().unwrap().len(), choices.len());
}

#[tokio::test]
async fn a_reader_that_wants_the_youngest_calls_gets_those_and_what_follows() {
    let cloud = start().await;
    for _ in 0..3 {
        cloud.entra("common/discovery/keys").await;
    }
    let young = cloud.admin("journal?last=2").await.body;
    let numbers: Vec<&Value> = young["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| &call["sequence"])
        .collect();
    assert_eq!((numbers, &young["next"]), (vec![&json!(2), &json!(3)], &json!(3)));
    let wrong = cloud.admin("journal?last=x").await;
    assert_eq!(
        (wrong.status, &wrong.body["path"]),
        (StatusCode::BAD_REQUEST, &json!("?last"))
    );
}

/// What turns text into markup or code.
const MARKUP: &[&str] = &[
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "createContextualFragment",
    "document.write",
    "eval(",
    "srcdoc",
];

#[tokio::test]
async fn what_clients_send_is_shown_as_text() {
    let script = page(&start().await, "page.js").await;
    for way in MARKUP {
        assert!(!script.contains(way), "{way}");
    }
    assert!(script.contains("made.append(...content.flat())"));
}

#[tokio::test]
async fn the_page_may_load_nothing_from_elsewhere_and_be_framed_by_nobody() {
    let cloud = start().await;
    let reply = cloud.http.get(url(&cloud, "")).send().await.unwrap();
    let policy = reply.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"));
    let html = reply.text().await.unwrap();
    for inline in ["style=", "<style", "<script>", " onclick", "http:", "//cdn"] {
        assert!(!html.contains(inline), "{inline}");
    }
    for (file, content_type) in [("style.css", "text/css"), ("page.js", "text/javascript")] {
        assert!(html.contains(&format!("\"/{file}\"")), "{file}");
        let reply = cloud.http.get(url(&cloud, file)).send().await.unwrap();
        assert!(
            reply.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with(content_type)
        );
    }
}

type Asked = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    u16,
);

/// Method, path, headers (name, value; the listener's own origin is `$OWN`), and the answer's status.
const KEPT_OUT: &[Asked] = &[
    ("GET", "admin/state", &[("host", "evil.example")], 403),
    ("GET", "", &[("host", "evil.example:8445")], 403),
    ("GET", "page.js", &[("host", "evil.example")], 403),
    ("GET", "calls", &[], 404),
    ("GET", "", &[("host", "localhost.evil.example")], 403),
    ("GET", "", &[("host", "127.0.0.1:1")], 200),
    ("POST", "admin/changes", &[("host", "evil.example"), JSON], 403),
    ("POST", "admin/changes", &[("content-type", "text/plain")], 415),
    (
        "POST",
        "admin/changes",
        &[("content-type", "application/x-www-form-urlencoded")],
        415,
    ),
    ("POST", "admin/changes", &[], 415),
    ("POST", "admin/faults", &[("content-type", "text/plain")], 415),
    (
        "POST",
        "admin/changes",
        &[JSON, ("origin", "https://evil.example")],
        403,
    ),
    ("POST", "admin/changes", &[JSON, ("origin", "null")], 403),
    (
        "POST",
        "admin/changes",
        &[JSON, ("sec-fetch-site", "cross-site")],
        403,
    ),
    (
        "DELETE",
        "admin/journal",
        &[("origin", "https://evil.example")],
        403,
    ),
    ("DELETE", "admin/faults", &[("sec-fetch-site", "same-site")], 403),
    (
        "OPTIONS",
        "admin/changes",
        &[("origin", "https://evil.example")],
        403,
    ),
    (
        "POST",
        "admin/changes",
        &[JSON, ("origin", "$OWN"), ("sec-fetch-site", "same-origin")],
        200,
    ),
    (
        "POST",
        "admin/changes",
        &[("content-type", "application/json; charset=utf-8")],
        200,
    ),
];

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn other_sites_and_other_names_are_kept_out() {
    let cloud = start().await;
    let (client, own) = (browser(&cloud), url(&cloud, ""));
    let change = json!({ "disableUser": { "user": "acc1@domain1.com" } });
    for (method, path, headers, expected) in KEPT_OUT {
        let asked = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = client.request(asked, url(&cloud, path)).body(change.to_string());
        for (name, value) in *headers {
            request = request.header(*name, value.replace("$OWN", own.trim_end_matches('/')));
        }
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status().as_u16(), *expected, "{method} {path} {headers:?}");
        assert!(
            reply
                .headers()
                .keys()
                .all(|name| !name.as_str().starts_with("access-control"))
        );
    }
}
