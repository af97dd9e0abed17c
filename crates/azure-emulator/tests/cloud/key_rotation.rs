//! Signing keys that change.

use azure_emulator::{TokenOverrides, how_to};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use serde_json::Value;

use crate::refusals::refusal;
use crate::support::{Cloud, start};

const ACC1: &str = "acc1@domain1.com";

fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

async fn published(cloud: &Cloud) -> Vec<String> {
    let mut sets = Vec::new();
    for path in ["domain1.com/discovery/v2.0/keys", "common/discovery/keys"] {
        let set = cloud.entra(path).await.body;
        let kids = set["keys"].as_array().unwrap().iter();
        sets.push(
            kids.map(|key| key["kid"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(sets[0], sets[1]);
    sets.remove(0)
}

#[tokio::test]
async fn after_a_rotation_the_next_key_signs_and_the_old_one_counts_until_it_is_retired() {
    let cloud = start().await;
    let before = published(&cloud).await;
    let old = cloud.mint(ACC1, "domain1.com");
    let reply = cloud.exchange("domain1.com", &old).await;
    let old_arm = reply.body["access_token"].as_str().unwrap().to_owned();
    cloud.emulator.rotate_keys().unwrap();

    let new = cloud.mint(ACC1, "domain1.com");
    assert_ne!(kid(&new), kid(&old));
    assert!(
        before.contains(&kid(&new)),
        "the next key was published beforehand"
    );
    let now = published(&cloud).await;
    assert_eq!(now.len(), before.len() + 1);
    assert!(before.iter().all(|kid| now.contains(kid)));
    for token in [&old, &new] {
        assert_eq!(cloud.exchange("domain1.com", token).await.status, StatusCode::OK);
    }
    let database = format!("{}?api-version=2024-04-13", how_to::DATABASE);
    assert_eq!(cloud.get(&old_arm, &database).await.status, StatusCode::OK);

    cloud.emulator.retire_keys();
    assert!(!published(&cloud).await.contains(&kid(&old)));
    assert_eq!(
        refusal(&cloud.exchange("domain1.com", &old).await),
        (400, "invalid_grant", 50013, None)
    );
    assert_eq!(
        cloud.get(&old_arm, &database).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(cloud.exchange("domain1.com", &new).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_second_rotation_signs_with_a_key_that_the_first_key_set_does_not_have() {
    let cloud = start().await;
    let before = published(&cloud).await;
    for _ in 0..2 {
        cloud.emulator.rotate_keys().unwrap();
    }
    let token = cloud.mint(ACC1, "domain1.com");
    assert!(!before.contains(&kid(&token)) && published(&cloud).await.contains(&kid(&token)));
    cloud.emulator.retire_keys();
    let consumer = TokenOverrides {
        consumer_key: true,
        ..TokenOverrides::default()
    };
    let consumer = kid(&cloud.mint_wrong(ACC1, "domain1.com", consumer));
    assert!(before.contains(&consumer) && published(&cloud).await.contains(&consumer));
}

#[tokio::test]
async fn one_emulators_rotation_is_none_of_anothers() {
    let (one, other) = (start().await, start().await);
    let before = published(&other).await;
    one.emulator.rotate_keys().unwrap();
    assert_eq!(published(&other).await, before);
}
