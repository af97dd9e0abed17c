//! That the format, its description and the seeds of the crate say the same.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Seed;
use super::file::File;
use crate::shape;

const DESCRIPTION: &str = include_str!("../../docs/seed.md");

fn seeds() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect()
}

/// Members that the description names: the first cell of each row, below the heading that names their table.
fn described() -> BTreeSet<String> {
    let (mut table, mut found) = (String::new(), BTreeSet::new());
    for line in DESCRIPTION.lines() {
        if let Some(heading) = line.strip_prefix("## `") {
            table = heading
                .split('`')
                .next()
                .unwrap_or_default()
                .trim_matches(['[', ']'])
                .to_owned();
            let brackets = if line.contains("[[") { "[]" } else { "" };
            found.insert(table.clone());
            table.push_str(brackets);
        } else if let Some(row) = line.strip_prefix("| `") {
            found.insert(format!("{table}.{}", row.split('`').next().unwrap_or_default()));
        }
    }
    found
}

/// Every member of a TOML document, lists without their indices.
fn used(value: &toml::Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(members) => {
            for (name, member) in members {
                let dot = if path.is_empty() { "" } else { "." };
                let path = format!("{path}{dot}{name}");
                used(member, &path, into);
                into.insert(path);
            }
        }
        toml::Value::Array(items) => {
            for item in items {
                used(item, &format!("{path}[]"), into);
            }
        }
        _ => {}
    }
}

#[test]
fn every_seed_of_the_crate_loads() {
    let seeds = seeds();
    assert!(seeds.len() >= 2);
    for seed in seeds {
        let loaded = Seed::from_file(&seed);
        assert!(loaded.is_ok(), "{}: {}", seed.display(), loaded.unwrap_err());
    }
}

#[test]
fn the_description_names_every_member_and_no_other() {
    let format: BTreeSet<String> = shape::members::<File>().into_iter().collect();
    let described = described();
    let missing: Vec<&String> = format.difference(&described).collect();
    let invented: Vec<&String> = described.difference(&format).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "missing: {missing:#?}\ninvented: {invented:#?}"
    );
}

#[test]
fn one_seed_uses_every_member() {
    let text = include_str!("../../seeds/everything.toml");
    let mut found = BTreeSet::new();
    used(&toml::from_str(text).unwrap(), "", &mut found);
    let format = shape::members::<File>();
    let missing: Vec<&String> = format.iter().filter(|member| !found.contains(*member)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
