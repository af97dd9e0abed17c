//! Every `fix` that names a role, a consent, a registration or a setting, and every `url`, followed at the emulated Azure: the
//! same request then succeeds.

mod follow;
mod page;

use azure_emulator::how_to;
use http::Method;
use serde_json::json;

use crate::support::{Answer, App, Portal, allowing, request};
use follow::{Helper, PUBLIC_URL, Request, account};

/// A service that can give links.
async fn linked() -> App {
    App::with(|config| {
        config.server.public_url = PUBLIC_URL.parse().ok();
        // What was missing a moment ago is asked for anew.
        config.visibility.denied_for = std::time::Duration::from_nanos(1);
    })
    .await
}

fn portal(app: &App, actor: &str, auxiliary: Option<&str>) -> Portal {
    let portal = app.signed_in(actor);
    match auxiliary {
        Some(other) => portal.with_auxiliary(&app.token(other, how_to::DOMAIN2)),
        None => portal,
    }
}

/// What is missing: tenant, kind, fix, and the link if there is one.
fn missing(answer: &Answer) -> Vec<(String, String, String, Option<String>)> {
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let items = answer.body["missing"].as_array().expect("what is missing");
    let item = |item: &serde_json::Value| {
        let of = |member: &str| text(&item[member]).expect(member);
        (of("tenant"), of("kind"), of("fix"), text(&item["url"]))
    };
    items.iter().map(item).collect()
}

/// Follows all that is said to be missing, and nothing else.
async fn follow(app: &App, answer: &Answer, actor: &str, auxiliary: Option<&str>) {
    answer.is_problem(403, "accessMissing");
    let helper = Helper::of(app);
    for (tenant, kind, fix, url) in missing(answer) {
        match (kind.as_str(), url) {
            ("role", None) => helper.give_role(&fix, account(&tenant, actor, auxiliary)).await,
            ("consent", Some(url)) => {
                let administrator = match tenant == how_to::DOMAIN1 {
                    true => "acc7@domain1.com",
                    false => "acc8@domain2.com",
                };
                let page = helper.consent(&url, administrator).await;
                assert!(
                    page.contains("Consent was given") && page.contains(&tenant),
                    "{page}"
                );
            }
            ("membership" | "token", None) if fix.contains("have the user invited") => {
                helper
                    .change(json!({ "addGuest": { "user": actor, "tenant": tenant } }))
                    .await;
            }
            other => panic!("{other:?}: {fix}"),
        }
    }
}

/// Who asks, what is done to them before, and how often something must be followed until all is there.
type Case = (
    &'static str,
    Option<&'static str>,
    &'static [(&'static str, &'static str)],
    usize,
);

const ACC2: Option<&str> = Some("acc2@domain2.com");

/// Members of a change that takes something away.
const NOTHING: &[(&str, &str)] = &[];
const CONSENT_1: (&str, &str) = ("revokeConsent", "domain1.com");
const CONSENT_2: (&str, &str) = ("revokeConsent", "domain2.com");
const APP_2: (&str, &str) = ("deprovision", "domain2.com");

#[tokio::test]
async fn whoever_follows_every_fix_of_a_refused_create_can_make_it() {
    let cases: [Case; 9] = [
        ("acc4@domain1.com", ACC2, NOTHING, 1),
        ("acc1@domain1.com", Some("acc8@domain2.com"), NOTHING, 1),
        ("acc4@domain1.com", Some("acc8@domain2.com"), NOTHING, 1),
        ("acc5@domain1.com", None, NOTHING, 1),
        ("acc6@domain1.com", None, NOTHING, 1),
        // An invitation first, and then a role for the guest.
        ("acc4@domain1.com", None, NOTHING, 2),
        ("acc1@domain1.com", ACC2, &[CONSENT_2], 1),
        ("acc1@domain1.com", ACC2, &[CONSENT_1, CONSENT_2], 1),
        // A consent first, and then the role that its token shows to be missing.
        ("acc6@domain1.com", None, &[APP_2], 2),
    ];
    for (actor, auxiliary, before, rounds) in cases {
        let app = linked().await;
        for (change, tenant) in before {
            let change = json!({ *change: { "app": "tenant-bridge", "tenant": tenant } });
            Helper::of(&app).change(change).await;
        }
        let create = Request::create("telemetry");
        let portal = portal(&app, actor, auxiliary);
        for _ in 0..rounds {
            let refused = create.send(&portal).await;
            follow(&app, &refused, actor, auxiliary).await;
        }
        let created = create.send(&portal).await;
        assert_eq!(created.status, 201, "{actor} {before:?}: {}", created.body);
        app.finish().await;
    }
}

#[tokio::test]
async fn whoever_follows_the_fix_of_a_refused_removal_can_remove() {
    let app = linked().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    let remove = Request {
        method: Method::DELETE,
        path: format!("/v1/connections/{}", created.text("/id")),
        body: None,
    };
    // They may read it at Azure, and no more.
    let actor = "acc6@domain1.com";
    let portal = portal(&app, actor, None);
    let refused = remove.send(&portal).await;
    follow(&app, &refused, actor, None).await;
    let removed = remove.send(&portal).await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    app.finish().await;
}

#[tokio::test]
async fn whoever_follows_the_fix_of_a_refusal_to_go_on_can_go_on() {
    let app = linked().await;
    let actor = "acc3@domain1.com";
    let portal = portal(&app, actor, None);
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app.as_owner(&format!(
        "update operations set phase = 'queued', awaiting_tenant_id = '{}', due_at = now() + interval '1 day',
            deadline_at = now() + interval '1 day'",
        how_to::DOMAIN1
    ))
    .await;
    // It was never made, and its requester has lost both roles.
    app.emulator
        .edit(|world| world.remove_data_connection(&crate::support::data_connection("telemetry")))
        .expect("a data connection");
    let helper = Helper::of(&app);
    for scope in [how_to::CLUSTER, how_to::NAMESPACE] {
        helper
            .change(json!({ "revokeRoles": { "principal": actor, "scope": scope } }))
            .await;
    }
    let go_on = Request {
        method: Method::POST,
        path: format!("/v1/operations/{}/continue", created.text("/lastOperation/id")),
        body: None,
    };
    let refused = go_on.send(&portal).await;
    follow(&app, &refused, actor, None).await;
    let gone_on = go_on.send(&portal).await;
    assert!(matches!(gone_on.status, 200 | 202), "{}", gone_on.body);
    portal.follow(created.operation()).await;
    app.all_have_ended().await;
    app.finish().await;
}

#[tokio::test]
async fn a_missing_token_is_mended_by_sending_it() {
    let app = linked().await;
    let create = Request::create("telemetry");
    let refused = create.send(&app.signed_in("acc1@domain1.com")).await;
    let (tenant, kind, fix, _) = missing(&refused).remove(0);
    assert_eq!((tenant.as_str(), kind.as_str()), (how_to::DOMAIN2, "token"));
    assert!(fix.contains("x-ms-authorization-auxiliary"), "{fix}");
    let created = create.send(&app.how_to_portal()).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app.finish().await;
}

#[tokio::test]
async fn more_proof_is_mended_by_a_sign_in_with_it_also_where_the_app_can_not_be_told() {
    let app = linked().await;
    Helper::of(&app)
        .change(json!({ "setWritesNeed": { "tenant": how_to::DOMAIN1, "context": "p1" } }))
        .await;
    let create = Request::create("telemetry");
    // ARM says so of the write itself, so the create waits for a better sign-in.
    let held = create.send(&app.how_to_portal()).await;
    assert_eq!(
        (held.status, held.text("/lastOperation/status")),
        (202, "awaitingCaller"),
        "{}",
        held.body
    );
    let again = create.send(&app.satisfying_portal()).await;
    assert!(matches!(again.status, 200..=202), "{}", again.body);
    let ended = app.how_to_portal().follow(held.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded");

    Helper::of(&app)
        .change(json!({ "addPolicy": { "tenant": "domain2.com", "name": "mfa", "requires": "mfa" } }))
        .await;
    let mut other = Request::create("other");
    if let Some(body) = &mut other.body {
        body["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    }
    let satisfying = app.satisfying_token("acc1@domain1.com", &["cp1"]);
    let with = |methods: &[&str]| {
        let token = app.odd_token("acc2@domain2.com", how_to::DOMAIN2, |token| {
            token
                .overrides
                .extra_claims
                .insert("amr".to_owned(), json!(methods));
        });
        app.portal().with_token(&satisfying).with_auxiliary(&token)
    };
    let refused = other.send(&with(&["pwd"])).await;
    refused.is_problem(403, "accessMissing");
    let (tenant, kind, fix, _) = missing(&refused).remove(0);
    assert_eq!((tenant.as_str(), kind.as_str()), (how_to::DOMAIN2, "permission"));
    assert!(fix.contains("multi-factor"), "{fix}");
    let created = other.send(&with(&["pwd", "mfa"])).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app.finish().await;
}

#[tokio::test]
async fn without_a_public_url_no_link_is_given_and_the_fix_says_what_to_set() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let create = Request::create("telemetry");
    for taken in [CONSENT_2, APP_2] {
        let change = json!({ taken.0: { "app": "tenant-bridge", "tenant": taken.1 } });
        Helper::of(&app).change(change).await;
        let refused = create.send(&portal).await;
        refused.is_problem(403, "accessMissing");
        let (_, kind, fix, url) = missing(&refused).remove(0);
        assert_eq!((kind.as_str(), url), ("consent", None), "{fix}");
        for word in ["server.public_url", "<public_url>/consent", how_to::TENANT_BRIDGE] {
            assert!(fix.contains(word), "{word}: {fix}");
        }
    }
    // The operator does as it says; the page is the one of the service that has the setting.
    let set = app
        .start_another(|config| config.server.public_url = PUBLIC_URL.parse().ok())
        .await
        .expect("a replica");
    let there = portal.at(set.address());
    let refused = create.send(&there).await;
    follow(&app, &refused, "acc1@domain1.com", ACC2).await;
    let created = create.send(&there).await;
    assert_eq!(created.status, 201, "{}", created.body);
    set.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn a_tenant_that_may_not_be_connected_may_be_once_the_setting_that_is_named_lists_it() {
    let app = App::with(|config| config.tenants = allowing(&[how_to::DOMAIN1], &[])).await;
    let create = Request::create("telemetry");
    let portal = app.how_to_portal();
    let refused = create.send(&portal).await;
    refused.is_problem(403, "tenantNotAllowed");
    assert!(
        refused.text("/detail").contains("tenants.sources"),
        "{}",
        refused.body
    );
    let set = app
        .start_another(|config| config.tenants = allowing(&[how_to::DOMAIN1], &[how_to::DOMAIN2]))
        .await
        .expect("a replica");
    let created = create.send(&portal.at(set.address())).await;
    assert_eq!(created.status, 201, "{}", created.body);
    set.stop().await;
    app.finish().await;
}

/// The links of the set-up page, with its placeholders filled in.
fn links_of_the_setup(tenant: &str, authority: &str) -> Vec<String> {
    let page = include_str!("../../../docs/setup-entra.md");
    let links = page.split('`').filter(|text| text.contains("/adminconsent?"));
    let fill = |link: &str| {
        link.replace("https://login.microsoftonline.com/", authority)
            .replace("<tenant id>", tenant)
            .replace("<client id of the API>", how_to::TENANT_BRIDGE)
            .replace("<client id of the portal>", how_to::PORTAL)
            .replace("<public_url>/", PUBLIC_URL)
            .replace("<a redirect URI of the portal>", "http://localhost")
    };
    links.map(fill).collect()
}

#[tokio::test]
async fn the_consents_of_the_set_up_page_are_all_that_a_tenant_has_to_give() {
    let app = linked().await;
    let helper = Helper::of(&app);
    for name in ["tenant-bridge", "portal"] {
        for change in ["revokeConsent", "deprovision"] {
            helper
                .change(json!({ change: { "app": name, "tenant": "domain2.com" } }))
                .await;
        }
    }
    let links = links_of_the_setup(how_to::DOMAIN2, app.emulator.entra_url().as_str());
    assert_eq!(links.len(), 2, "{links:?}");
    for link in &links {
        let unfilled = link.contains('<') || link.contains('>');
        assert!(!unfilled, "{link}");
        let answers = [("account", "acc8@domain2.com"), ("decision", "accept")];
        let back = helper.decide(link, &answers).await;
        assert!(back.contains("admin_consent=True"), "{link}: {back}");
    }
    let consented = app.emulator.read(|world| {
        let of = |app: &str, resource: &str| {
            let directory = &world.directory;
            let oid = directory
                .user("acc2@domain2.com")
                .expect("acc2")
                .home_oid()
                .to_owned();
            let id = |name: &str| directory.app(name).expect(name).client_id.clone();
            let given = directory.consented(&id(app), &id(resource), how_to::DOMAIN2, &oid);
            given.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        (
            of("tenant-bridge", "azure-resource-manager"),
            of("portal", "tenant-bridge"),
        )
    });
    assert_eq!(consented.0, ["user_impersonation"]);
    assert!(
        consented.1.contains(&"Connections.ReadWrite".to_owned()),
        "{consented:?}"
    );
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app.finish().await;
}
