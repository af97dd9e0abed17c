//! Shells that outlive this process for as long as it takes to clear up after it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// `sh` with a script, in a session of its own, so that neither Ctrl-C nor the killing of a
/// process group reaches it. Where there is no `setsid` (macOS), a process group of its own does
/// most of that.
pub(crate) fn shell(script: &str) -> Command {
    let has_setsid = Command::new("setsid")
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    let mut command = if has_setsid {
        let mut command = Command::new("setsid");
        command.arg("sh");
        command
    } else {
        let mut command = Command::new("sh");
        command.process_group(0);
        command
    };
    // The current folder may be one that goes away, or that another account can't read.
    command
        .args(["-c", script, "dev-postgres"])
        .current_dir("/");
    command
}

/// Those of the named environment variables that are set.
pub(crate) fn passed_on<'a>(names: &'a [&str]) -> impl Iterator<Item = (&'a str, OsString)> {
    names
        .iter()
        .filter_map(|&name| Some((name, std::env::var_os(name)?)))
}
