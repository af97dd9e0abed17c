//! Recorded exchanges with the real service, sent again: each request of each recording, in its order, to a cloud that
//! is made from what the recording itself names. Recordings are not part of the project:
//! `TENANT_BRIDGE_REFERENCE_DIR/arm-exchanges` holds them. `formats` and `recording` read them, `scene` makes the cloud,
//! `play` sends, `compare` compares, `published` does the like with the published API's examples.

mod compare;
mod formats;
mod play;
mod published;
mod recording;
mod scene;
mod sound;

use std::path::PathBuf;

use recording::Recording;

/// The folder of references, if this machine has one.
fn references(folder: &str) -> Option<Vec<PathBuf>> {
    let base = std::env::var_os("TENANT_BRIDGE_REFERENCE_DIR")?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(PathBuf::from(base).join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            extension.is_some_and(|extension| ["json", "yaml", "yml"].contains(&extension))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no recordings in {folder}");
    Some(files)
}

#[tokio::test]
#[expect(
    clippy::print_stderr,
    reason = "whoever runs it should know how much was compared"
)]
async fn recorded_exchanges_are_answered_as_recorded() {
    let Some(files) = references("arm-exchanges") else {
        eprintln!("skipped: TENANT_BRIDGE_REFERENCE_DIR is not set");
        return;
    };
    let mut different = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let exchanges = formats::exchanges(&text);
        assert!(exchanges.is_ok(), "{name}: {exchanges:?}");
        let played = play::play(&Recording::parse(&name, &exchanges.unwrap())).await;
        eprintln!("{name}: {}", played.summary());
        different.extend(played.verdict(&name));
    }
    assert!(
        different.is_empty(),
        "{} differences:\n{}",
        different.len(),
        different.join("\n")
    );
}
