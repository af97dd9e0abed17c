//! Finds the folder with `initdb` and `postgres`, newest version first.
//! Looks only; what is found is run elsewhere.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::error::Error;

/// Names the folder to use, before all others.
const BIN_DIR: &str = "DEV_POSTGRES_BIN_DIR";

/// The oldest major version that works here: from 15 on, schema `public` of a new database
/// belongs to the database's owner and nobody else may create in it (PostgreSQL 15 release notes).
const OLDEST: u32 = 15;

/// Folders that hold one folder a version: parent, start of the folder's name, path below it.
const VERSIONED: [(&str, &str, &str); 6] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// The folder of the newest installed server that `account` can run.
///
/// # Errors
/// [`Error::BinDir`] if `DEV_POSTGRES_BIN_DIR` is set and doesn't fit, [`Error::NoPrograms`] if
/// nothing fits.
pub(crate) fn installed(account: &Account) -> Result<PathBuf, Error> {
    if let Some(folder) = named_folder() {
        return match check(&folder, account) {
            Ok(()) => Ok(folder),
            Err(cause) => Err(Error::BinDir { folder, cause }),
        };
    }
    let mut tried = Vec::new();
    for folder in folders_with("initdb") {
        match check(&folder, account) {
            Ok(()) => return Ok(folder),
            Err(cause) => tried.push(format!("{}: {cause}", folder.display())),
        }
    }
    if tried.is_empty() {
        tried.push("looked in the usual folders, pg_config and PATH".to_owned());
    }
    Err(Error::NoPrograms {
        tried: tried.join("; "),
    })
}

/// The `psql` of the newest installed version, or of `DEV_POSTGRES_BIN_DIR` alone if that is set.
pub(crate) fn client() -> Option<PathBuf> {
    let folder = match named_folder() {
        Some(folder) => folder,
        None => folders_with("psql").into_iter().next()?,
    };
    let psql = folder.join("psql");
    psql.is_file().then_some(psql)
}

fn named_folder() -> Option<PathBuf> {
    let folder = env::var_os(BIN_DIR).filter(|value| !value.is_empty())?;
    Some(PathBuf::from(folder))
}

/// Every folder that holds the program: newest version first, then what `pg_config` and the
/// search path say.
fn folders_with(program: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, start, below) in VERSIONED {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        for entry in entries {
            if let Some(version) = folder_version(&entry.file_name(), start) {
                found.push((version, entry.path().join(below)));
            }
        }
    }
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let mut folders: Vec<PathBuf> = found.into_iter().map(|(_, folder)| folder).collect();
    folders.extend(pg_config());
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    folders.retain(|folder| folder.is_absolute() && folder.join(program).is_file());
    let mut seen = std::collections::HashSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    folders
}

/// `16` of `postgresql@16`, of `pgsql-16` and of `16`.
fn folder_version(name: &OsStr, start: &str) -> Option<u32> {
    name.to_str()?.strip_prefix(start)?.parse().ok()
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(folder.trim_end()))
}

/// Whether the account can run both programs and they are new enough; else what stands against it.
pub(crate) fn check(folder: &Path, account: &Account) -> Result<(), String> {
    if !folder.is_absolute() {
        return Err("not an absolute path".to_owned());
    }
    for program in ["initdb", "postgres"] {
        let path = folder.join(program);
        let Some(path) = path.to_str() else {
            return Err("not UTF-8".to_owned());
        };
        let output = account
            .command(path)
            .arg("--version")
            .output()
            .map_err(|error| format!("{program}: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let cause = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{program} can't be run: {}", cause.trim()));
        }
        match major_version(&said) {
            Some(version) if version >= OLDEST => {}
            Some(version) => return Err(format!("{program} is of version {version}")),
            None => return Err(format!("{program} says {:?}", said.trim())),
        }
    }
    Ok(())
}

/// `15` of `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`, `18` of `… 18beta1`.
fn major_version(said: &str) -> Option<u32> {
    let (_, version) = said.split_once("(PostgreSQL) ")?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        let debian = "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n";
        assert_eq!(major_version(debian), Some(15));
        assert_eq!(major_version("initdb (PostgreSQL) 18.6"), Some(18));
        assert_eq!(major_version("initdb (PostgreSQL) 19beta2"), Some(19));
        assert_eq!(major_version("GNU bash, version 5"), None);
    }

    #[test]
    fn folder_names_are_ordered_by_number_not_by_text() {
        assert_eq!(folder_version(OsStr::new("9"), ""), Some(9));
        assert_eq!(folder_version(OsStr::new("pgsql-16"), "pgsql-"), Some(16));
        assert_eq!(
            folder_version(OsStr::new("postgresql@17"), "postgresql@"),
            Some(17)
        );
        assert_eq!(
            folder_version(OsStr::new("postgresql-common"), "postgresql"),
            None
        );
    }

    #[test]
    fn a_folder_without_the_programs_is_refused_with_a_reason() {
        let account = Account::find().unwrap();
        let empty = tempfile::tempdir().unwrap();
        assert!(check(empty.path(), &account).is_err());
        assert!(check(Path::new("bin"), &account).is_err());
    }
}
