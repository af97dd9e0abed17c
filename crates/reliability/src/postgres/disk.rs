//! A small disk of this program's own: it runs itself again where one is mounted.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// Tells the program that runs again where its disk is.
const VARIABLE: &str = "RELIABILITY_SMALL_DISK";
/// Room for a Postgres and its log, and not for much more.
const SIZE: &str = "320m";

/// A small disk, on which the temporary folder is.
#[derive(Debug)]
pub struct Disk(PathBuf);

/// The small disk, if this program runs where one is. Else it runs itself again there, and doesn't come back; if no disk can be
/// mounted, there is none.
///
/// # Errors
/// When it could be mounted, and the program can't be run there.
#[expect(
    clippy::disallowed_methods,
    reason = "a word of this program to itself, and no configuration"
)]
pub fn small_disk() -> anyhow::Result<Option<Disk>> {
    if let Some(folder) = std::env::var_os(VARIABLE) {
        return Ok((!folder.is_empty()).then(|| Disk(folder.into())));
    }
    let ways: [&[&str]; 2] = [&["--mount"], &["--mount", "--user", "--map-root-user"]];
    let may = |way: &&&[&str]| {
        let tried = Command::new("unshare")
            .args(**way)
            .args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"])
            .stderr(Stdio::null())
            .status();
        tried.is_ok_and(|status| status.success())
    };
    let Some(way) = ways.iter().find(may) else {
        return Ok(None);
    };
    let folder = tempfile::tempdir().context("no folder")?.keep();
    // Postgres refuses root, also one that is root in a namespace of its own alone: back to who it was.
    let back = if way.len() == 1 {
        "exec"
    } else {
        "exec unshare --user --map-user=$USER_ID --map-group=$GROUP_ID"
    };
    let script = format!("mount -t tmpfs -o size={SIZE},mode=1777 tmpfs \"$TMPDIR\" && {back} \"$@\"");
    let error = Command::new("unshare")
        .args(*way)
        .args(["sh", "-c", &script, "sh"])
        .args(std::env::args_os())
        .env(VARIABLE, &folder)
        .env("TMPDIR", &folder)
        .env("USER_ID", id("-u")?)
        .env("GROUP_ID", id("-g")?)
        .exec();
    Err(error).context("no unshare")
}

fn id(which: &str) -> anyhow::Result<String> {
    let told = Command::new("id").arg(which).output().context("no id")?;
    Ok(String::from_utf8(told.stdout)?.trim().to_owned())
}

impl Disk {
    fn file(&self) -> PathBuf {
        self.0.join("filling")
    }

    /// Fills it to the last byte.
    pub(super) fn fill(&self) -> anyhow::Result<()> {
        let mut file = std::fs::File::create(self.file())?;
        for piece in [1 << 20, 1 << 12, 1] {
            let bytes = vec![0; piece];
            while file.write_all(&bytes).is_ok() {}
        }
        Ok(())
    }

    /// Returns the room back.
    pub(super) fn empty(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.file())?)
    }
}
