//! The service's program, built with failure points.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// Builds the program as the workspace builds it, which is with failure points, and gives where it is: beside this one.
///
/// # Errors
/// When it can't be built.
pub fn build() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("where this program is")?;
    // Of a test: `deps` is below the folder of the programs.
    let folder = here.parent().filter(|folder| !folder.ends_with("deps"));
    let folder = folder.or_else(|| here.parent().and_then(Path::parent));
    let folder = folder.context("a folder")?;
    let program = folder.join("tenant-bridge");
    // As this one was built: long trials take half the time in a release build.
    let release = folder.ends_with("release").then_some("--release");
    // The whole workspace, since what is built together has the same features.
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--workspace", "--bin", "tenant-bridge"])
        .args(release)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .status()
        .context("no cargo")?;
    if !built.success() || !program.exists() {
        bail!("the service can't be built, or is not at {}", program.display());
    }
    Ok(program)
}

/// The folder of all that is built: `target`, if nobody named another.
pub(crate) fn built() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("where this program is")?;
    let folder = here.parent().and_then(Path::parent).context("a folder")?;
    Ok(folder.to_owned())
}

/// Builds the program of another revision, in a worktree that is gone afterwards, and gives where it is. With no revision, of the last
/// one that had other migrations.
///
/// # Errors
/// When git knows no such revision, or it can't be built.
pub fn build_revision(revision: Option<&str>) -> anyhow::Result<PathBuf> {
    let revision = match revision {
        Some(revision) => git(&["rev-parse", "--verify", revision])?,
        None => {
            let last = git(&["log", "-1", "--format=%H", "--", "migrations"])?;
            git(&["rev-parse", "--verify", &format!("{last}^")])?
        }
    };
    let target = built()?.join("upgrade");
    let worktree = tempfile::tempdir().context("no folder")?;
    let place = worktree.path().join("source");
    let folder = place.to_str().context("a folder without a name")?;
    git(&["worktree", "add", "--detach", folder, &revision])?;
    let built = Command::new("cargo")
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--bin",
            "tenant-bridge",
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(&place)
        .status();
    git(&["worktree", "remove", "--force", folder])?;
    ensure!(built.context("no cargo")?.success(), "{revision} can't be built");
    Ok(target.join("debug").join("tenant-bridge"))
}

fn git(arguments: &[&str]) -> anyhow::Result<String> {
    let said = Command::new("git")
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .context("no git")?;
    let error = String::from_utf8_lossy(&said.stderr);
    ensure!(said.status.success(), "git {arguments:?}: {error}");
    Ok(String::from_utf8(said.stdout)?.trim().to_owned())
}
