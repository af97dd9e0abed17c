//! The service's program, built with failure points.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// The variable that arms failure points, by which a program that has them is known.
const VARIABLE: &[u8] = b"TENANT_BRIDGE_FAILURE_POINTS";

/// Builds the program as the workspace builds it, in this one's profile, and gives where it is: beside this one.
///
/// # Errors
/// When it can't be built, or this one was built for release: such programs have no failure points.
pub fn build() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("where this program is")?;
    // Of a test: `deps` is below the folder of the programs.
    let folder = here.parent().filter(|folder| !folder.ends_with("deps"));
    let folder = folder.or_else(|| here.parent().and_then(Path::parent));
    let folder = folder.context("a folder")?;
    let program = folder.join("tenant-bridge");
    ensure!(
        !folder.ends_with("release"),
        "a release build has no failure points: run `cargo trial`, which is as quick"
    );
    // As this one was built: long trials take half the time in an optimized build.
    let profile = if folder.ends_with("trial") { "trial" } else { "dev" };
    // The whole workspace, since what is built together has the same features.
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--workspace", "--bin", "tenant-bridge"])
        .args(["--profile", profile])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .status()
        .context("no cargo")?;
    if !built.success() || !program.exists() {
        bail!("the service can't be built, or is not at {}", program.display());
    }
    Ok(program)
}

/// Refuses a program without failure points, in which nothing would ever break.
///
/// # Errors
/// When it has none, or can't be read.
pub(crate) fn ensure_failure_points(program: &Path) -> anyhow::Result<()> {
    let text = std::fs::read(program).with_context(|| format!("no program at {}", program.display()))?;
    ensure!(
        text.windows(VARIABLE.len()).any(|part| part == VARIABLE),
        "{} has no failure points: build it in the profile dev or trial, with the workspace",
        program.display()
    );
    Ok(())
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

/// The commit that is tried.
pub(crate) fn commit() -> anyhow::Result<String> {
    git(&["rev-parse", "HEAD"])
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

/// A seed that follows from a commit: the same for everybody who tries it, and another for the next one.
pub(crate) fn seed_of_commit(commit: &str) -> anyhow::Result<u64> {
    let digits = commit
        .get(..8)
        .ok_or_else(|| anyhow::anyhow!("a commit's id is longer"))?;
    Ok(u64::from_str_radix(digits, 16)?)
}
