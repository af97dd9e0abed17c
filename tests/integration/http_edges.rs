//! The edge of the service: every error is a problem, wherever it arises; headers that clients rely on; both versions of HTTP.

use std::time::Duration;

use azure_emulator::directory::{Membership, Tenant};
use azure_emulator::{MintUserToken, how_to};
use reqwest::{Client, Method, StatusCode};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tenant_bridge::domain::TenantId;

use crate::support::{Answer, App, request};

const NOWHERE: &str = "01900000-0000-7000-8000-000000000001";

#[track_caller]
fn has_the_headers_of_every_answer(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()));
}

#[tokio::test]
async fn a_path_or_an_id_that_does_not_exist_is_a_problem() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    for path in [
        "/v1",
        "/v2/connections",
        "/v1/connections/",
        "/v1//connections",
        "/V1/connections",
        "/v1/nothing?x=y",
        "/metrics",
        "/v1/connections/not-a-uuid",
        "/v1/connections/%FF",
        "/v1/connections/%2e%2e",
        "/v1/connections/not-a-uuid/events",
        &format!("/v1/connections/{}", NOWHERE.replace('-', "")),
        &format!("/v1/connections/%7B{NOWHERE}%7D"),
        &format!("/v1/operations/urn:uuid:{NOWHERE}"),
        "/v1/operations/not-a-uuid",
        &format!("/v1/connections/{NOWHERE}"),
        &format!("/v1/connections/{NOWHERE}/events"),
        &format!("/v1/operations/{NOWHERE}"),
        &format!("/v1/operations/{NOWHERE}/nothing"),
    ] {
        let answer = portal.get(path).await;
        answer.is_problem(404, "notFound");
        has_the_headers_of_every_answer(&answer);
    }
    // Without a token nothing is told of ids.
    for path in ["/v1/connections/not-a-uuid", &format!("/v1/operations/{NOWHERE}")] {
        app.portal().get(path).await.is_problem(401, "unauthenticated");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_a_problem_that_lists_those_it_takes() {
    let app = App::start().await;
    let brew = Method::from_bytes(b"BREW").expect("a method");
    let connection = format!("/v1/connections/{NOWHERE}");
    for (method, path, taken) in [
        (Method::DELETE, "/v1/connections".to_owned(), "GET HEAD POST"),
        (Method::OPTIONS, "/v1/connections".to_owned(), "GET HEAD POST"),
        (brew, "/v1/connections".to_owned(), "GET HEAD POST"),
        (Method::PUT, connection.clone(), "DELETE GET HEAD"),
        (Method::POST, format!("{connection}/events"), "GET HEAD"),
        (Method::DELETE, format!("/v1/operations/{NOWHERE}"), "GET HEAD"),
        (Method::POST, "/livez".to_owned(), "GET HEAD"),
        (Method::POST, "/openapi.json".to_owned(), "GET HEAD"),
        (Method::POST, "/openapi-3.0.json".to_owned(), "GET HEAD"),
    ] {
        let portal = app.portal();
        let answer = portal.send(portal.call(method.clone(), &path)).await;
        answer.is_problem(405, "methodNotAllowed");
        has_the_headers_of_every_answer(&answer);
        let mut allowed: Vec<&str> = answer
            .header("allow")
            .expect("Allow")
            .split(',')
            .map(str::trim)
            .collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(" "), taken, "{method} {path}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_plain_request_id_is_kept_and_any_other_is_replaced() {
    let app = App::start().await;
    let longest = "x".repeat(64);
    let sent = async |id: &[u8], path: &str| {
        let portal = app.portal();
        let call = portal.call(Method::GET, path).header("x-request-id", id);
        let answer = portal.send(call).await;
        answer.header("x-request-id").expect("an id").to_owned()
    };
    for path in ["/livez", "/nothing"] {
        for id in ["a", "portal-7.b_2", &longest] {
            assert_eq!(sent(id.as_bytes(), path).await, id);
        }
        for id in [
            "",
            "a b",
            "a\"b",
            "a,b",
            "a\tb",
            "<a>",
            "b\u{e4}",
            &format!("{longest}x"),
        ] {
            let made = sent(id.as_bytes(), path).await;
            assert!(uuid::Uuid::parse_str(&made).is_ok(), "{id}: {made}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn health_and_the_documents_are_open_to_all() {
    let app = App::start().await;
    for path in ["/livez", "/readyz", "/openapi.json", "/openapi-3.0.json"] {
        let answer = app.portal().get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        has_the_headers_of_every_answer(&answer);
    }
    app.finish().await;
}

#[tokio::test]
async fn answers_that_name_people_or_resources_are_kept_out_of_caches() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let id = created.text("/id");
    for answer in [
        portal.get("/v1/connections").await,
        portal.connection(id).await,
        portal.get(&format!("/v1/connections/{id}/events")).await,
        portal
            .get(created.header("operation-location").expect("a link"))
            .await,
        app.signed_in("acc4@domain1.com").connection(id).await,
        created,
    ] {
        has_the_headers_of_every_answer(&answer);
    }
    app.finish().await;
}

#[tokio::test]
async fn prefer_decides_how_long_an_answer_is_waited_for() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let streams = [
        (how_to::HUB1, "$Default"),
        (how_to::HUB1, "cg1"),
        (how_to::HUB1, "cg2"),
        (how_to::HUB2, "$Default"),
        (how_to::HUB2, "cg1"),
    ];
    let forms = [
        (None, 201),
        (Some("wait=0"), 202),
        (Some("return=minimal, respond-async"), 202),
        (Some("respond-async, wait=20"), 201),
        (Some("wait=soon, foo; bar=\"baz\""), 201),
    ];
    for (number, ((prefer, status), (hub, group))) in forms.into_iter().zip(streams).enumerate() {
        let mut body = request(&format!("telemetry-{number}"));
        body["source"]["eventHub"] = json!({ "resourceId": hub, "consumerGroup": group });
        let mut call = portal.call(Method::POST, "/v1/connections").json(&body);
        if let Some(prefer) = prefer {
            call = call.header("prefer", prefer);
        }
        let answer = portal.send(call).await;
        assert_eq!(answer.status, status, "{prefer:?}: {}", answer.body);
        let location = format!("/v1/connections/{}", answer.text("/id"));
        assert_eq!(answer.header("location"), Some(location.as_str()));
        let operation = format!("/v1/operations/{}", answer.text("/lastOperation/id"));
        assert_eq!(answer.header("operation-location"), Some(operation.as_str()));
        assert_eq!(answer.header("retry-after").is_some(), status == 202);
        portal.follow(answer.operation()).await;

        let remove = portal.without_auxiliary();
        let call = remove.call(Method::DELETE, &location);
        let status = if prefer == Some("wait=0") { 202 } else { 200 };
        let call = if status == 202 {
            call.header("prefer", "wait=0")
        } else {
            call
        };
        let removed = portal.send(call).await;
        assert_eq!(removed.status, status, "{}", removed.body);
        portal.follow(removed.operation()).await;
    }
    app.finish().await;
}

#[tokio::test]
async fn nobody_waits_longer_than_the_configuration_lets_them() {
    let app = App::with(|config| config.server.longest_wait = Duration::from_millis(100)).await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let answer = portal.create_waiting(&request("telemetry"), 4_000_000_000).await;
    assert_eq!((answer.status, answer.text("/state")), (202, "creating"));
    app.release_operations();
    portal.follow(answer.operation()).await;
    app.finish().await;
}

/// A user's token of some 6 KB, as a member of many groups has it.
fn large(app: &App, user: &str, tenant: &str) -> String {
    let groups = |token: &mut MintUserToken| {
        let groups: Vec<String> = (0..110).map(|_| uuid::Uuid::new_v4().to_string()).collect();
        token
            .overrides
            .extra_claims
            .insert("groups".to_owned(), json!(groups));
    };
    let token = app.odd_token(user, tenant, groups);
    assert!((6_000..8_000).contains(&token.len()), "{}", token.len());
    token
}

/// Clients of HTTP/1.1 and of HTTP/2 without TLS, as a proxy in front of the service speaks it.
#[expect(
    clippy::disallowed_methods,
    reason = "a client of the service, not one of its own"
)]
pub(crate) fn clients() -> [(http::Version, Client); 2] {
    let build = |builder: reqwest::ClientBuilder| builder.build().expect("a client");
    [
        (http::Version::HTTP_11, build(Client::builder().http1_only())),
        (
            http::Version::HTTP_2,
            build(Client::builder().http2_prior_knowledge()),
        ),
    ]
}

#[tokio::test]
async fn four_large_tokens_fit_into_the_headers_of_either_http() {
    const FOURTH: &str = "44444444-4444-4444-8444-444444444444";
    let tenants = [how_to::DOMAIN1, how_to::DOMAIN2, how_to::DOMAIN3, FOURTH];
    let app = App::with(|config| {
        let ids = tenants.map(|tenant| tenant.parse::<TenantId>().expect("a GUID"));
        config.tenants.users.extend(ids);
    })
    .await;
    // acc3@domain1.com is a guest of every tenant, and of a fourth one too.
    app.emulator
        .edit(|world| {
            world.directory.tenants.push(Tenant {
                id: FOURTH.to_owned(),
                name: "Domain 4".to_owned(),
                domains: vec!["domain4.com".to_owned()],
                requires_mfa: false,
            });
            let mut users = world.directory.users.iter_mut();
            let user = users
                .find(|user| user.is_called("acc3@domain1.com"))
                .expect("acc3");
            user.memberships.push(Membership {
                tenant_id: FOURTH.to_owned(),
                oid: "0acc0003-0000-4000-8000-000000000004".to_owned(),
                enabled: true,
            });
            world.provision("tenant-bridge", FOURTH)
        })
        .expect("the fourth tenant");
    let [first, others @ ..] = tenants.map(|tenant| large(&app, "acc3@domain1.com", tenant));
    let four = app
        .portal()
        .with_token(&first)
        .with_auxiliary(&others.join(", Bearer "));
    let two = app
        .portal()
        .with_token(&large(&app, "acc1@domain1.com", how_to::DOMAIN1))
        .with_auxiliary(&large(&app, "acc2@domain2.com", how_to::DOMAIN2));
    for (version, client) in clients() {
        let call = four.call(Method::GET, "/v1/connections").build().expect("a call");
        let answer = client.execute(call).await.expect("an answer");
        assert_eq!((answer.version(), answer.status()), (version, StatusCode::OK));
        let call = two
            .call(Method::POST, "/v1/connections")
            .json(&request("telemetry"));
        let answer = client
            .execute(call.build().expect("a call"))
            .await
            .expect("an answer");
        assert_eq!(answer.version(), version);
        let expected = if version == http::Version::HTTP_11 {
            201
        } else {
            200
        };
        assert_eq!(answer.status().as_u16(), expected);
    }
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn headers_that_are_too_large_together_are_a_problem_in_either_http() {
    let app = App::start().await;
    let portal = app.portal();
    let with = |size: usize| {
        let call = portal.call(Method::GET, "/livez");
        let call = call.header("x-one", "x".repeat(size / 2));
        call.header("x-other", "x".repeat(size / 2))
            .build()
            .expect("a call")
    };
    for (version, client) in clients() {
        for (size, status, kind) in [
            (95 * 1024, 200, "text/plain; charset=utf-8"),
            (96 * 1024, 431, "application/problem+json"),
            (120_000, 431, "application/problem+json"),
        ] {
            let answer = client.execute(with(size)).await.expect("an answer");
            assert_eq!((answer.version(), answer.status().as_u16()), (version, status));
            assert_eq!(answer.headers()["content-type"], kind, "{size}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn an_error_of_the_services_own_is_told_by_its_id_and_never_by_its_cause() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let mut owner = PgConnection::connect(app.database.owner_url.as_str())
        .await
        .expect("the owner connects");
    let mut run = async |statement: &'static str| {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut owner)
            .await
            .expect("the statement runs");
    };
    run("alter table people rename to mislaid").await;
    let id = created.text("/id");
    for path in ["/v1/connections".to_owned(), format!("/v1/connections/{id}")] {
        let call = portal.call(Method::GET, &path).header("x-request-id", "the-one");
        let answer = portal.send(call).await;
        answer.is_problem(500, "internal");
        assert_eq!(answer.text("/requestId"), "the-one");
        assert_eq!(answer.body["retryable"], false);
        let told = format!("{} {:?}", answer.body, answer.headers);
        for cause in [
            "people", "relation", "column", "sqlx", "Database", "postgres", "42P01",
        ] {
            assert!(!told.contains(cause), "{cause}: {told}");
        }
    }
    run("alter table mislaid rename to people").await;
    assert_eq!(portal.connection(id).await.status, 200);
    drop(owner);
    app.finish().await;
}
