//! Old names do not come back: `words.txt` lists them as patterns, each with what to write instead.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Where the names are looked for, below the repository's root.
const PLACES: &[&str] = &[
    "src",
    "docs",
    "config.example.toml",
    "tests",
    "crates/sandbox",
    "crates/reliability",
];
/// The list itself.
const LIST: &str = "tests/integration/words.txt";
/// The endings of files that hold text.
const TEXTS: &[&str] = &["rs", "md", "toml", "bash", "sql", "snap", "json", "txt"];

struct Word {
    pattern: Regex,
    instead: String,
}

fn words(list: &str) -> Vec<Word> {
    let entries = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    entries
        .map(|line| {
            let (pattern, instead) = line.split_once("  ").expect("two spaces after the pattern");
            Word {
                // The names are ASCII, and word boundaries of all scripts take longer to find.
                pattern: Regex::new(&pattern.replace(r"\b", r"(?-u:\b)")).expect(pattern),
                instead: instead.trim().to_owned(),
            }
        })
        .collect()
}

fn texts(place: &Path, into: &mut Vec<PathBuf>) {
    if place.is_dir() {
        for entry in fs::read_dir(place).expect("a folder") {
            texts(&entry.expect("an entry").path(), into);
        }
    } else if place
        .extension()
        .is_some_and(|ending| TEXTS.iter().any(|text| ending == *text))
    {
        into.push(place.to_owned());
    }
}

/// `file:line: name, write … instead`, for each old name in a text.
fn old_names(words: &[Word], file: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    // Few files have one, and a whole text is searched faster than its lines.
    let words: Vec<&Word> = words.iter().filter(|word| word.pattern.is_match(text)).collect();
    for (number, line) in (1..).zip(text.lines()) {
        for word in &words {
            if let Some(name) = word.pattern.find(line) {
                found.push(format!(
                    "{file}:{number}: {}, write {} instead",
                    name.as_str(),
                    word.instead
                ));
            }
        }
    }
    found
}

#[test]
fn old_names_are_used_nowhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let words = words(&fs::read_to_string(root.join(LIST)).expect("the list"));
    let mut files = Vec::new();
    for place in PLACES {
        texts(&root.join(place), &mut files);
    }
    assert!(files.len() > 100, "{} files", files.len());
    let mut found = Vec::new();
    for path in files.iter().filter(|path| !path.ends_with(LIST)) {
        let text = fs::read_to_string(path).expect("text");
        let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
        found.extend(old_names(&words, &name, &text));
    }
    assert!(
        found.is_empty(),
        "{} old names:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn an_old_name_is_found_with_its_file_and_line() {
    let words = words("# a comment\n\\bold_name\\b  new_name\n");
    let text = "fn very_old_name() {}\nfn old_name() {}\n";
    assert_eq!(
        old_names(&words, "src/x.rs", text),
        ["src/x.rs:2: old_name, write new_name instead"]
    );
}
