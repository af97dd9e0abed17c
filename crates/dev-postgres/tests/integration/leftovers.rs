//! The binary, and what is left when it ends in each of the ways that a process can end.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use url::Url;

use crate::support::{answers, binary, folder, private, until};

/// Starts the binary without a command and reads the administrator's URL from what it prints.
fn printing() -> (Child, Url) {
    let mut child = binary().stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.map_while(Result::ok).find_map(|line| {
        line.strip_prefix("TENANT_BRIDGE_TEST_DATABASE_URL=")
            .map(str::to_owned)
    });
    (child, Url::parse(&url.unwrap()).unwrap())
}

fn process_ids(folder: &Path) -> Vec<u32> {
    let file = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    let server: u32 = file.lines().next().unwrap().parse().unwrap();
    let mut all = vec![server];
    let children = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid="])
        .output()
        .unwrap();
    for line in String::from_utf8(children.stdout).unwrap().lines() {
        let mut columns = line
            .split_whitespace()
            .map(|number| number.parse::<u32>().unwrap());
        let (id, parent) = (columns.next().unwrap(), columns.next().unwrap());
        if parent == server {
            all.push(id);
        }
    }
    assert!(all.len() > 1, "a server has children");
    all
}

fn runs(process_id: u32) -> bool {
    let found = Command::new("ps")
        .args(["-p", &process_id.to_string()])
        .stdout(Stdio::null())
        .status();
    found.unwrap().success()
}

fn signal(name: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Whether this process was started to ignore a signal, as `nohup` and background jobs are: what it starts ignores it too.
fn is_ignored(number: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (number - 1) & 1 == 1)
}

#[tokio::test]
async fn nothing_is_left_however_the_parent_ends() {
    for (name, number) in [("-KILL", 9), ("-TERM", 15), ("-INT", 2), ("-HUP", 1)] {
        if is_ignored(number) {
            continue;
        }
        let (mut child, url) = printing();
        let folder = folder(&url).await;
        let processes = process_ids(&folder);
        signal(name, &child);
        child.wait().unwrap();
        until("the folder is gone", || !folder.exists());
        until("the port is closed", || !answers(&url));
        until("the processes are gone", || !processes.iter().any(|&id| runs(id)));
    }
}

#[tokio::test]
async fn a_killed_process_group_takes_server_and_folder_with_it() {
    use std::os::unix::process::CommandExt;
    let mut child = Command::new("sh")
        .args(["-c", r#""$0"; true"#])
        .arg(binary().get_program())
        .env_remove("TENANT_BRIDGE_TEST_DATABASE_URL")
        .process_group(0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.map_while(Result::ok).find_map(|line| {
        line.strip_prefix("TENANT_BRIDGE_TEST_DATABASE_URL=")
            .map(str::to_owned)
    });
    let url = Url::parse(&url.unwrap()).unwrap();
    let folder = folder(&url).await;
    let group = format!("-{}", child.id());
    let sent = Command::new("kill").args(["-KILL", "--", &group]).status();
    assert!(sent.unwrap().success());
    child.wait().unwrap();
    until("the folder is gone", || !folder.exists());
    until("the port is closed", || !answers(&url));
}

/// Needs a parent-death signal, and so `setpriv`.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_server_does_not_outlive_the_shell_that_watches_over_it() {
    if Command::new("setpriv").arg("--version").output().is_err() {
        return;
    }
    let server = private().await;
    let url = server.admin_url().clone();
    let folder = folder(&url).await;
    let id = server.process_id().unwrap().to_string();
    let parent = Command::new("ps").args(["-o", "ppid=", "-p", &id]).output();
    let shell = String::from_utf8(parent.unwrap().stdout).unwrap();
    let sent = Command::new("kill").args(["-KILL", shell.trim()]).status();
    assert!(sent.unwrap().success());
    until("the port is closed", || !answers(&url));
    assert!(server.suspend().await.is_err());
    server.stop().await.unwrap();
    assert!(!folder.exists());
}

#[test]
fn a_parent_killed_while_the_server_is_being_made_leaves_nothing() {
    let temporary = tempfile::tempdir_in("/tmp").unwrap();
    open_to_all(temporary.path());
    let mut child = binary()
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let entries = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(temporary.path()).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    until("initdb has begun", || {
        entries().iter().any(|folder| folder.join("data").exists())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    until("the folder is gone", || entries().is_empty());
}

#[test]
fn a_command_gets_the_urls_and_its_exit_code_is_passed_on() {
    let script = r#"echo "$DATABASE_URL $DEV_POSTGRES_SERVING_URL $TENANT_BRIDGE_TEST_DATABASE_URL"
        echo "$DEV_POSTGRES_SERVING_ROLE"; exit 7"#;
    let output = binary()
        .args(["--durable", "--", "sh", "-c", script])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let urls: Vec<Url> = words[..3].iter().map(|word| Url::parse(word).unwrap()).collect();
    assert_eq!(urls[0].path(), urls[1].path());
    assert_eq!(urls[1].username(), words[3]);
    assert_eq!(urls[2].username(), "postgres");
    assert!(!answers(&urls[2]));
}

#[test]
fn a_command_that_a_signal_killed_gives_the_shells_exit_code() {
    let status = binary()
        .args(["--", "sh", "-c", "kill -KILL $$"])
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(137));
}

#[test]
fn a_request_to_terminate_is_passed_on_to_the_command() {
    let script = r#"trap 'echo told; exit 3' TERM; echo ready; while :; do sleep 0.05; done"#;
    let mut child = binary()
        .args(["--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    signal("-TERM", &child);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "told\n");
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn a_missing_command_is_an_error_and_leaves_nothing() {
    let temporary = tempfile::tempdir_in("/tmp").unwrap();
    open_to_all(temporary.path());
    let output = binary()
        .env("TMPDIR", temporary.path())
        .args(["--", "/no/such/command"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/command"));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn a_temporary_folder_that_is_missing_long_or_unset_does_no_harm() {
    let temporary = tempfile::tempdir_in("/tmp").unwrap();
    open_to_all(temporary.path());
    let long = temporary.path().join("x".repeat(230));
    std::fs::create_dir(&long).unwrap();
    for folder in [Some(long), Some(temporary.path().join("missing")), None] {
        let mut command = binary();
        match &folder {
            Some(folder) => command.env("TMPDIR", folder),
            None => command.env_remove("TMPDIR"),
        };
        assert!(
            command.args(["--", "true"]).status().unwrap().success(),
            "{folder:?}"
        );
    }
}

#[test]
fn a_named_folder_of_programs_is_used_or_complained_about_but_never_passed_over() {
    let output = binary()
        .env("DEV_POSTGRES_BIN_DIR", "/no/such/folder")
        .args(["--", "true"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/folder"));
}

/// For root, the server's account must get through the folder.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}
