//! The service's program, built with failure points.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// Builds the program as the workspace builds it, which is with failure points, and gives where it is: beside this one.
///
/// # Errors
/// When it can't be built.
pub fn build() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("where this program is")?;
    // Of a test: `deps` is below the folder of the programs.
    let folder = here.parent().filter(|folder| !folder.ends_with("deps"));
    let folder = folder.or_else(|| here.parent().and_then(Path::parent));
    let program = folder.context("a folder")?.join("tenant-bridge");
    // The whole workspace, since what is built together has the same features.
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--workspace", "--bin", "tenant-bridge"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .status()
        .context("no cargo")?;
    if !built.success() || !program.exists() {
        bail!("the service can't be built, or is not at {}", program.display());
    }
    Ok(program)
}
