//! One row for each refusal of the token endpoint: the cloud is made wrong in one respect, and everything that a client
//! may read of the answer is compared.

use std::pin::Pin;
use std::time::Duration;

use azure_emulator::directory::{PolicySpec, Requirement, Secret};
use azure_emulator::{Emulator, MintUserToken, Options, Seed, TokenOverrides, World, how_to};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{NaiveDateTime, TimeDelta};
use reqwest::Client;
use serde_json::{Value, json};

use crate::client_assertions::{EXCHANGE, TYPE, changed, registered, usual};
use crate::support::{Cloud, Reply};

const ACC1: &str = "acc1@domain1.com";
const CORRELATION: &str = "7b6ba9c1-3f1c-4b0f-9a3e-0e5a8c1d2f34";
const POLICY: &str = "9c0f5a3e-0d3b-4a52-8a55-7f0f7c3c2a11";

type Provoked<'a> = Pin<Box<dyn Future<Output = Reply> + 'a>>;

/// What a client reads, and how it comes about.
struct Row {
    code: u64,
    status: u16,
    error: &'static str,
    suberror: Option<&'static str>,
    /// The member of `claims` that names the policy.
    claims: Option<&'static str>,
    provoke: for<'a> fn(&'a Cloud) -> Provoked<'a>,
}

const fn row(code: u64, error: &'static str, provoke: for<'a> fn(&'a Cloud) -> Provoked<'a>) -> Row {
    Row {
        code,
        status: 400,
        error,
        suberror: None,
        claims: None,
        provoke,
    }
}

impl Row {
    const fn status(self, status: u16) -> Row {
        Row { status, ..self }
    }

    const fn suberror(self, suberror: &'static str) -> Row {
        Row {
            suberror: Some(suberror),
            ..self
        }
    }

    const fn claims(self, member: &'static str) -> Row {
        Row {
            claims: Some(member),
            ..self
        }
    }
}

const ROWS: &[Row] = &[
    row(50013, "invalid_grant", |cloud| {
        wrong_token(cloud, |token| token.unpublished_key = true)
    }),
    row(500131, "invalid_grant", |cloud| {
        Box::pin(async {
            let token = MintUserToken {
                api: "other-api".to_owned(),
                scopes: vec!["access_as_user".to_owned()],
                user: ACC1.to_owned(),
                tenant: "domain1.com".to_owned(),
                client_app: "portal".to_owned(),
                ..MintUserToken::default()
            };
            let token = cloud.emulator.mint_user_token(&token).unwrap();
            cloud.exchange("domain1.com", &token).await
        })
    }),
    row(500133, "invalid_grant", |cloud| {
        wrong_token(cloud, |token| token.expiry_offset = Some(TimeDelta::minutes(-10)))
    }),
    row(240002, "invalid_request", |cloud| {
        wrong_token(cloud, |token| token.id_token = true)
    }),
    row(65001, "invalid_grant", |cloud| {
        changed_world(cloud, |world| {
            world.revoke_consent("tenant-bridge", "domain1.com").unwrap();
        })
    })
    .suberror("consent_required"),
    row(50076, "invalid_grant", |cloud| {
        policy(cloud, Some(Requirement::Mfa), |_| {})
    })
    .suberror("basic_action")
    .claims("capolids"),
    // A tenant that asks for a second factor without any policy has none to name.
    row(50076, "invalid_grant", |cloud| {
        changed_world(cloud, |world| world.require_mfa("domain1.com", true).unwrap())
    })
    .suberror("basic_action"),
    row(50079, "interaction_required", |cloud| {
        cloud
            .emulator
            .edit(|world| world.set_mfa_enrolled(ACC1, false))
            .unwrap();
        policy(cloud, Some(Requirement::Mfa), |_| {})
    })
    .claims("polids"),
    row(50158, "interaction_required", |cloud| {
        policy(cloud, Some(Requirement::External), |_| {})
    })
    .suberror("basic_action")
    .claims("capolids"),
    row(53000, "interaction_required", |cloud| {
        policy(cloud, Some(Requirement::CompliantDevice), |_| {})
    })
    .suberror("message_only")
    .claims("capolids"),
    row(53003, "invalid_grant", |cloud| {
        policy(cloud, Some(Requirement::Block), |spec| spec.claims = Some(true))
    })
    .suberror("message_only")
    .claims("capolids"),
    row(53003, "invalid_grant", |cloud| {
        policy(cloud, Some(Requirement::Block), |_| {})
    })
    .suberror("message_only"),
    row(70043, "invalid_grant", |cloud| {
        Box::pin(async {
            let token = cloud.mint(ACC1, "domain1.com");
            cloud.emulator.clock().advance(Duration::from_secs(61));
            add_policy(cloud, None, |spec| spec.sign_in_frequency = Some(60));
            cloud.exchange("domain1.com", &token).await
        })
    })
    .suberror("token_expired"),
    row(50173, "invalid_grant", |cloud| {
        changed_world(cloud, |world| world.revoke_sessions(ACC1).unwrap())
    }),
    row(50133, "invalid_grant", |cloud| {
        changed_world(cloud, |world| world.change_password(ACC1).unwrap())
    }),
    row(50057, "invalid_grant", |cloud| {
        changed_world(cloud, |world| world.disable_user(ACC1).unwrap())
    }),
    row(50034, "invalid_grant", |cloud| {
        changed_world(cloud, |world| world.delete_user(ACC1).unwrap())
    }),
    row(50020, "invalid_grant", |cloud| {
        Box::pin(async {
            cloud
                .exchange("domain2.com", &cloud.mint(ACC1, "domain1.com"))
                .await
        })
    }),
    // A guest's token outlives the guest.
    row(50020, "invalid_grant", |cloud| {
        Box::pin(async {
            let guest = "acc3@domain1.com";
            let token = cloud.mint(guest, "domain2.com");
            cloud
                .emulator
                .edit(|world| world.remove_guest(guest, "domain2.com"))
                .unwrap();
            cloud.exchange("domain2.com", &token).await
        })
    }),
    row(90072, "invalid_grant", |cloud| {
        Box::pin(async {
            let strict = |world: &mut World| {
                world.add_policy(&PolicySpec {
                    tenant: "domain2.com".to_owned(),
                    guests: true,
                    requires: Some(Requirement::Mfa),
                    ..PolicySpec::default()
                })
            };
            cloud.emulator.edit(strict).unwrap();
            cloud
                .exchange("domain2.com", &cloud.mint(ACC1, "domain1.com"))
                .await
        })
    }),
    row(500011, "invalid_resource", |cloud| {
        fields(cloud, &[("scope", "https://vault.azure.net/.default")])
    }),
    row(700016, "unauthorized_client", |cloud| {
        changed_world(cloud, |world| {
            world.deprovision("tenant-bridge", "domain1.com").unwrap();
        })
    }),
    row(7000215, "invalid_client", |cloud| {
        fields(cloud, &[("client_secret", "guess")])
    })
    .status(401),
    row(7000222, "invalid_client", |cloud| {
        let expires = Some(cloud.emulator.clock().now());
        cloud.emulator.edit(|world| {
            let mut apps = world.directory.apps.iter_mut();
            let app = apps.find(|app| app.is_called("tenant-bridge")).unwrap();
            app.secrets.push(Secret {
                value: "of last year".to_owned(),
                expires,
            });
        });
        fields(cloud, &[("client_secret", "of last year")])
    })
    .status(401),
    row(700027, "invalid_client", |cloud| {
        client_assertion(cloud, json!({ "alg": "RS256", "x5t": "bm90aGluZw" }), json!({}))
    })
    .status(401),
    row(700024, "invalid_client", |cloud| {
        let ago = cloud.emulator.clock().now().timestamp() - 3600;
        client_assertion(cloud, json!({}), json!({ "nbf": ago - 600, "exp": ago }))
    })
    .status(401),
    row(70021, "invalid_client", |cloud| {
        let body = json!({ "iss": "https://issuer.example/", "sub": "workload", "aud": EXCHANGE });
        client_assertion(cloud, json!({ "alg": "RS256", "x5t": null }), body)
    })
    .status(401),
    row(70011, "invalid_scope", |cloud| {
        fields(cloud, &[("scope", "nonsense")])
    }),
    row(90002, "invalid_request", |cloud| {
        Box::pin(async {
            let nowhere = "99999999-9999-4999-8999-999999999999";
            cloud.exchange(nowhere, &cloud.mint(ACC1, "domain1.com")).await
        })
    }),
    row(900023, "invalid_request", |cloud| {
        Box::pin(async { cloud.exchange("nowhere", &cloud.mint(ACC1, "domain1.com")).await })
    }),
    row(50196, "invalid_grant", |cloud| {
        Box::pin(async {
            let token = cloud.mint(ACC1, "domain1.com");
            for _ in 0..14 {
                assert_eq!(cloud.exchange("domain1.com", &token).await.status, 200);
            }
            cloud.exchange("domain1.com", &token).await
        })
    }),
];

/// An exchange with a token that is wrong.
fn wrong_token(cloud: &Cloud, wrong: fn(&mut TokenOverrides)) -> Provoked<'_> {
    let mut overrides = TokenOverrides::default();
    wrong(&mut overrides);
    Box::pin(async {
        cloud
            .exchange("domain1.com", &cloud.mint_wrong(ACC1, "domain1.com", overrides))
            .await
    })
}

/// An exchange of a good token in a world that was changed after it was made.
fn changed_world(cloud: &Cloud, change: fn(&mut World)) -> Provoked<'_> {
    Box::pin(async move {
        let token = cloud.mint(ACC1, "domain1.com");
        cloud.emulator.edit(change);
        cloud.exchange("domain1.com", &token).await
    })
}

/// A policy on ARM's tokens, and an exchange that does not meet it.
fn policy(cloud: &Cloud, requires: Option<Requirement>, more: fn(&mut PolicySpec)) -> Provoked<'_> {
    add_policy(cloud, requires, more);
    changed_world(cloud, |_| {})
}

fn add_policy(cloud: &Cloud, requires: Option<Requirement>, more: fn(&mut PolicySpec)) {
    let mut spec = PolicySpec {
        tenant: "domain1.com".to_owned(),
        name: "Management".to_owned(),
        id: Some(POLICY.to_owned()),
        resources: vec!["azure-resource-manager".to_owned()],
        requires,
        ..PolicySpec::default()
    };
    more(&mut spec);
    cloud.emulator.edit(|world| world.add_policy(&spec)).unwrap();
}

/// An exchange with other fields.
fn fields<'a>(cloud: &'a Cloud, changes: &'static [(&'static str, &'static str)]) -> Provoked<'a> {
    Box::pin(async {
        let token = cloud.mint(ACC1, "domain1.com");
        cloud.exchange_with("domain1.com", &token, changes).await
    })
}

/// An exchange of an app with a certificate, whose assertion has these members instead of the usual ones.
fn client_assertion(cloud: &Cloud, head: Value, body: Value) -> Provoked<'_> {
    Box::pin(async move {
        let (key, sha1, _) = registered(cloud);
        let usual_head = json!({ "alg": "RS256", "x5t": URL_SAFE_NO_PAD.encode(sha1) });
        let head = changed(&usual_head, &head);
        let proof = key.sign(&head, &changed(&usual(cloud), &body)).unwrap();
        let changes = [
            ("client_secret", ""),
            ("client_assertion_type", TYPE),
            ("client_assertion", &proof),
        ];
        let token = cloud.mint(ACC1, "domain1.com");
        let reply = cloud.exchange_with("domain1.com", &token, &changes).await;
        assert!(!reply.body.to_string().contains(&proof));
        reply
    })
}

/// A cloud whose client sends a correlation id.
async fn correlated() -> Cloud {
    let emulator = Emulator::start(Seed::how_to(), Options::default()).await.unwrap();
    let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
    let headers = [
        ("client-request-id", CORRELATION),
        ("return-client-request-id", "true"),
    ];
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let builder = Client::builder()
        .tls_certs_only([ca])
        .default_headers(headers.into_iter().collect());
    Cloud {
        emulator,
        http: builder.build().unwrap(),
    }
}

#[tokio::test]
async fn every_refusal_says_what_its_row_says() {
    for row in ROWS {
        let cloud = correlated().await;
        let reply = (row.provoke)(&cloud).await;
        compare(row, &cloud, &reply);
        cloud.emulator.stop().await;
    }
}

fn compare(row: &Row, cloud: &Cloud, reply: &Reply) {
    let (code, body) = (row.code, &reply.body);
    assert_eq!(reply.status.as_u16(), row.status, "{code}: {body}");
    assert_eq!(body["error"], row.error, "{body}");
    assert_eq!(body["error_codes"], json!([code]), "{body}");
    assert_eq!(body["suberror"].as_str(), row.suberror, "{body}");
    // `claims` is JSON in a text.
    let claims = body["claims"].as_str();
    let claims = claims.map(|text| serde_json::from_str::<Value>(text).unwrap());
    let expected = row
        .claims
        .map(|member| json!({ "access_token": { member: { "essential": true, "values": [POLICY] } } }));
    assert_eq!(claims, expected, "{body}");

    let (trace, time) = (text(body, "trace_id"), text(body, "timestamp"));
    uuid::Uuid::parse_str(trace).unwrap();
    assert_eq!(reply.header("x-ms-request-id"), trace);
    assert_eq!(body["correlation_id"], CORRELATION);
    assert_eq!(reply.header("client-request-id"), CORRELATION);
    let stamp = NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%SZ").unwrap();
    let age = cloud.emulator.clock().now().naive_utc() - stamp;
    assert!(age >= TimeDelta::zero() && age < TimeDelta::seconds(60), "{time}");
    let uri = format!("{}error?code={code}", cloud.emulator.entra_url());
    assert_eq!(body["error_uri"], uri.as_str());

    let description = text(body, "error_description");
    let rest = description.strip_prefix(&format!("AADSTS{code}: ")).unwrap();
    let trailer = format!(" Trace ID: {trace} Correlation ID: {CORRELATION} Timestamp: {time}");
    let message = rest.strip_suffix(&trailer);
    assert!(
        message.is_some_and(|message| message.ends_with(['.', '\'', ']'])),
        "{description}"
    );
    for token in cloud.emulator.issued_tokens() {
        let part = token.split('.').nth(1).unwrap_or(&token);
        assert!(!description.contains(part), "{code}");
    }
    assert!(!description.contains(how_to::TENANT_BRIDGE_SECRET));
    let members: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let known =
        "claims correlation_id error error_codes error_description error_uri suberror timestamp trace_id";
    assert!(
        members.iter().all(|name| known.split(' ').any(|k| k == *name)),
        "{body}"
    );
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap()
}
