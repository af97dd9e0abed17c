//! What keeps people from signing in or consenting without knowing.

use azure_emulator::how_to::{DOMAIN1, DOMAIN3, PORTAL};
use reqwest::StatusCode;

use crate::browser::{REDIRECT, authorize_path, claims};
use crate::support::{ARM_SCOPE, Cloud, start};

/// The accounts and answers that a posted form would hold, as a link could have them.
const ANSWERS: &str = "&account=acc3%40domain1.com&method=mfa&decision=accept&everyone=true";

fn pages() -> Vec<String> {
    let consent = format!("client_id={PORTAL}&redirect_uri={REDIRECT}&state=s");
    vec![
        authorize_path("domain1.com", &[]),
        authorize_path("domain1.com", &[("scope", ARM_SCOPE)]),
        authorize_path("common", &[]),
        format!("/domain3.com/adminconsent?{consent}"),
        format!("/domain3.com/v2.0/adminconsent?{consent}&scope={ARM_SCOPE}"),
    ]
}

/// What apps were given where, and how many people registered a second factor.
fn given(cloud: &Cloud) -> String {
    cloud.emulator.read(|world| {
        let directory = &world.directory;
        let enrolled = directory.users.iter().filter(|user| user.mfa_enrolled).count();
        format!(
            "{enrolled} {:?} {:?} {:?}",
            directory.consents, directory.apps, world.sign_ins
        )
    })
}

#[tokio::test]
async fn a_link_neither_signs_in_nor_consents_nor_declines() {
    let cloud = start().await;
    let before = given(&cloud);
    for page in pages() {
        for answers in [ANSWERS, "&decision=cancel"] {
            let shown = cloud.visit(&format!("{page}{answers}"), None, None).await;
            assert_eq!(shown.status, StatusCode::OK, "{page}{answers}");
            assert!(
                shown.location.is_none() && shown.cookie.is_none(),
                "{page}{answers}"
            );
            assert!(shown.html.contains("<form method=\"post\""), "{page}{answers}");
        }
    }
    assert_eq!(given(&cloud), before);
}

#[tokio::test]
async fn answers_in_the_query_of_a_posted_form_do_not_count() {
    let cloud = start().await;
    let before = given(&cloud);
    for page in pages() {
        let shown = cloud.visit(&format!("{page}{ANSWERS}"), Some(&[]), None).await;
        assert_eq!((shown.status, shown.location), (StatusCode::OK, None), "{page}");
    }
    assert_eq!(given(&cloud), before);
}

#[tokio::test]
async fn no_page_of_the_login_host_may_be_shown_in_a_frame() {
    let cloud = start().await;
    let mut paths = pages();
    paths.push(authorize_path(
        "domain1.com",
        &[("redirect_uri", "https://elsewhere.example/")],
    ));
    paths.extend([
        format!("/{DOMAIN1}/oauth2/v2.0/logout"),
        format!("/{DOMAIN3}/adminconsent?client_id=none"),
        "/error?code=50011".to_owned(),
    ]);
    for path in paths {
        let url = cloud.emulator.entra_url().join(&path).unwrap();
        let reply = cloud.http.get(url).send().await.unwrap();
        let header = |name: &str| {
            reply
                .headers()
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        };
        assert!(header("content-type").starts_with("text/html"), "{path}");
        assert!(
            header("content-security-policy").contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
    }
}

#[tokio::test]
async fn what_apps_are_told_of_a_session_does_not_make_a_browser_of_them() {
    let cloud = start().await;
    let signed_in = cloud
        .authorize(
            "domain1.com",
            &[],
            &[("account", "acc1@domain1.com"), ("method", "mfa")],
        )
        .await;
    let code = signed_in.parameter("code");
    let tokens = cloud.redeem("domain1.com", &code, &[]).await;
    let told = [
        signed_in.parameter("session_state"),
        claims(&tokens.body["access_token"])["sid"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        code,
    ];
    let silent = authorize_path("domain1.com", &[("prompt", "none")]);
    for secret in told {
        let shown = cloud
            .visit(&silent, None, Some(&format!("ESTSAUTH={secret}")))
            .await;
        assert_eq!(shown.error(), ("login_required".to_owned(), 50058), "{secret}");
    }
    let own = cloud.visit(&silent, None, signed_in.cookie.as_deref()).await;
    assert!(!own.parameter("code").is_empty());
    assert!(own.cookie.is_none(), "a browser that is known keeps its cookie");
}
