//! The binary: what it tells, what it leaves, how it ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Certificate, Client, StatusCode};
use serde_json::Value;

/// A folder of this test's, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("azure-emulator-test-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn emulator(folder: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_azure-emulator"));
    command
        .env("TMPDIR", &folder.0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Waits for a file, which appears whole.
fn appears(file: &Path, child: &mut Child) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Ok(text) = std::fs::read_to_string(file) {
            return serde_json::from_str(&text).unwrap();
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(Instant::now() < deadline, "nothing appeared");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn it_tells_scripts_where_everything_is_and_ends_well_when_interrupted() {
    // No emulator in this process has installed one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for signal in ["INT", "TERM"] {
        let folder = Folder::new(signal);
        let ready_file = folder.0.join("ready.json");
        let mut child = emulator(&folder)
            .arg("--json")
            .arg("--ready-file")
            .arg(&ready_file)
            .spawn()
            .unwrap();
        let ready = appears(&ready_file, &mut child);
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        let ca_file = PathBuf::from(text("caFile"));
        let ca = Certificate::from_pem(&std::fs::read(&ca_file).unwrap()).unwrap();
        let http = Client::builder().tls_certs_only([ca]).build().unwrap();
        for url in [
            text("page"),
            format!("{}admin/state", text("admin")),
            format!("{}common/discovery/keys", text("entra")),
        ] {
            assert_eq!(http.get(url).send().await.unwrap().status(), StatusCode::OK);
        }
        let pid = ready["pid"].to_string();
        assert!(
            Command::new("kill")
                .args([&format!("-{signal}"), &pid])
                .status()
                .unwrap()
                .success()
        );
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(
            serde_json::from_slice::<Value>(&output.stdout).unwrap(),
            ready,
            "one line, and nothing else"
        );
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .contains("GET /common/discovery/keys")
        );
        assert!(!ready_file.exists() && !ca_file.exists());
    }
}

#[test]
fn it_tells_people_where_everything_is_and_how_to_get_a_token() {
    let folder = Folder::new("people");
    let (ready_file, ca_file) = (folder.0.join("ready.json"), folder.0.join("ca.pem"));
    let mut command = emulator(&folder);
    command
        .arg("--ready-file")
        .arg(&ready_file)
        .arg("--ca-file")
        .arg(&ca_file);
    let mut child = command.spawn().unwrap();
    let ready = appears(&ready_file, &mut child);
    assert!(
        Command::new("kill")
            .args(["-INT", &ready["pid"].to_string()])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    for part in ["entra", "arm", "page", "userToken", "caFile"] {
        assert!(told.contains(ready[part].as_str().unwrap()), "{part}: {told}");
    }
    assert!(told.contains("\"api\":\"tenant-bridge\"") && told.contains("\"user\":\"acc1@domain1.com\""));
    assert!(ca_file.exists(), "a file that was asked for stays");
}

#[test]
fn a_seed_that_is_refused_is_told_problem_by_problem() {
    let folder = Folder::new("refused");
    let seed = folder.0.join("seed.toml");
    let rows = [
        (
            "[[tenants]]\nid = \"x\"\nname = \"One\"\ndomains = []\n",
            vec!["tenants[0].id", "tenants[0].domains", "2 reasons"],
        ),
        ("[[tenants]]\ncolour = \"red\"\n", vec!["line 2", "colour"]),
    ];
    for (text, parts) in rows {
        std::fs::write(&seed, text).unwrap();
        let output = emulator(&folder).arg("--seed").arg(&seed).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
        assert!(output.stdout.is_empty());
    }
    let lost = emulator(&folder)
        .args(["--seed", "no-such-file.toml"])
        .output()
        .unwrap();
    assert_eq!(lost.status.code(), Some(2));
}
