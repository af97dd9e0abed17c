//! Apps that prove themselves with a certificate or a federated credential.

use azure_emulator::{ClientKey, how_to};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use chrono::Utc;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::browser::claims;
use crate::refusals::refusal;
use crate::support::{ARM_SCOPE, Cloud, Reply, start};

pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub(crate) const EXCHANGE: &str = "api://AzureADTokenExchange";
const ISSUER: &str = "https://issuer.example/";

/// An app's own token, asked for with an assertion.
async fn prove(cloud: &Cloud, assertion: &str) -> Reply {
    let fields = [
        ("client_id", how_to::TENANT_BRIDGE),
        ("client_secret", ""),
        ("grant_type", "client_credentials"),
        ("scope", ARM_SCOPE),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    cloud.token("domain1.com", &fields).await
}

/// A key whose certificate is registered on the service's app, and that certificate's hashes.
pub(crate) fn registered(cloud: &Cloud) -> (ClientKey, Vec<u8>, Vec<u8>) {
    let key = ClientKey::rsa("tenant-bridge").unwrap();
    cloud
        .emulator
        .edit(|world| world.add_certificate("tenant-bridge", key.certificate_pem()))
        .unwrap();
    let (sha1, sha256) = cloud.emulator.read(|world| {
        let app = world.directory.app("tenant-bridge").unwrap();
        (
            app.certificates[0].sha1.clone(),
            app.certificates[0].sha256.clone(),
        )
    });
    (key, sha1, sha256)
}

fn endpoint(cloud: &Cloud, tenant: &str) -> String {
    format!("{}{tenant}/oauth2/v2.0/token", cloud.emulator.entra_url())
}

/// The claims that a library writes.
pub(crate) fn usual(cloud: &Cloud) -> Value {
    let now = cloud.emulator.clock().now().timestamp();
    json!({
        "aud": endpoint(cloud, "domain1.com"), "iss": how_to::TENANT_BRIDGE, "sub": how_to::TENANT_BRIDGE,
        "jti": "b8f5b1de-44a7-4a6a-a6ba-6e0a3f0d7a4b", "nbf": now, "iat": now, "exp": now + 600,
    })
}

/// The same with members replaced; null takes one away.
pub(crate) fn changed(base: &Value, changes: &Value) -> Value {
    let mut changed = base.clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            changed.as_object_mut().unwrap().remove(name);
        } else {
            changed[name] = value.clone();
        }
    }
    changed
}

#[tokio::test]
async fn a_certificate_is_found_and_times_are_read_however_a_library_writes_them() {
    let cloud = start().await;
    let (key, sha1, sha256) = registered(&cloud);
    let usual = usual(&cloud);
    let exp = usual["exp"].as_i64().unwrap();
    let headers = [
        json!({ "alg": "RS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(&sha1) }),
        json!({ "alg": "RS256", "typ": "JWT", "x5t": URL_SAFE.encode(&sha1) }),
        json!({ "alg": "RS256", "x5t": STANDARD.encode(&sha1) }),
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(&sha256), "x5c": ["abc", "def"] }),
        json!({ "alg": "PS256", "x5t#S256": STANDARD.encode(&sha256), "x5c": "abc", "kid": "whatever" }),
        json!({ "alg": "RS256", "x5t": "bm90aGluZw", "x5t#S256": URL_SAFE.encode(&sha256) }),
    ];
    let bodies = [
        json!({}),
        json!({ "nbf": null, "iat": null, "jti": null }),
        json!({ "exp": exp.to_string(), "nbf": (exp - 600).to_string() }),
        json!({ "exp": exp as f64 + 0.25, "nbf": exp as f64 - 600.5 }),
        json!({ "aud": [endpoint(&cloud, how_to::DOMAIN1)] }),
        json!({ "aud": endpoint(&cloud, how_to::DOMAIN1).replace("/v2.0", "") }),
    ];
    for header in &headers {
        for body in &bodies {
            let assertion = key.sign(header, &changed(&usual, body)).unwrap();
            let reply = prove(&cloud, &assertion).await;
            assert_eq!(reply.status, StatusCode::OK, "{header} {body}: {:?}", reply.body);
            assert_eq!(claims(&reply.body["access_token"])["appidacr"], "2");
        }
    }
}

#[tokio::test]
async fn the_login_host_is_at_home_under_both_names_of_its_certificate() {
    let cloud = start().await;
    let (key, sha1, _) = registered(&cloud);
    let header = json!({ "alg": "RS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(&sha1) });
    for (host, taken) in [("localhost", true), ("127.0.0.1", true), ("127.0.0.2", false)] {
        let audience = endpoint(&cloud, "domain1.com").replace("localhost", host);
        let claims = changed(&usual(&cloud), &json!({ "aud": audience }));
        let reply = prove(&cloud, &key.sign(&header, &claims).unwrap()).await;
        assert_eq!(reply.status == StatusCode::OK, taken, "{host}: {:?}", reply.body);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_certificates_assertion_has_a_number() {
    let cloud = start().await;
    let (key, sha1, _) = registered(&cloud);
    let other = ClientKey::rsa("other").unwrap();
    let usual = usual(&cloud);
    let now = usual["nbf"].as_i64().unwrap();
    let x5t = URL_SAFE_NO_PAD.encode(&sha1);
    let header = json!({ "alg": "RS256", "x5t": x5t });
    let elsewhere = endpoint(&cloud, "domain2.com");
    for (who, head, body, code) in [
        (&key, json!({ "x5t": "bm90aGluZw" }), json!({}), 700027),
        (&key, json!({ "x5t": null }), json!({}), 700027),
        (&other, json!({}), json!({}), 700027),
        (&key, json!({ "alg": "PS384" }), json!({}), 700027),
        (&key, json!({ "alg": "none" }), json!({}), 700027),
        (&key, json!({}), json!({ "sub": how_to::PORTAL }), 700021),
        (&key, json!({}), json!({ "iss": how_to::PORTAL }), 700021),
        (&key, json!({}), json!({ "aud": elsewhere }), 700023),
        (
            &key,
            json!({}),
            json!({ "aud": "https://login.microsoftonline.com/" }),
            700023,
        ),
        (&key, json!({}), json!({ "aud": null }), 700023),
        (&key, json!({}), json!({ "exp": now - 301 }), 700024),
        (&key, json!({}), json!({ "exp": null }), 700024),
        (
            &key,
            json!({}),
            json!({ "nbf": now + 900, "exp": now + 1000 }),
            700024,
        ),
    ] {
        let assertion = who
            .sign(&changed(&header, &head), &changed(&usual, &body))
            .unwrap();
        let reply = prove(&cloud, &assertion).await;
        assert_eq!(
            refusal(&reply),
            (401, "invalid_client", code, None),
            "{head} {body}"
        );
    }
    assert_eq!(
        refusal(&prove(&cloud, "no.jwt").await),
        (400, "invalid_request", 50027, None)
    );
    cloud.emulator.edit(|world| {
        let yesterday = Utc::now() - chrono::TimeDelta::days(1);
        let apps = &mut world.directory.apps;
        let app = apps.iter_mut().find(|app| app.name == "tenant-bridge").unwrap();
        app.certificates[0].not_after = yesterday;
    });
    let reply = prove(&cloud, &key.sign(&header, &usual).unwrap()).await;
    assert_eq!(refusal(&reply).2, 1000502);
}

#[tokio::test]
async fn a_certificate_with_an_elliptic_key_is_of_no_use() {
    let cloud = start().await;
    let key = ClientKey::elliptic("tenant-bridge").unwrap();
    cloud
        .emulator
        .edit(|world| world.add_certificate("tenant-bridge", key.certificate_pem()))
        .unwrap();
    let thumbprint = cloud.emulator.read(|world| {
        world.directory.app("tenant-bridge").unwrap().certificates[0]
            .sha1
            .clone()
    });
    let header = json!({ "alg": "ES256", "x5t": URL_SAFE_NO_PAD.encode(thumbprint) });
    let reply = prove(&cloud, &key.sign(&header, &usual(&cloud)).unwrap()).await;
    assert_eq!(refusal(&reply), (401, "invalid_client", 700027, None));
    let text = reply.body["error_description"].as_str().unwrap();
    assert!(
        text.contains("unsupported asymmetric signing algorithm"),
        "{text}"
    );
}

#[tokio::test]
async fn a_request_must_say_what_its_proof_is_or_bring_one() {
    let cloud = start().await;
    let base = [
        ("client_id", how_to::TENANT_BRIDGE),
        ("client_secret", ""),
        ("grant_type", "client_credentials"),
        ("scope", ARM_SCOPE),
    ];
    for (fields, expected) in [
        (&[][..], (401, 7000216)),
        (&[("client_assertion", "a.b.c")], (400, 900144)),
        (
            &[
                ("client_assertion", "a.b.c"),
                ("client_assertion_type", "password"),
            ],
            (400, 90023),
        ),
    ] {
        let reply = cloud.token("domain1.com", &[&base, fields].concat()).await;
        let (status, _, code, _) = refusal(&reply);
        assert_eq!((status, code), expected, "{fields:?}");
    }
}

/// An issuer outside of the cloud whose tokens for one workload stand for the service's app.
fn federated(cloud: &Cloud) -> ClientKey {
    let key = ClientKey::rsa("issuer").unwrap();
    cloud.emulator.edit(|world| {
        world.trust_issuer(ISSUER, &key.jwks("k1")).unwrap();
        for issuer in [ISSUER, "https://unreachable.example/"] {
            world
                .add_federated_credential("tenant-bridge", issuer, "system:workload:Bridge", EXCHANGE)
                .unwrap();
        }
    });
    key
}

#[tokio::test]
async fn another_issuers_token_stands_for_the_app_when_all_three_names_fit() {
    let cloud = start().await;
    let key = federated(&cloud);
    let other = ClientKey::rsa("other").unwrap();
    let now = cloud.emulator.clock().now().timestamp();
    let usual = json!({ "iss": ISSUER, "sub": "system:workload:Bridge", "aud": EXCHANGE, "exp": now + 600 });
    let header = json!({ "alg": "RS256", "kid": "k1" });
    for (who, head, body, expected) in [
        (&key, json!({}), json!({}), None),
        (
            &key,
            json!({ "alg": "PS256" }),
            json!({ "aud": [EXCHANGE, "x"] }),
            None,
        ),
        (
            &key,
            json!({}),
            json!({ "iss": "https://issuer.example" }),
            Some(700211),
        ),
        (
            &key,
            json!({}),
            json!({ "sub": "system:workload:other" }),
            Some(700213),
        ),
        (
            &key,
            json!({}),
            json!({ "sub": "system:workload:bridge" }),
            Some(7002138),
        ),
        (
            &key,
            json!({}),
            json!({ "aud": "api://azureadtokenexchange" }),
            Some(700212),
        ),
        (&key, json!({}), json!({ "exp": now - 301 }), Some(700024)),
        (&key, json!({ "kid": "k2" }), json!({}), Some(700027)),
        (&other, json!({}), json!({}), Some(700027)),
        (
            &key,
            json!({}),
            json!({ "iss": "https://unreachable.example/" }),
            Some(50166),
        ),
    ] {
        let assertion = who
            .sign(&changed(&header, &head), &changed(&usual, &body))
            .unwrap();
        let reply = prove(&cloud, &assertion).await;
        let got = (reply.status != StatusCode::OK).then(|| {
            let (status, error, code, _) = refusal(&reply);
            assert_eq!((status, error), (401, "invalid_client"), "{head} {body}");
            code
        });
        assert_eq!(got, expected, "{head} {body}");
    }
}

#[tokio::test]
async fn an_app_without_federated_credentials_is_70021() {
    let cloud = start().await;
    let key = ClientKey::rsa("issuer").unwrap();
    let body = json!({ "iss": ISSUER, "sub": "x", "aud": EXCHANGE });
    let assertion = key.sign(&json!({ "alg": "RS256", "kid": "k1" }), &body).unwrap();
    assert_eq!(
        refusal(&prove(&cloud, &assertion).await),
        (401, "invalid_client", 70021, None)
    );
}

#[tokio::test]
async fn a_managed_identitys_token_stands_for_the_app_in_every_tenant() {
    let cloud = start().await;
    let subject = cloud.emulator.edit(|world| {
        let portal = world.directory.app("portal").unwrap();
        let subject = portal.principal_in(how_to::DOMAIN1).unwrap().to_owned();
        let issuer = format!("{}{}/v2.0", cloud.emulator.entra_url(), how_to::DOMAIN1);
        world
            .add_federated_credential("tenant-bridge", &issuer, &subject, EXCHANGE)
            .unwrap();
        subject
    });
    let fields = [
        ("grant_type", "client_credentials"),
        (
            "scope",
            "api://AzureADTokenExchange/.default openid offline_access",
        ),
    ];
    let identity = cloud.token("domain1.com", &fields).await;
    let identity = identity.body["access_token"].as_str().unwrap();
    assert_eq!(claims(&json!(identity))["sub"], subject);
    let fields = [
        ("client_secret", ""),
        ("client_assertion_type", TYPE),
        ("client_assertion", identity),
    ];
    let assertion = cloud.mint("acc3@domain1.com", "domain1.com");
    for tenant in ["domain1.com", "domain2.com"] {
        let reply = cloud.exchange_with(tenant, &assertion, &fields).await;
        assert_eq!(reply.status, StatusCode::OK, "{tenant}: {:?}", reply.body);
        assert_eq!(claims(&reply.body["access_token"])["appidacr"], "2");
    }
    let person = cloud.mint("acc1@domain1.com", "domain1.com");
    let sub = claims(&json!(person))["sub"].as_str().unwrap().to_owned();
    cloud.emulator.edit(|world| {
        let issuer = format!("{}{}/v2.0", cloud.emulator.entra_url(), how_to::DOMAIN1);
        world
            .add_federated_credential("tenant-bridge", &issuer, &sub, how_to::TENANT_BRIDGE)
            .unwrap();
    });
    assert_eq!(
        refusal(&prove(&cloud, &person).await),
        (401, "invalid_client", 700229, None)
    );
}
