//! Security groups: in tokens, as holders of app roles, and as holders of roles at ARM.

use azure_emulator::directory::UnknownName;
use azure_emulator::{Seed, SeedError, World, how_to};
use serde_json::{Value, json};

use crate::browser::claims;
use crate::support::{Cloud, start};

const ACC1: &str = "acc1@domain1.com";
const ACC3: &str = "acc3@domain1.com";

fn edit<R>(cloud: &Cloud, change: impl FnOnce(&mut World) -> Result<R, UnknownName>) -> R {
    cloud.emulator.edit(change).unwrap()
}

fn minted(cloud: &Cloud, user: &str, tenant: &str) -> Value {
    claims(&json!(cloud.mint(user, tenant)))
}

/// The API's registration asks for `groups`.
fn ask_for_groups(cloud: &Cloud) {
    cloud.emulator.edit(|world| {
        let mut apps = world.directory.apps.iter_mut();
        let api = apps.find(|app| app.is_called("tenant-bridge")).unwrap();
        api.optional_claims.push("groups".to_owned());
    });
}

#[tokio::test]
async fn tokens_name_the_groups_of_their_tenant_where_the_api_asks_for_them() {
    let cloud = start().await;
    let here = edit(&cloud, |world| {
        world.add_group("domain1.com", "operators", &[ACC1, ACC3])
    });
    let there = edit(&cloud, |world| {
        world.add_group("domain2.com", "operators", &[ACC3])
    });
    assert!(minted(&cloud, ACC3, "domain1.com")["groups"].is_null());
    ask_for_groups(&cloud);
    assert_eq!(minted(&cloud, ACC3, "domain1.com")["groups"], json!([here]));
    assert_eq!(minted(&cloud, ACC3, "domain2.com")["groups"], json!([there]));
    let code = cloud.code(ACC1, "domain1.com", &[]).await;
    let reply = cloud.redeem("domain1.com", &code, &[]).await;
    assert_eq!(claims(&reply.body["access_token"])["groups"], json!([here]));
    edit(&cloud, |world| {
        world.remove_member("domain1.com", "operators", ACC3)
    });
    assert!(minted(&cloud, ACC3, "domain1.com")["groups"].is_null());
    edit(&cloud, |world| world.add_member("domain1.com", &here, ACC3));
    assert_eq!(minted(&cloud, ACC3, "domain1.com")["groups"], json!([here]));
}

#[tokio::test]
async fn more_groups_than_a_token_holds_are_a_place_to_ask() {
    let cloud = start().await;
    ask_for_groups(&cloud);
    for n in 0..200 {
        edit(&cloud, |world| {
            world.add_group("domain1.com", &format!("g{n}"), &[ACC1])
        });
    }
    let token = minted(&cloud, ACC1, "domain1.com");
    assert_eq!(token["groups"].as_array().unwrap().len(), 200);
    assert!(token["_claim_names"].is_null());
    edit(&cloud, |world| {
        world.add_group("domain1.com", "one too many", &[ACC1])
    });
    let token = minted(&cloud, ACC1, "domain1.com");
    assert!(token["groups"].is_null());
    assert_eq!(token["_claim_names"], json!({ "groups": "src1" }));
    let endpoint = token["_claim_sources"]["src1"]["endpoint"].as_str().unwrap();
    let oid = token["oid"].as_str().unwrap();
    assert!(
        endpoint.ends_with(&format!("{}/users/{oid}/getMemberObjects", how_to::DOMAIN1)),
        "{endpoint}"
    );
}

#[tokio::test]
async fn an_app_role_of_a_group_is_its_members() {
    let cloud = start().await;
    edit(&cloud, |world| {
        world.add_group("domain1.com", "auditors", &[ACC1])
    });
    edit(&cloud, |world| {
        world.assign_app_role("auditors", "domain1.com", "tenant-bridge", "Auditor")
    });
    assert_eq!(minted(&cloud, ACC1, "domain1.com")["roles"], json!(["Auditor"]));
    assert!(minted(&cloud, ACC3, "domain1.com")["roles"].is_null());
    // Given twice, told once.
    edit(&cloud, |world| {
        world.assign_app_role(ACC1, "domain1.com", "tenant-bridge", "Auditor")
    });
    assert_eq!(minted(&cloud, ACC1, "domain1.com")["roles"], json!(["Auditor"]));
}

#[tokio::test]
async fn a_group_can_be_given_a_role_at_arm_and_its_members_are_resolved_in_each_tenant() {
    let cloud = start().await;
    let group = edit(&cloud, |world| {
        world.add_group("domain2.com", "readers", &[ACC3, "tenant-bridge"])
    });
    cloud
        .emulator
        .edit(|world| world.assign_role("readers", "Reader", how_to::NAMESPACE))
        .unwrap();
    cloud.emulator.read(|world| {
        let assigned = world.resources.role_assignments.iter();
        assert!(assigned.map(|a| &a.principal_oid).any(|oid| *oid == group));
        let directory = &world.directory;
        let guest = "0acc0003-0000-4000-8000-000000000002";
        assert_eq!(
            directory.principals_of(how_to::DOMAIN2, guest),
            [guest.to_owned(), group.clone()]
        );
        let home = "0acc0003-0000-4000-8000-000000000001";
        assert_eq!(directory.principals_of(how_to::DOMAIN1, home), [home]);
        let app = directory.app("tenant-bridge").unwrap();
        let principal = app.principal_in(how_to::DOMAIN2).unwrap();
        assert_eq!(
            directory.principals_of(how_to::DOMAIN2, principal),
            [principal, &group]
        );
    });
}

fn seed_with(more: &str) -> Result<Seed, SeedError> {
    let how_to = include_str!("../../seeds/how-to.toml");
    Seed::from_toml(&format!("{how_to}\n{more}"))
}

#[test]
fn a_seed_has_groups_policies_and_rates() {
    let good = r#"
        [[groups]]
        id = "60000000-0000-4000-8000-000000000001"
        name = "operators"
        tenant = "domain1.com"
        members = ["acc1@domain1.com", "tenant-bridge"]

        [[role_assignments]]
        principal = "operators"
        role = "Reader"
        scope = "/subscriptions/50000000-0000-4000-8000-000000000001"

        [[app_role_assignments]]
        principal = "operators"
        tenant = "domain1.com"
        app = "tenant-bridge"
        role = "Operator"

        [[conditional_access]]
        tenant = "domain1.com"
        name = "Management"
        id = "70000000-0000-4000-8000-000000000001"
        users = ["acc4@domain1.com"]
        groups = ["operators"]
        guests = true
        resources = ["azure-resource-manager"]
        apps = ["tenant-bridge"]
        requires = "compliantDevice"
        claims = false
        sign_in_frequency = 3600

        [[token_rates]]
        tenant = "domain1.com"
        app = "tenant-bridge"
        requests = 100
        seconds = 60
        "#;
    seed_with(good).unwrap();
}

#[test]
fn every_mistake_in_a_seeds_groups_policies_and_rates_is_named() {
    let bad = r#"
        [[groups]]
        id = "x"
        name = "operators"
        tenant = "domain1.com"
        members = ["acc1@domain1.com", "acc2@domain2.com"]

        [[groups]]
        id = "60000000-0000-4000-8000-000000000001"
        name = "operators"
        tenant = "domain1.com"

        [[conditional_access]]
        tenant = "domain1.com"
        name = "Management"
        users = ["acc2@domain2.com"]
        groups = ["nobody"]
        resources = ["nothing"]

        [[token_rates]]
        tenant = "nowhere.com"
        requests = 1
        seconds = 0
        "#;
    let text = seed_with(bad).unwrap_err().to_string();
    let paths: Vec<&str> = text
        .lines()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "groups[0].id",
            "groups[0].members[1]",
            "groups[1].name",
            "conditional_access[0].users[0]",
            "conditional_access[0].groups[0]",
            "conditional_access[0].resources[0]",
            "conditional_access[0]",
            "token_rates[0].tenant",
            "token_rates[0].seconds",
        ]
    );
    let unknown =
        seed_with("[[conditional_access]]\ntenant = \"domain1.com\"\nname = \"x\"\nrequires = \"luck\"\n");
    assert!(unknown.unwrap_err().to_string().contains("luck"));
}
