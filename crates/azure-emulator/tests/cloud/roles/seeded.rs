//! Custom roles and ARM's rules in a seed.

use azure_emulator::{Seed, SeedError};

const CLOUD: &str = r#"
[[tenants]]
id = "11111111-1111-4111-8111-111111111111"
name = "One"
domains = ["domain1.com"]

[[users]]
upn = "acc1@domain1.com"
name = "Account 1"
oid = "0acc0001-0000-4000-8000-000000000001"

[[subscriptions]]
id = "50000000-0000-4000-8000-000000000001"
name = "One"
tenant = "domain1.com"
resource_groups = [{ name = "rg", location = "West Europe" }]
"#;

#[test]
fn a_seed_may_have_custom_roles_and_rules() {
    let rules = r#"
        [[role_definitions]]
        name = "Keeper"
        scopes = ["/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg"]
        actions = ["Microsoft.Kusto/*"]
        not_actions = ["*/delete"]

        [[role_assignments]]
        principal = "acc1@domain1.com"
        role = "Keeper"
        scope = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg"

        [arm]
        challenge_form = "older"
        role_lag_seconds = 300
        writes_need = [{ tenant = "domain1.com", context = "p1" }]
        throttling = { enforced = true, writes = { calls = 1200, refill_per_second = 1 }, body = "plain" }
    "#;
    Seed::from_toml(&format!("{CLOUD}{rules}")).unwrap();
}

#[test]
fn what_does_not_fit_is_named_with_its_path() {
    let rules = r#"
        [[role_definitions]]
        id = "Keeper"
        name = "Keeper"
        scopes = []

        [[role_definitions]]
        name = "Sitter"
        scopes = ["rg", "/subscriptions/50000000-0000-4000-8000-00000000ffff",
            "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg"]

        [[role_assignments]]
        principal = "acc1@domain1.com"
        role = "Sitter"
        scope = "/subscriptions/50000000-0000-4000-8000-000000000001"

        [arm]
        writes_need = [{ tenant = "domain9.com", context = "p1" }]
    "#;
    let Err(SeedError::Content(problems)) = Seed::from_toml(&format!("{CLOUD}{rules}")) else {
        panic!("the seed was taken");
    };
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "role_definitions[0].id",
            "role_definitions[0].scopes",
            "role_definitions[1].scopes[0]",
            "role_definitions[1].scopes[1]",
            "role_assignments[0].role",
            "arm.writes_need[0].tenant",
        ]
    );
}
