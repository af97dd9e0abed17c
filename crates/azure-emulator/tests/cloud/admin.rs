//! The admin API: tokens, the journal, the state, what is refused.

use std::time::Duration;

use azure_emulator::how_to::{CLUSTER, HUB1};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::browser::claims;
use crate::support::{Cloud, Reply, connection, event_hub_body, start};

pub(crate) fn url(cloud: &Cloud, path: &str) -> String {
    format!("{}{path}", cloud.emulator.admin_url())
}

impl Cloud {
    /// GET of the admin API.
    pub(crate) async fn admin(&self, path: &str) -> Reply {
        Reply::read(
            self.http
                .get(url(self, &format!("admin/{path}")))
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// POST of JSON to the admin API.
    pub(crate) async fn admin_post(&self, path: &str, body: &Value) -> Reply {
        let request = self.http.post(url(self, &format!("admin/{path}"))).json(body);
        Reply::read(request.send().await.unwrap()).await
    }

    pub(crate) async fn admin_delete(&self, path: &str) -> StatusCode {
        let request = self.http.delete(url(self, &format!("admin/{path}")));
        request.send().await.unwrap().status()
    }
}

#[tokio::test]
async fn a_script_mints_a_token_and_uses_it() {
    let cloud = start().await;
    let ask = json!({ "user": "acc1@domain1.com", "tenant": "domain1.com", "app": "portal", "api": "tenant-bridge",
        "scopes": ["Connections.Read"] });
    let reply = cloud.admin_post("token", &ask).await;
    assert!(reply.body["expiresIn"].as_u64().unwrap() >= 3600);
    let token = reply.body["accessToken"].as_str().unwrap();
    let exchanged = cloud.exchange("domain1.com", token).await;
    assert_eq!(exchanged.status, StatusCode::OK);
}

#[tokio::test]
async fn a_script_mints_a_token_of_a_better_sign_in() {
    let cloud = start().await;
    let ask = json!({ "user": "acc1@domain1.com", "tenant": "domain1.com", "app": "portal", "api": "tenant-bridge",
        "scopes": ["Connections.Read"], "clientCapabilities": ["cp1"], "contexts": ["p1", "c2"] });
    let reply = cloud.admin_post("token", &ask).await;
    let shown = claims(&reply.body["accessToken"]);
    assert_eq!(
        (&shown["acrs"], &shown["xms_cc"]),
        (&json!(["p1", "c2"]), &json!(["cp1"]))
    );
}

#[tokio::test]
async fn refusals_of_tokens_say_what_to_mend() {
    let cloud = start().await;
    let ask = |user: &str, tenant: &str, scopes: Value| {
        json!({ "user": user, "tenant": tenant, "app": "portal",
        "api": "tenant-bridge", "scopes": scopes })
    };
    for (body, part) in [
        (json!({}), "missing field"),
        (
            ask("acc9@nowhere.com", "domain1.com", json!([])),
            "there is no user",
        ),
        (
            ask("acc1@domain1.com", "domain2.com", json!([])),
            "user in that tenant",
        ),
        (ask("acc9@domain1.com", "domain1.com", json!([])), "disabled"),
        (
            ask("acc1@domain1.com", "domain1.com", json!(["x"])),
            "there is no scope",
        ),
    ] {
        let reply = cloud.admin_post("token", &body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        let text = reply.body["error"].as_str().unwrap();
        assert!(text.contains(part), "{text}");
        assert!(!reply.body["fix"].as_str().unwrap().is_empty());
    }
    let lost = cloud.admin("nothing").await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    assert!(lost.body["fix"].as_str().unwrap().contains("/admin/changes"));
}

#[tokio::test]
async fn the_journal_is_shown_without_secrets_and_can_be_emptied() {
    let cloud = start().await;
    cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let shown = cloud.admin("journal").await.body;
    let text = shown.to_string();
    for token in cloud.emulator.issued_tokens() {
        assert!(!text.contains(&token));
    }
    assert_eq!(shown["value"][0]["grant"]["issued"]["upn"], "acc1@domain1.com");
    assert_eq!(cloud.admin_delete("journal").await, StatusCode::NO_CONTENT);
    assert!(cloud.emulator.journal().entries().is_empty());
}

#[tokio::test]
async fn a_reader_of_the_journal_gets_each_call_once_and_waits_for_the_next() {
    let cloud = start().await;
    cloud.entra("common/discovery/keys").await;
    let first = cloud.admin("journal?after=0").await.body;
    let next = first["next"].as_u64().unwrap();
    assert_eq!(first["value"].as_array().unwrap().len(), 1);

    let nothing = cloud.admin(&format!("journal?after={next}")).await.body;
    assert_eq!((&nothing["value"], &nothing["next"]), (&json!([]), &json!(next)));

    let path = format!("journal?after={next}&wait=10&host=arm&status=4xx");
    let call = format!("{CLUSTER}?api-version=2024-04-13");
    let calls = async {
        cloud.entra("common/discovery/keys").await;
        cloud.arm(Method::GET, &call, &[], None).await;
    };
    let (waited, ()) = tokio::join!(cloud.admin(&path), calls);
    assert_eq!(waited.body["value"].as_array().unwrap().len(), 1);
    assert_eq!(waited.body["value"][0]["status"], 401);
    assert_eq!(
        waited.body["next"],
        next + 2,
        "the call that did not fit is not seen again either"
    );
}

#[tokio::test]
async fn a_slow_call_is_not_missed_by_who_has_read_the_quick_one_after_it() {
    let cloud = start().await;
    let slow = json!({ "host": "entra", "path": "keys", "latency": { "fixedMs": 300 } });
    cloud.admin_post("faults", &slow).await;
    let quick = async {
        let arrived = |entry: &azure_emulator::Entry| entry.path().contains("openid-configuration");
        cloud.entra("common/.well-known/openid-configuration").await;
        cloud
            .emulator
            .journal()
            .wait_for(arrived, Duration::from_secs(5))
            .await
            .unwrap();
        let read = cloud.admin("journal?after=0").await.body;
        let next = read["next"].as_u64().unwrap();
        cloud
            .admin(&format!("journal?after={next}&wait=10&path=discovery/keys"))
            .await
            .body
    };
    let (_, read) = tokio::join!(cloud.entra("common/discovery/keys"), quick);
    assert_eq!(read["value"].as_array().unwrap().len(), 1, "{read}");
}

#[tokio::test]
async fn a_parameter_that_the_journal_does_not_have_is_refused() {
    let cloud = start().await;
    for (query, place) in [
        ("since=1", "?since"),
        ("after=x", "?after"),
        ("host=graph", "?host"),
        ("wait=-1", "?wait"),
    ] {
        let reply = cloud.admin(&format!("journal?{query}")).await;
        assert_eq!(
            (reply.status, &reply.body["path"]),
            (StatusCode::BAD_REQUEST, &json!(place))
        );
    }
}

#[tokio::test]
async fn the_state_and_the_summary_tell_what_there_is_and_no_secrets() {
    let cloud = start().await;
    let token = cloud.arm_token("acc3@domain1.com", "domain1.com").await;
    let other = cloud.arm_token("acc3@domain1.com", "domain2.com").await;
    cloud
        .put(&token, &[&other], &connection("c1"), &event_hub_body(HUB1, "cg1"))
        .await;
    {
        let text = cloud.admin("state").await.body.to_string();
        assert!(text.contains("acc2@domain2.com") && text.contains("ns-domain2/eventhubs/hub1"));
        assert!(!text.contains("secret-of-the-emulator"));
        for secret in cloud.emulator.issued_tokens() {
            assert!(!text.contains(&secret));
        }
        let key = cloud.emulator.read(|world| {
            let namespace = &world.resources.namespaces[0];
            namespace.authorization_rules[0].key(&namespace.id, azure_emulator::resources::KeyKind::Primary)
        });
        assert!(!text.contains(&key));
    }
    let state = cloud.admin("state").await.body;
    let made = &state["dataConnections"][0];
    assert_eq!(
        (&made["createdBy"], &made["sourceTenant"]),
        (&json!("acc3@domain1.com"), &json!("domain2.com"))
    );
    assert_eq!(
        made["ingestion"],
        json!({ "flows": false, "reasons": ["notProvisioned"] })
    );
    assert_eq!(
        (&state["operations"][0]["kind"], &state["operations"][0]["status"]),
        (&json!("create"), &json!("Running"))
    );
    let roles = state["roleAssignments"].as_array().unwrap();
    assert!(
        roles
            .iter()
            .any(|role| role["principal"] == "acc1@domain1.com" && role["role"] == "Contributor")
    );
}

#[tokio::test]
async fn ingestion_is_told_for_all_data_connections_or_one() {
    let cloud = start().await;
    assert_eq!(cloud.admin("ingestion").await.body, json!({ "value": [] }));
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let body = event_hub_body(azure_emulator::how_to::LOCAL_HUB, "$Default");
    cloud.put(&token, &[], &connection("c1"), &body).await;
    cloud.finish_operations();
    let all = cloud.admin("ingestion").await.body;
    assert_eq!(
        (&all["value"][0]["flows"], &all["value"][0]["reasons"]),
        (&json!(true), &json!([]))
    );
    let id = all["value"][0]["id"].as_str().unwrap();
    let one = cloud
        .admin(&format!("ingestion?id={}", id.replace('$', "%24")))
        .await
        .body;
    assert_eq!(one, all);
    assert_eq!(
        cloud.admin("ingestion?id=/nothing").await.status,
        StatusCode::NOT_FOUND
    );
}
