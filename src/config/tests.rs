//! Whole configurations: what is accepted, and what is named when it is not.

use super::*;

/// The smallest configuration that starts.
const SMALLEST: &str = r#"
    [database]
    url = "postgres://serving:secret@localhost/tenant_bridge"
    [entra]
    client_id = "aaaaaaaa-0000-4000-8000-00000000000a"
    client_secret = "kT8Q~wXyZ1aBcD4eFgH7iJkLmN0pQrSt"
    calling_apps = ["bbbbbbbb-0000-4000-8000-00000000000b"]
    [tenants]
    users = ["11111111-0000-4000-8000-000000000001"]
    targets = ["11111111-0000-4000-8000-000000000001"]
    sources = ["22222222-0000-4000-8000-000000000002"]
    [ledger]
    fingerprint_key = "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d"
"#;

#[test]
fn the_smallest_configuration_is_azures_public_cloud_with_the_how_tos_api_version() {
    let config = Config::from_toml(SMALLEST).expect("complete");
    assert_eq!(
        config.entra.authority.as_str(),
        "https://login.microsoftonline.com/"
    );
    assert_eq!(config.arm.endpoint.as_str(), "https://management.azure.com/");
    assert_eq!(config.arm.kusto_api_version, "2024-04-13");
    assert_eq!(
        config.entra.audiences,
        [
            "aaaaaaaa-0000-4000-8000-00000000000a",
            "api://aaaaaaaa-0000-4000-8000-00000000000a"
        ]
    );
}

#[test]
fn every_wrong_key_is_named_at_once_with_what_is_expected() {
    let text = SMALLEST
        .replace("client_id = \"aaaaaaaa", "client_id = \"zzzzzzzz")
        .replace("[ledger]", "[worker]\nlease = \"soon\"\n[ledger]")
        .replace("9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d", "short")
        .replace("[database]", "[database]\npool = 3");
    let error = Config::from_toml(&text).expect_err("wrong").to_string();
    for key in [
        "entra.client_id",
        "worker.lease",
        "ledger.fingerprint_key",
        "database.pool",
    ] {
        assert!(error.contains(key), "{key} is not in: {error}");
    }
    assert!(!error.contains("kT8Q~"), "{error}");
}

#[test]
fn a_configuration_without_anything_names_what_must_be_there() {
    let error = Config::from_toml("").expect_err("empty").to_string();
    for key in [
        "database.url",
        "entra.client_id",
        "entra.client_secret",
        "tenants.users",
        "ledger.fingerprint_key",
    ] {
        assert!(error.contains(key), "{key} is not in: {error}");
    }
}

#[test]
fn a_configuration_prints_no_secret() {
    let printed = format!("{:?}", Config::from_toml(SMALLEST).expect("complete"));
    for secret in ["kT8Q~", "9b1deb4d", "serving:secret"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_told_by_its_line_without_quoting_it() {
    let error = Config::from_toml("[entra]\nclient_secret = \"a secret\nx = 1")
        .expect_err("no TOML")
        .to_string();
    assert!(error.contains("line 2"), "{error}");
    assert!(!error.contains("a secret"), "{error}");
}

#[test]
fn times_that_contradict_each_other_are_refused() {
    for (settings, key) in [
        (
            "[upstream]\ntimeout = \"60s\"\n[worker]\nmax_request_lifetime = \"30s\"",
            "worker.max_request_lifetime",
        ),
        ("[worker]\nlease = \"50ms\"", "worker.lease"),
        ("[worker]\nlease = \"10s\"", "upstream.connect_timeout"),
        (
            "[upstream]\ntimeout = \"5s\"\nread_timeout = \"6s\"",
            "upstream.read_timeout",
        ),
        (
            "[server]\nlongest_wait = \"5s\"\nlongest_request = \"20s\"\nbody_timeout = \"20s\"",
            "server.body_timeout",
        ),
        (
            "[worker]\npoll_min = \"20s\"\npoll_max = \"2s\"",
            "worker.poll_min",
        ),
    ] {
        let error = Config::from_toml(&format!("{SMALLEST}{settings}"))
            .expect_err(key)
            .to_string();
        assert!(error.contains(key), "{key} is not in: {error}");
    }
}

#[test]
fn numbers_that_would_stop_the_service_are_refused() {
    for (section, key, least) in [
        ("limits", "per_person", 1),
        ("limits", "refusals_logged", 1),
        ("database", "max_connections", 2),
        ("server", "max_requests", 1),
        ("worker", "max_queue_length", 1),
    ] {
        let set = format!("[{section}]\n{key} = {}", least - 1);
        let error = Config::from_toml(&set).expect_err(key).to_string();
        assert!(
            error.contains(&format!("{section}.{key} ")),
            "{key} is not in: {error}"
        );
        assert!(error.contains(&format!("must be at least {least}")), "{error}");
    }
}

#[test]
fn the_example_is_right_and_names_every_setting() {
    let example = filled_in();
    Config::from_toml(&example).expect("the example can be used");
    let mut reader = Reader::from_toml(&example).expect("TOML");
    let _ = server::read(&mut reader);
    let _ = LimitsSection::read(&mut reader);
    let _ = DatabaseSection::read(&mut reader);
    let _ = EntraSection::read(&mut reader);
    let _ = ArmSection::read(&mut reader);
    let _ = tenants::read(&mut reader);
    let _ = upstream::read(&mut reader);
    let _ = worker::read(&mut reader);
    let _ = idempotency::read(&mut reader);
    let _ = LedgerSection::read(&mut reader);
    let _ = telemetry::read(&mut reader);
    // With every commented setting taken in, each key is set once, none is unknown, and none is left out.
    let complete: String = example
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| is_setting(rest))
                .unwrap_or(line)
        })
        .flat_map(|line| [line, "\n"])
        .filter(|line| !line.starts_with("ca_file"))
        .collect();
    Config::from_toml(&complete).expect("the defaults can be written out");
    for key in reader.asked() {
        let (section, name) = key.split_once('.').expect("a section and a name");
        let part = complete
            .split(&format!("[{section}]"))
            .nth(1)
            .expect("the section");
        let part = part.split("\n[").next().unwrap_or(part);
        let named = part.contains(&format!("\n{name} = ")) || name == "ca_file";
        assert!(named, "{key} is not in config.example.toml");
    }
}

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// The example with secrets in the places that it leaves for them.
fn filled_in() -> String {
    EXAMPLE
        .replace("from the environment, please", "kT8Q~wXyZ1aBcD4eFgH7iJkLmN0pQrSt")
        .replace(
            "at least 32 random bytes, as text, from the environment",
            "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d",
        )
}

#[test]
fn the_example_as_it_is_does_not_start_before_its_secrets_are_filled_in() {
    let error = Config::from_toml(EXAMPLE).expect_err("placeholders").to_string();
    for key in ["entra.client_secret", "ledger.fingerprint_key"] {
        let line = error.lines().find(|line| line.contains(key)).expect(key);
        assert!(line.contains("placeholder"), "{line}");
    }
    assert_eq!(error.lines().count(), 3, "{error}");
    assert_ne!(filled_in(), EXAMPLE);
}

#[test]
fn secrets_that_are_none_are_refused_without_being_printed() {
    for (key, before, after) in [
        ("entra.client_secret", "kT8Q~wXyZ1aBcD4eFgH7iJkLmN0pQrSt", ""),
        ("entra.client_secret", "kT8Q~wXyZ1aBcD4eFgH7iJkLmN0pQrSt", "short"),
        (
            "entra.client_secret",
            "kT8Q~wXyZ1aBcD4eFgH7iJkLmN0pQrSt",
            "secretsecretsecretsecret",
        ),
        (
            "ledger.fingerprint_key",
            "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d",
            "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        ),
    ] {
        let error = Config::from_toml(&SMALLEST.replace(before, after))
            .expect_err(key)
            .to_string();
        assert!(error.contains(&format!("{key} ")), "{error}");
        assert!(error.contains("generate") || error.contains("Entra"), "{error}");
        assert!(after.is_empty() || !error.contains(after), "{error}");
    }
}

#[test]
fn urls_that_hold_more_than_they_should_are_refused_by_their_key() {
    let url = |section: &str, key: &str, value: &str| {
        let line = format!("{key} = \"{value}\"");
        let text = match SMALLEST.contains(&format!("[{section}]")) {
            true => SMALLEST.replace(&format!("[{section}]"), &format!("[{section}]\n{line}")),
            false => format!("{SMALLEST}\n[{section}]\n{line}"),
        };
        Config::from_toml(&text)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    for (section, key, path) in [
        ("server", "public_url", "/bridge/"),
        ("entra", "authority", "/"),
        ("entra", "v1_issuer", "/{tenantid}/"),
        ("entra", "v2_issuer", "/{tenantid}/v2.0"),
        ("arm", "endpoint", "/"),
        ("arm", "audience", ""),
        ("telemetry", "otlp_endpoint", ""),
    ] {
        let named = format!("{section}.{key} ");
        let good = format!("https://a.example{path}");
        assert_eq!(url(section, key, &good), Ok(()), "{named}");
        for bad in [
            format!("ftp://a.example{path}"),
            format!("javascript:alert(1)//{path}"),
            format!("https://user@a.example{path}"),
            format!("https://user:word@a.example{path}"),
            format!("https://:word@a.example{path}"),
            format!("https://a.example{path}?a=b"),
            format!("https://a.example{path}#a"),
            String::new(),
        ] {
            let error = url(section, key, &bad).expect_err(&bad);
            assert!(error.contains(&named), "{bad}: {error}");
            assert!(!error.contains("word@"), "{error}");
        }
    }
    let fixed = url("entra", "v2_issuer", "https://a.example/v2.0").expect_err("no tenant");
    assert!(fixed.contains("{tenantid}"), "{fixed}");
    let plain = url("server", "public_url", "http://localhost:8080");
    assert_eq!(plain, Ok(()));
}

#[test]
fn lists_with_what_is_no_text_or_empty_are_refused() {
    for (section, key, value) in [
        ("entra", "audiences", "[\"\"]"),
        ("entra", "audiences", "[1]"),
        ("tenants", "pairs", "[[]]"),
    ] {
        let line = format!("[{section}]\n{key} = {value}");
        let text = SMALLEST.replace(&format!("[{section}]"), &line);
        let error = Config::from_toml(&text).expect_err(key).to_string();
        assert!(error.contains(&format!("{section}.{key} ")), "{error}");
    }
}

fn is_setting(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(name, _)| {
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
    })
}
