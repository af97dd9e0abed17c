//! Compares two OpenAPI 3.0 documents of this service: what a client of the older one would notice as a break. The rules are
//! those of docs/compatibility.md. Whatever differs and is not known to be harmless is a break.
//!
//! `operations` has paths, parameters, bodies and responses; `schema` has the schemas, by the direction that data flows.

mod operations;
mod schema;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value};

/// A difference that breaks clients of the older document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Break {
    /// The place, as a JSON pointer (RFC 6901) into the older document.
    pointer: String,
    /// What differs, in a sentence.
    what: String,
}

impl fmt::Display for Break {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.pointer, self.what)
    }
}

/// Fails if the current document breaks clients of the last released one, unless its version allows that.
#[expect(
    clippy::print_stdout,
    reason = "a task of the command line prints what it finds"
)]
pub(crate) fn check(folder: &Path) -> anyhow::Result<()> {
    let (file, released) = last_released(&folder.join("released"))?;
    let current = read(&folder.join("openapi-3.0.json"))?;
    let breaks = breaks(&released, &current);
    for found in &breaks {
        println!("{found}");
    }
    let (old, new) = (version(&released)?, version(&current)?);
    ensure!(
        new >= old,
        "the version {new:?} is older than the released one, {old:?}"
    );
    if breaks.is_empty() || may_break(old, new) {
        println!("{} differences break clients of {}", breaks.len(), file.display());
        return Ok(());
    }
    bail!(
        "{} differences break clients of {}; undo them, or raise the version as docs/compatibility.md says",
        breaks.len(),
        file.display()
    )
}

/// Returns the differences that break clients of the older document.
fn breaks(old: &Value, new: &Value) -> Vec<Break> {
    let mut comparison = Comparison::new(old, new);
    operations::compare(&mut comparison);
    comparison.breaks
}

/// Two documents, and what was found so far.
struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    breaks: Vec<Break>,
    /// The pairs of named schemas that were compared, each in each direction: schemas can contain themselves.
    compared: Vec<(String, schema::Direction)>,
}

impl<'a> Comparison<'a> {
    fn new(old: &'a Value, new: &'a Value) -> Self {
        Self {
            old,
            new,
            breaks: Vec::new(),
            compared: Vec::new(),
        }
    }

    fn report(&mut self, pointer: &str, what: impl Into<String>) {
        let found = Break {
            pointer: pointer.to_owned(),
            what: what.into(),
        };
        if !self.breaks.contains(&found) {
            self.breaks.push(found);
        }
    }

    /// Reports a member that is not the same in both objects.
    fn same(&mut self, pointer: &str, member: &str, old: &Value, new: &Value) {
        let (was, is) = (old.get(member), new.get(member));
        if was != is {
            self.report(
                pointer,
                format!("{member} was {}, and is {}", shown(was), shown(is)),
            );
        }
    }
}

/// Text descriptions and hints, which no generated client depends on.
fn is_annotation(keyword: &str) -> bool {
    matches!(
        keyword,
        "description" | "summary" | "title" | "example" | "examples" | "tags" | "externalDocs" | "deprecated"
    ) || (keyword.starts_with("x-") && keyword != schema::WORDS)
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), Value::to_string)
}

/// The members of an object; none for anything else.
fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn under(pointer: &str, member: &str) -> String {
    format!("{pointer}/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// All member names of two objects, each once.
fn names<'a>(old: &'a Map<String, Value>, new: &'a Map<String, Value>) -> impl Iterator<Item = &'a String> {
    old.keys()
        .chain(new.keys().filter(|name| !old.contains_key(*name)))
}

/// The release with the highest version: its file and its document.
fn last_released(folder: &Path) -> anyhow::Result<(PathBuf, Value)> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut releases = Vec::new();
    for entry in entries {
        let file = entry?.path();
        let document = read(&file)?;
        releases.push((version(&document)?, file, document));
    }
    releases.sort_by_key(|(version, ..)| *version);
    let (_, file, document) = releases.pop().context("no document is released")?;
    Ok((file, document))
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))
}

/// Major, minor and patch version of a document.
fn version(document: &Value) -> anyhow::Result<(u32, u32, u32)> {
    let version = document.pointer("/info/version").and_then(Value::as_str);
    let parts = version.unwrap_or_default().split('.').map(str::parse);
    match parts.collect::<Result<Vec<u32>, _>>().as_deref() {
        Ok(&[major, minor, patch]) => Ok((major, minor, patch)),
        _ => bail!("/info/version is not major.minor.patch: {version:?}"),
    }
}

/// Whether a version may break clients of an older one: a new major version, before 1.0.0 a new minor version.
fn may_break(old: (u32, u32, u32), new: (u32, u32, u32)) -> bool {
    new.0 > old.0 || (old.0 == 0 && new.0 == 0 && new.1 > old.1)
}
