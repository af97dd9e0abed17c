//! The admin-consent pages, and the small ones.

use azure_emulator::how_to::{self, DOMAIN1, DOMAIN3, PORTAL, TENANT_BRIDGE};
use reqwest::StatusCode;

use crate::browser::{REDIRECT, Shown, owned};
use crate::support::{Cloud, start};

const ACC3: &str = "acc3@domain1.com";

async fn ask(cloud: &Cloud, path: &str, changes: &[(&str, &str)], answers: &[(&str, &str)]) -> Shown {
    let mut query = vec![
        ("client_id", PORTAL),
        ("redirect_uri", REDIRECT),
        ("state", "s 1"),
    ];
    query.retain(|(known, _)| !changes.iter().any(|(name, _)| name == known));
    query.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    let form = owned(answers);
    let form = (!answers.is_empty()).then_some(form.as_slice());
    cloud.visit(&format!("{path}?{query}"), form, None).await
}

fn sorted(shown: &Shown) -> Vec<(String, String)> {
    let parameters = shown.parameters().into_iter();
    let mut parameters: Vec<_> = parameters
        .filter(|(name, _)| !["error_description", "error_uri"].contains(&name.as_str()))
        .collect();
    parameters.sort();
    parameters
}

#[tokio::test]
async fn each_version_answers_in_its_own_words() {
    let cloud = start().await;
    let scope = format!("{}/.default", how_to::TENANT_BRIDGE_URI);
    let both = format!(
        "{0}/Connections.Read {0}/Connections.ReadWrite",
        how_to::TENANT_BRIDGE_URI
    );
    let accept = [("account", ACC3), ("decision", "accept")];
    let cancel = [("decision", "cancel")];
    let (v1, v2) = ("/domain3.com/adminconsent", "/domain3.com/v2.0/adminconsent");
    for (path, answers, expected) in [
        (
            v1,
            &accept[..],
            &[("admin_consent", "True"), ("state", "s 1"), ("tenant", DOMAIN3)][..],
        ),
        (v1, &cancel, &[("error", "permission_denied"), ("state", "s 1")]),
        (
            v2,
            &accept,
            &[
                ("admin_consent", "True"),
                ("scope", &both),
                ("state", "s 1"),
                ("tenant", DOMAIN3),
            ],
        ),
        (
            v2,
            &cancel,
            &[
                ("admin_consent", "True"),
                ("error", "consent_required"),
                ("state", "s 1"),
            ],
        ),
    ] {
        let scope = if path == v2 { scope.as_str() } else { "" };
        let shown = ask(&cloud, path, &[("scope", scope)], answers).await;
        assert_eq!(sorted(&shown), owned(expected), "{path} {answers:?}");
    }
}

#[tokio::test]
async fn an_administrators_consent_lets_an_app_in_for_everyone() {
    let cloud = start().await;
    let mut assertion = cloud.mint(ACC3, "domain1.com");
    assert_eq!(
        cloud.exchange("domain3.com", &assertion).await.body["error_codes"][0],
        65001
    );
    let who = [("client_id", TENANT_BRIDGE), ("redirect_uri", "")];
    cloud.emulator.edit(|world| {
        let apps = &mut world.directory.apps;
        let app = apps.iter_mut().find(|app| app.name == "tenant-bridge").unwrap();
        app.redirect_uris = vec!["https://bridge.example/done".to_owned()];
        world.deprovision("tenant-bridge", "domain3.com").unwrap();
    });
    let page = ask(&cloud, "/domain3.com/adminconsent", &who, &[]).await;
    assert!(
        page.html
            .contains("https://management.azure.com/user_impersonation"),
        "{}",
        page.html
    );
    let (action, mut fields) = page.form();
    fields.extend(owned(&[("account", ACC3), ("decision", "accept")]));
    let done = cloud.visit(&action, Some(&fields), None).await;
    assert!(
        done.location
            .unwrap()
            .as_str()
            .starts_with("https://bridge.example/done?")
    );
    assertion = cloud.mint(ACC3, "domain1.com");
    assert_eq!(
        cloud.exchange("domain3.com", &assertion).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn only_administrators_answer_for_a_tenant_that_has_some() {
    let cloud = start().await;
    cloud.emulator.edit(|world| {
        let oid = world
            .directory
            .user("acc1@domain1.com")
            .unwrap()
            .home_oid()
            .to_owned();
        world.directory.administrators.push((DOMAIN1.to_owned(), oid));
    });
    let path = "/organizations/adminconsent";
    let page = ask(&cloud, path, &[], &[]).await;
    assert!(page.html.contains("acc1@domain1.com") && !page.html.contains(ACC3));
    let refused = ask(&cloud, path, &[], &[("account", ACC3), ("decision", "accept")]).await;
    assert_eq!(refused.shown_code(), 90094);
    let everyone = [("account", ACC3), ("decision", "accept"), ("everyone", "true")];
    let changes = [("scope", crate::support::ARM_SCOPE)];
    assert_eq!(
        cloud
            .authorize("domain1.com", &changes, &everyone)
            .await
            .shown_code(),
        90094
    );
    let given = ask(
        &cloud,
        path,
        &[],
        &[("account", "acc1@domain1.com"), ("decision", "accept")],
    )
    .await;
    assert_eq!(given.parameter("tenant"), DOMAIN1);
}

#[tokio::test]
async fn what_can_not_be_asked_for_is_said_on_a_page_or_to_the_app() {
    let cloud = start().await;
    let (v1, v2) = ("/domain1.com/adminconsent", "/domain1.com/v2.0/adminconsent");
    for (path, change, code) in [
        ("/common/v2.0/adminconsent", ("x", "y"), 9001023),
        (v1, ("client_id", "a0000000-0000-4000-8000-00000000ffff"), 700016),
        (v1, ("redirect_uri", "https://elsewhere.example/"), 50011),
        (v2, ("redirect_uri", "https://elsewhere.example/"), 50011),
        (v2, ("redirect_uri", ""), 900144),
        ("/nowhere.com/adminconsent", ("x", "y"), 90002),
    ] {
        assert_eq!(
            ask(&cloud, path, &[change], &[]).await.shown_code(),
            code,
            "{path}"
        );
    }
    let without = ask(&cloud, v2, &[], &[]).await;
    assert_eq!(without.error(), ("invalid_request".to_owned(), 900144));
    let unknown = ask(&cloud, v2, &[("scope", "api://nobody/.default")], &[]).await;
    assert_eq!(unknown.error(), ("invalid_resource".to_owned(), 500011));
}

#[tokio::test]
async fn small_pages_are_there_for_who_follows_a_link() {
    let cloud = start().await;
    let error = cloud.visit("/error?code=65001", None, None).await;
    assert!(error.status == StatusCode::OK && error.html.contains("65001"));
    let realm = cloud
        .entra("common/userrealm/acc1@domain1.com?api-version=1.0")
        .await;
    assert_eq!(
        (realm.status, &realm.body["error"]),
        (StatusCode::NOT_FOUND, &"not_found".into())
    );
}
