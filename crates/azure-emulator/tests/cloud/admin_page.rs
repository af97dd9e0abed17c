//! The page for people, its forms, and who is kept out.

use std::time::Duration;

use azure_emulator::how_to::{HUB1, NAMESPACE};
use reqwest::{Certificate, Client, Method, StatusCode, redirect};
use serde_json::json;

use crate::admin::url;
use crate::support::{Cloud, connection, event_hub_body, start};

/// A browser's way of asking: HTTP/1.1 with any headers, and redirects shown instead of followed.
fn browser(cloud: &Cloud) -> Client {
    let ca = Certificate::from_pem(cloud.emulator.ca_pem().as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([ca]).http1_only();
    client
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

async fn page(cloud: &Cloud, path: &str) -> String {
    let reply = cloud.http.get(url(cloud, path)).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK, "{path}");
    reply.text().await.unwrap()
}

fn token(html: &str) -> String {
    let (_, rest) = html.split_once("name=\"token\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// Every change that a button of the page makes.
fn buttons(html: &str) -> Vec<String> {
    let values = html.split("<button name=\"change\" value=\"").skip(1);
    values
        .map(|rest| rest.split_once('"').unwrap().0.replace("&quot;", "\""))
        .collect()
}

#[tokio::test]
async fn the_page_shows_the_cloud_and_whether_data_flows() {
    let cloud = start().await;
    let arm = cloud.arm_token("acc3@domain1.com", "domain1.com").await;
    let other = cloud.arm_token("acc3@domain1.com", "domain2.com").await;
    cloud
        .put(&arm, &[&other], &connection("c1"), &event_hub_body(HUB1, "cg1"))
        .await;
    cloud.finish_operations();
    let html = page(&cloud, "").await;
    for part in [
        "acc2@domain2.com",
        "ns-domain2/hub1",
        "cg1 of domain2.com",
        "adx1/telemetry",
        ">flows<",
        "tenant-bridge",
        "Azure Event Hubs Data Owner",
        "jwt-bearer",
        "dataConnections/c1",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for secret in cloud.emulator.issued_tokens() {
        assert!(!html.contains(&secret));
    }
    assert!(!html.contains("secret-of-the-emulator"));
    cloud
        .admin_post("changes", &json!({ "rotateHubKey": { "namespace": NAMESPACE } }))
        .await;
    let shown = page(&cloud, "connections").await;
    assert!(
        shown.contains("stands still") && shown.contains("The key was rotated"),
        "{shown}"
    );
}

#[tokio::test]
async fn every_button_of_the_page_does_what_it_says() {
    let cloud = start().await;
    let made = json!({ "addDataConnection": { "id": connection("c1").split('?').next().unwrap(), "properties": {
        "eventHubResourceId": HUB1, "consumerGroup": "cg1" } } });
    cloud.admin_post("changes", &made).await;
    let html = page(&cloud, "").await;
    let changes = buttons(&html);
    assert!(changes.len() > 30, "{}", changes.len());
    // Roles first: they name object ids of people whom other buttons disable.
    for change in changes {
        let form = [
            ("token", token(&html)),
            ("back", "roles".into()),
            ("change", change.clone()),
        ];
        let reply = browser(&cloud)
            .post(url(&cloud, "changes"))
            .form(&form)
            .send()
            .await
            .unwrap();
        assert_eq!(
            (reply.status(), &reply.headers()["location"]),
            (StatusCode::SEE_OTHER, &"/#roles".parse().unwrap()),
            "{change}"
        );
    }
    let state = cloud.admin("state").await.body;
    assert_eq!(
        (
            &state["roleAssignments"],
            &state["consents"],
            &state["dataConnections"]
        ),
        (&json!([]), &json!([]), &json!([]))
    );
    assert_eq!(state["namespaces"][0]["localAuthEnabled"], false);
}

#[tokio::test]
async fn the_form_puts_each_usual_fault_there_and_takes_all_away() {
    let cloud = start().await;
    let html = page(&cloud, "").await;
    let choices = html
        .split_once("<select name=\"what\">")
        .unwrap()
        .1
        .split_once("</select>")
        .unwrap()
        .0;
    let choices: Vec<String> = choices
        .split("<option value=\"")
        .skip(1)
        .map(|rest| {
            rest.split_once('"')
                .unwrap()
                .0
                .replace("&quot;", "\"")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
        })
        .collect();
    assert!(choices.len() > 10);
    let send = async |fields: &[(&str, &str)]| {
        let reply = browser(&cloud)
            .post(url(&cloud, "faults"))
            .form(fields)
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), StatusCode::SEE_OTHER, "{fields:?}");
    };
    let token = token(&html);
    for what in &choices {
        send(&[
            ("token", &token),
            ("host", "arm"),
            ("method", "PUT"),
            ("path", "/x"),
            ("times", "2"),
            ("what", what),
        ])
        .await;
    }
    let listed = cloud.admin("faults").await.body;
    assert_eq!(listed["value"].as_array().unwrap().len(), choices.len());
    assert!(page(&cloud, "").await.contains("0 of 2"));
    send(&[("token", &token), ("clear", "yes")]).await;
    assert_eq!(cloud.admin("faults").await.body, json!({ "value": [] }));
}

#[tokio::test]
async fn the_journal_grows_on_the_page_row_by_row() {
    let cloud = start().await;
    let html = page(&cloud, "").await;
    assert!(html.contains("data-next=\"0\""));
    let request = cloud.http.get(url(&cloud, "rows?after=0&wait=10")).send();
    let (reply, _) = tokio::join!(request, cloud.entra("common/discovery/keys"));
    let reply = reply.unwrap();
    assert_eq!(reply.headers()["x-next"], "1");
    let row = reply.text().await.unwrap();
    assert!(
        row.starts_with("<tr>") && row.contains("/common/discovery/keys"),
        "{row}"
    );
    let one = page(&cloud, "calls/1").await;
    assert!(one.contains("&quot;pathAndQuery&quot;"));
    assert!(page(&cloud, "calls").await.contains("discovery/keys"));
    let none = cloud.http.get(url(&cloud, "calls/2")).send().await.unwrap();
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_clients_send_is_shown_as_text() {
    let cloud = start().await;
    let hostile = "<script>alert(1)</script>";
    cloud.entra(&format!("{hostile}/x?state=<b>\"")).await;
    let fault =
        json!({ "host": "arm", "path": hostile, "effect": { "answer": { "status": 500, "body": hostile } } });
    cloud.admin_post("faults", &fault).await;
    let guest =
        json!({ "addFederatedCredential": { "app": "portal", "issuer": hostile, "subject": hostile } });
    cloud.admin_post("changes", &guest).await;
    for path in ["", "calls", "rows?after=0", "calls/1"] {
        let html = page(&cloud, path).await;
        assert!(
            !html.contains("<script>alert") && !html.contains("<b>\""),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_page_may_load_nothing_from_elsewhere_and_be_framed_by_nobody() {
    let cloud = start().await;
    for path in ["", "calls"] {
        let reply = cloud.http.get(url(&cloud, path)).send().await.unwrap();
        let policy = reply.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        let html = reply.text().await.unwrap();
        for inline in ["style=", "<style", "<script>", " onclick"] {
            assert!(!html.contains(inline), "{inline}");
        }
    }
    assert!(page(&cloud, "style.css").await.contains("body"));
    assert!(page(&cloud, "page.js").await.contains("fetch"));
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

#[tokio::test]
async fn a_form_without_the_pages_token_changes_nothing() {
    let cloud = start().await;
    let change = json!({ "disableUser": { "user": "acc1@domain1.com" } }).to_string();
    for token in [None, Some(""), Some("guessed")] {
        let mut form = vec![("change", change.as_str())];
        form.extend(token.map(|token| ("token", token)));
        for path in ["changes", "faults"] {
            let reply = browser(&cloud)
                .post(url(&cloud, path))
                .form(&form)
                .send()
                .await
                .unwrap();
            assert_eq!(reply.status(), StatusCode::FORBIDDEN);
            assert!(reply.text().await.unwrap().contains("open the page again"));
        }
    }
    let state = cloud.admin("state").await.body;
    assert_eq!(state["users"][0]["enabled"], true);
    let html = page(&cloud, "").await;
    let wrong = [
        ("token", token(&html)),
        ("change", "{\"disableUser\":{\"user\":\"<i>\"}}".into()),
    ];
    let reply = browser(&cloud)
        .post(url(&cloud, "changes"))
        .form(&wrong)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
    assert!(
        reply
            .text()
            .await
            .unwrap()
            .contains("there is no user &quot;&lt;i&gt;&quot;")
    );
}
