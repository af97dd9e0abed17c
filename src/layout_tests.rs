//! Which module may import which. The table is the one of `docs/architecture.md`: imports go from an earlier row to a later one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The tiers, from the outermost. A module imports from later tiers only.
const TIERS: &[&[&str]] = &[
    &["app", "cli"],
    &["config"],
    &["http", "jobs"],
    &["usecases"],
    &["operations", "preflight", "visibility"],
    &["tokens", "authz", "ledger"],
    &["arm", "entra", "db", "sources"],
    &["upstream"],
    &["domain"],
];
/// Imports within a tier that are allowed.
const WITHIN: &[(&str, &str)] = &[
    ("tokens", "authz"),
    ("ledger", "authz"),
    ("app", "cli"),
    ("cli", "app"),
];
/// Modules under all tiers: every module may import them, and they import none.
const UNDER_ALL: &[&str] = &["telemetry", "clock", "failpoints"];

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(&root).expect("below src");
                let name = name.with_extension("").to_string_lossy().replace('/', "::");
                files.push((name, code(&fs::read_to_string(&path).expect("text"))));
            }
        }
    }
    let is_test = |name: &str| {
        name.ends_with("tests")
            || name.ends_with("testing")
            || name.ends_with("recorded")
            || name == "test_log"
    };
    files.retain(|(name, _)| !is_test(name));
    files.sort();
    files
}

/// The code without comments and without an inline module of tests.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    let lines: Vec<&str> = lines
        .take_while(|line| !line.trim_start().starts_with("mod tests {"))
        .collect();
    lines.join("\n")
}

fn top(path: &str) -> &str {
    path.split("::").next().unwrap_or_default()
}

/// The paths that a file imports or names, from the crate's root on, as far as they are names of modules or items.
fn imported(file: &str, code: &str) -> Vec<String> {
    let module = file.trim_end_matches("::mod");
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    let behind = |prefix: &str| -> Vec<String> {
        let rest = code.split(prefix).skip(1);
        rest.flat_map(|rest| match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split('}').next().unwrap_or_default();
                group.split(',').map(|name| name.trim().to_owned()).collect()
            }
            None => {
                let end =
                    rest.find(|character: char| !(character.is_alphanumeric() || "_:".contains(character)));
                vec![
                    rest.get(..end.unwrap_or(rest.len()))
                        .unwrap_or_default()
                        .to_owned(),
                ]
            }
        })
        .collect()
    };
    let mut paths = behind("crate::");
    if !parent.is_empty() {
        paths.extend(
            behind("super::")
                .into_iter()
                .map(|path| format!("{parent}::{path}")),
        );
    }
    paths
}

fn tier(module: &str) -> Option<usize> {
    TIERS.iter().position(|tier| tier.contains(&module))
}

#[test]
fn modules_import_from_later_tiers_only() {
    let mut wrong = Vec::new();
    for (name, code) in sources() {
        let importer = top(&name);
        if matches!(importer, "lib" | "main") {
            continue;
        }
        for path in imported(&name, &code) {
            let module = top(&path);
            if module == importer || UNDER_ALL.contains(&module) || WITHIN.contains(&(importer, module)) {
                continue;
            }
            let config_outside = module == "config" && !matches!(importer, "app" | "cli");
            match (tier(importer), tier(module)) {
                (Some(from), Some(to)) if from < to && !config_outside => {}
                _ => wrong.push(format!("{name} imports {path}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_module_has_a_tier() {
    for (name, _) in sources() {
        let module = top(&name);
        let known = tier(module).is_some() || UNDER_ALL.contains(&module);
        assert!(known || matches!(module, "lib" | "main"), "{module} has no tier");
    }
}

/// The file that a path leads to: the longest part of it that is a file's module.
fn file_of<'a>(path: &str, files: &'a BTreeSet<String>) -> Option<&'a String> {
    let mut part = path.trim_end_matches("::");
    loop {
        let is_file = files.get(part).or_else(|| files.get(&format!("{part}::mod")));
        match (is_file, part.rsplit_once("::")) {
            (Some(file), _) => return Some(file),
            (None, Some((shorter, _))) => part = shorter,
            (None, None) => return None,
        }
    }
}

#[test]
fn files_do_not_import_each_other_in_circles() {
    let sources = sources();
    let files: BTreeSet<String> = sources.iter().map(|(name, _)| name.clone()).collect();
    let mut graph: BTreeMap<&String, BTreeSet<&String>> = BTreeMap::new();
    for (name, code) in &sources {
        let paths = imported(name, code);
        let targets = paths.iter().filter_map(|path| file_of(path, &files));
        // A module's root re-exports its files, and a type's file may have others with its methods below it.
        let is_family = |other: &String| {
            let root = |name: &str| name.trim_end_matches("::mod").to_owned();
            root(name).starts_with(&root(other)) || root(other).starts_with(&root(name))
        };
        let targets = targets.filter(|other| !is_family(other)).collect();
        graph.insert(files.get(name).expect("a file"), targets);
    }
    // A file that imports none of those left, or that none of those left imports, is in no circle.
    loop {
        let imported: BTreeSet<&String> = graph.values().flatten().copied().collect();
        let outside = |(name, targets): &(&&String, &BTreeSet<&String>)| {
            targets.is_empty() || !imported.contains(*name)
        };
        let outside: Vec<&String> = graph.iter().filter(outside).map(|(name, _)| *name).collect();
        if outside.is_empty() {
            break;
        }
        for name in outside {
            graph.remove(name);
            for targets in graph.values_mut() {
                targets.remove(name);
            }
        }
    }
    assert!(graph.is_empty(), "in circles, or between two: {graph:#?}");
}
