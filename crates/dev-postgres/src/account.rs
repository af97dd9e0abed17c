//! The account that the server runs as, and the words that go before a command to get there.
//! Postgres and `initdb` refuse root and any uid that the passwd database doesn't list.

use std::process::{Command, Stdio};

use crate::error::Error;

/// Accounts that root may step down to, best first; every Unix has the second.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// How commands are run for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// `uid:gid` to give folders to; `None` when the server runs as the user who started this.
    pub(crate) owner: Option<String>,
    /// Words before the command.
    pub(crate) prefix: Vec<String>,
}

impl Account {
    /// The account for this process: itself, or for root the first of [`ACCOUNTS`] that works.
    pub(crate) fn find() -> Result<Self, Error> {
        if id(&["-u"]).as_deref() != Some("0") {
            // The server shall not outlive the shell that watches over it. A system without
            // setpriv relies on that shell alone.
            let signal = words(&["setpriv", "--pdeathsig=QUIT", "--"]);
            let prefix = if works(&signal) { signal } else { Vec::new() };
            return Ok(Self { owner: None, prefix });
        }
        let mut tried = Vec::new();
        for name in ACCOUNTS {
            let (Some(uid), Some(gid)) = (id(&["-u", name]), id(&["-g", name])) else {
                tried.push(format!("there is no {name}"));
                continue;
            };
            for prefix in step_down(name, &uid, &gid) {
                if works(&prefix) {
                    return Ok(Self {
                        owner: Some(format!("{uid}:{gid}")),
                        prefix,
                    });
                }
                tried.push(format!("{name} by {}", prefix.join(" ")));
            }
        }
        Err(Error::NoAccount {
            tried: tried.join("; "),
        })
    }

    /// A command that runs `program` as this account.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = match self.prefix.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        // An account without rights here could not read the current folder.
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

/// The ways from root to an account. Only `setpriv` can set the parent-death signal after the
/// change of uid, which clears it.
fn step_down(name: &str, uid: &str, gid: &str) -> [Vec<String>; 3] {
    [
        words(&[
            "setpriv",
            &format!("--reuid={uid}"),
            &format!("--regid={gid}"),
            "--init-groups",
            "--pdeathsig=QUIT",
            "--",
        ]),
        words(&["runuser", "-u", name, "--"]),
        words(&["su", "-s", "/bin/sh", "-c", r#"exec "$0" "$@""#, "--", name]),
    ]
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn works(prefix: &[String]) -> bool {
    let account = Account {
        owner: None,
        prefix: prefix.to_vec(),
    };
    account
        .command("true")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn id(arguments: &[&str]) -> Option<String> {
    let output = Command::new("id")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_do_not_run_as_root() {
        let account = Account::find().unwrap();
        let output = account.command("id").arg("-u").output().unwrap();
        assert!(output.status.success());
        assert_ne!(String::from_utf8_lossy(&output.stdout).trim(), "0");
    }

    #[test]
    fn every_way_down_that_the_machine_has_keeps_arguments_apart() {
        if id(&["-u"]).as_deref() != Some("0") {
            return;
        }
        let (uid, gid) = (id(&["-u", "nobody"]).unwrap(), id(&["-g", "nobody"]).unwrap());
        for prefix in step_down("nobody", &uid, &gid) {
            if !works(&prefix) {
                continue;
            }
            let account = Account { owner: None, prefix };
            let output = account
                .command("printf")
                .args(["%s|", "two words", "", "-x"])
                .output()
                .unwrap();
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                "two words||-x|",
                "{account:?}"
            );
        }
    }
}
