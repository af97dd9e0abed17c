//! Where the server's temporary folder goes, and which port it listens on.
//! The folder itself is made, and removed, by the watchdog.

use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::account::Account;
use crate::error::Error;

/// The longest parent folder that is used, in bytes. Postgres's own limit is 1,023 for every path
/// below it; there is no socket file, whose limit would be 107.
const LONGEST: usize = 200;

/// Ports below the ranges from which Linux, macOS and Windows serve outgoing connections, so that
/// a server that is down for a moment finds its port free again.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// The folder to make the server's own folder in: `TMPDIR` if the account can reach it and it is
/// short enough, else a folder that every system has.
pub(crate) fn parent_folder(account: &Account) -> Result<PathBuf, Error> {
    let mut tried = Vec::new();
    let wished = env::var_os("TMPDIR").filter(|value| !value.is_empty());
    let usual = ["/tmp", "/var/tmp"].map(PathBuf::from);
    for folder in wished.map(PathBuf::from).into_iter().chain(usual) {
        match usable(&folder, account) {
            Ok(()) => return Ok(folder),
            Err(cause) => tried.push(format!("{} {cause}", folder.display())),
        }
    }
    Err(Error::NoPlace {
        tried: tried.join("; "),
    })
}

fn usable(folder: &Path, account: &Account) -> Result<(), &'static str> {
    let Some(path) = folder.to_str() else {
        return Err("is not UTF-8");
    };
    if !folder.is_absolute() {
        return Err("is not absolute");
    }
    if path.len() > LONGEST {
        return Err("is too long");
    }
    // The account only has to get through: the watchdog makes the folder and gives it away.
    let reaches = |mode: &str| {
        account
            .command("test")
            .args([mode, path])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !reaches("-d") || !reaches("-x") {
        return Err("can't be reached by the server's account");
    }
    if account.owner.is_none() && !reaches("-w") {
        return Err("can't be written to");
    }
    Ok(())
}

/// A port of 127.0.0.1 that was free a moment ago. The server may still find it taken, and then
/// another is tried.
pub(crate) fn free_port() -> Result<u16, Error> {
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrInUse);
    for _ in 0..100 {
        let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
        let span = u64::from(PORTS.end - PORTS.start);
        let port = u16::try_from(random % span).unwrap_or_default() + PORTS.start;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = error,
        }
    }
    Err(Error::process("finding a free port")(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Account {
        Account {
            owner: None,
            prefix: Vec::new(),
        }
    }

    #[test]
    fn a_long_a_missing_and_a_relative_folder_are_passed_over() {
        let short = tempfile::tempdir_in("/tmp").unwrap();
        assert_eq!(usable(short.path(), &me()), Ok(()));
        let long = short.path().join("x".repeat(LONGEST));
        std::fs::create_dir(&long).unwrap();
        assert_eq!(usable(&long, &me()), Err("is too long"));
        assert!(usable(&short.path().join("missing"), &me()).is_err());
        assert_eq!(usable(Path::new("tmp"), &me()), Err("is not absolute"));
    }

    #[test]
    fn a_folder_that_the_servers_account_cannot_enter_is_passed_over() {
        let account = Account::find().unwrap();
        if account.owner.is_some() {
            use std::os::unix::fs::PermissionsExt;
            let closed = tempfile::tempdir_in("/tmp").unwrap();
            let mine_alone = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(closed.path(), mine_alone).unwrap();
            assert!(usable(closed.path(), &account).is_err());
        }
        assert_eq!(usable(Path::new("/tmp"), &account), Ok(()));
    }

    #[test]
    fn free_ports_lie_outside_the_range_of_outgoing_connections() {
        for _ in 0..20 {
            assert!(PORTS.contains(&free_port().unwrap()));
        }
    }
}
