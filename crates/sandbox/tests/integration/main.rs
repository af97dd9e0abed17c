//! `cargo sandbox --json` as a script meets it.
#![expect(
    clippy::expect_used,
    reason = "clippy's leave for tests doesn't reach the functions that they share"
)]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    ready: Value,
}

/// Starts the sandbox and reads its line. Built tests that were carried elsewhere are told by the environment where the
/// program is now.
fn start() -> Running {
    let here = std::env::var_os("CARGO_BIN_EXE_sandbox");
    let program = here.unwrap_or_else(|| env!("CARGO_BIN_EXE_sandbox").into());
    let mut child = Command::new(program)
        .arg("--json")
        .env_remove("TENANT_BRIDGE_TEST_DATABASE_URL")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the sandbox");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    let ready = serde_json::from_str(&line).expect("one line of JSON");
    Running { child, out, ready }
}

impl Running {
    fn ca_file(&self) -> PathBuf {
        let file = self.ready.get("caFile").and_then(Value::as_str);
        file.expect("caFile").into()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill").success());
    }
}

/// Whether somebody accepts connections there.
fn answers(url: &Value) -> bool {
    let url: url::Url = url.as_str().expect("a URL").parse().expect("a URL");
    let host = url.host_str().expect("a host").to_owned();
    std::net::TcpStream::connect((host, url.port().expect("a port"))).is_ok()
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn the_line_says_where_everything_is_and_everything_is_there() {
    let running = start();
    let ready = &running.ready;
    for member in ["service", "entra", "arm", "admin", "userToken", "databaseUrl"] {
        assert!(answers(&ready[member]), "{member}: {ready}");
    }
    let pem = std::fs::read_to_string(running.ca_file()).expect("the CA");
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    for list in ["tenants", "apps", "users", "subscriptions"] {
        assert!(
            ready[list].as_array().is_some_and(|list| !list.is_empty()),
            "{list}"
        );
    }
    let secret = ready["apps"]
        .as_array()
        .and_then(|apps| apps.iter().find(|app| app["name"] == "tenant-bridge"))
        .map(|app| app["secrets"][0].clone());
    assert_eq!(
        secret.as_ref().and_then(Value::as_str),
        Some(azure_emulator::how_to::TENANT_BRIDGE_SECRET)
    );
    let resources = &ready["resources"];
    assert_eq!(
        resources["clusters"][0]["databases"][0]["id"],
        azure_emulator::how_to::DATABASE
    );
    assert_eq!(
        resources["namespaces"][0]["eventHubs"][0]["id"],
        azure_emulator::how_to::HUB1
    );
    running.signal("-TERM");
    let Running {
        mut child, mut out, ..
    } = running;
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the end");
    assert_eq!(rest, "", "nothing else goes to standard output");
    assert!(child.wait().expect("its end").success());
}

#[test]
fn however_it_ends_nothing_is_left() {
    for (signal, orderly) in [("-INT", true), ("-TERM", true), ("-KILL", false)] {
        let mut running = start();
        let file = running.ca_file();
        let folder = file.parent().expect("a folder").to_path_buf();
        assert!(file.exists());
        running.signal(signal);
        let status = running.child.wait().expect("its end");
        assert_eq!(status.success(), orderly, "{signal}");
        until("the files are gone", || !folder.exists());
        until("the database is gone", || !answers(&running.ready["databaseUrl"]));
    }
}
