//! Reads single keys and collects what is wrong, so that one run names everything that must be fixed.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use figment::value::Value;
use secrecy::SecretString;
use url::Url;

use super::strength;

/// What the environment's variables begin with; sections and keys are parted by two underscores.
const PREFIX: &str = "TENANT_BRIDGE__";

/// One configuration error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, such as `entra.client_id`.
    pub key: String,
    /// What is wrong, and what is expected; never a secret's value.
    pub detail: String,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<Problem>);

impl ConfigError {
    pub(super) fn incomplete() -> Self {
        Self(vec![Problem {
            key: "*".to_owned(),
            detail: "the configuration is incomplete".to_owned(),
        }])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration can't be used:")?;
        for Problem { key, detail } in &self.0 {
            let variable = format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"));
            write!(formatter, "\n  {key} ({variable}): {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Reads keys and collects which were asked for.
#[derive(Debug)]
pub struct Reader {
    source: Figment,
    asked: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Reader {
    /// A file, if one is named, overlaid by the environment.
    ///
    /// # Errors
    /// When the file can't be read or is no TOML.
    pub fn open(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut source = Figment::new();
        if let Some(path) = file {
            source = source.merge(Toml::file_exact(path));
        }
        Self::new(source.merge(Env::prefixed(PREFIX).split("__")))
    }

    /// TOML text alone.
    ///
    /// # Errors
    /// When it is no TOML.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::new(Figment::new().merge(Toml::string(text)))
    }

    fn new(source: Figment) -> Result<Self, ConfigError> {
        // Reads the sources: a file that is missing or malformed shows here.
        if let Err(error) = source.extract::<figment::value::Dict>() {
            return Err(ConfigError(vec![Problem {
                key: "file".to_owned(),
                detail: without_values(&error),
            }]));
        }
        Ok(Self {
            source,
            asked: BTreeSet::new(),
            problems: Vec::new(),
        })
    }

    fn value(&mut self, key: &str) -> Option<Value> {
        self.asked.insert(key.to_owned());
        self.source.find_value(key).ok()
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::String(_, text) => Some(text),
            // A secret or id of digits alone comes from the environment as a number.
            Value::Num(_, number) => {
                let unsigned = number.to_u128().map(|number| number.to_string());
                let text = unsigned.or_else(|| number.to_i128().map(|number| number.to_string()));
                if text.is_none() {
                    self.report(key, "must be a text or a whole number");
                }
                text
            }
            Value::Bool(_, flag) => Some(flag.to_string()),
            _ => {
                self.report(key, "must be a text");
                None
            }
        }
    }

    /// Records a configuration error.
    pub fn report(&mut self, key: &str, detail: impl fmt::Display) {
        self.problems.push(Problem {
            key: key.to_owned(),
            detail: detail.to_string(),
        });
    }

    /// A key that must be there. `expected` says what it is: "the client id of…".
    pub fn required<T: FromStr<Err: fmt::Display>>(&mut self, key: &str, expected: &str) -> Option<T> {
        let before = self.problems.len();
        let Some(text) = self.text(key) else {
            if self.problems.len() == before {
                self.report(key, format_args!("is missing: {expected}"));
            }
            return None;
        };
        self.parse(key, &text)
    }

    /// A key with a default.
    pub fn optional<T: FromStr<Err: fmt::Display>>(&mut self, key: &str, default: T) -> Option<T> {
        let before = self.problems.len();
        match self.text(key) {
            Some(text) => self.parse(key, &text),
            None if self.problems.len() > before => None,
            None => Some(default),
        }
    }

    /// A number with a default that must not be below a least one.
    pub fn at_least(&mut self, key: &str, least: u32, default: u32) -> Option<u32> {
        let number = self.optional(key, default)?;
        if number < least {
            self.report(key, format_args!("must be at least {least}"));
            return None;
        }
        Some(number)
    }

    /// A key that may be absent.
    pub fn maybe<T: FromStr<Err: fmt::Display>>(&mut self, key: &str) -> Option<T> {
        self.text(key).and_then(|text| self.parse(key, &text))
    }

    fn parse<T: FromStr<Err: fmt::Display>>(&mut self, key: &str, text: &str) -> Option<T> {
        text.parse().inspect_err(|error| self.report(key, error)).ok()
    }

    /// A URL with one of these schemes and nothing beside host, port and path: no credentials, no query, no fragment.
    pub fn plain_url(&mut self, key: &str, text: &str, schemes: &[&str]) -> Option<Url> {
        let url = Url::parse(text).ok().filter(|url| {
            schemes.contains(&url.scheme())
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if url.is_none() {
            let schemes = schemes.join(" or ");
            self.report(
                key,
                format_args!("must be an absolute {schemes} URL without user, password, query and fragment"),
            );
        }
        url
    }

    /// The same where it may be absent.
    pub fn maybe_plain_url(&mut self, key: &str, schemes: &[&str]) -> Option<Url> {
        let text: String = self.maybe(key)?;
        self.plain_url(key, &text, schemes)
    }

    /// A list of texts; in the environment `["a", "b"]`, or `a,b`.
    pub fn list<T: FromStr<Err: fmt::Display>>(&mut self, key: &str) -> Option<Vec<T>> {
        let texts: Vec<String> = match self.value(key)? {
            Value::Array(_, items) => {
                let given = items.len();
                let texts: Vec<String> = items.into_iter().filter_map(Value::into_string).collect();
                if texts.len() < given || texts.iter().any(|text| text.trim().is_empty()) {
                    self.report(key, "must be a list of texts, none of them empty");
                    return None;
                }
                texts
            }
            Value::String(_, text) => text
                .split(',')
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect(),
            _ => {
                self.report(key, "must be a list of texts");
                return None;
            }
        };
        texts.iter().map(|text| self.parse(key, text)).collect()
    }

    /// A secret of at least so many bytes: its value appears in no message. `fix` says where to get one.
    pub fn secret(&mut self, key: &str, expected: &str, shortest: usize, fix: &str) -> Option<SecretString> {
        let secret: String = self.required(key, expected)?;
        if let Some(why) = strength::weakness(&secret, shortest) {
            self.report(key, format_args!("{why}; {fix}"));
            return None;
        }
        Some(secret.into())
    }

    /// A URL with a secret in it: its value appears in no message.
    pub fn secret_url(&mut self, key: &str, expected: &str) -> Option<SecretString> {
        self.required::<String>(key, expected).map(SecretString::from)
    }

    /// A length of time such as `"90s"` or `"5m"`, within bounds.
    pub fn duration(&mut self, key: &str, default: Duration, longest: Duration) -> Option<Duration> {
        let time = self.duration_or_none(key, default, longest)?;
        if time.is_zero() {
            self.report(key, "must be more than 0");
            return None;
        }
        Some(time)
    }

    /// The same, or `"0s"` for no time at all.
    pub fn duration_or_none(&mut self, key: &str, default: Duration, longest: Duration) -> Option<Duration> {
        let Some(text) = self.text(key) else {
            return Some(default);
        };
        match humantime::parse_duration(&text) {
            Ok(value) if value <= longest => Some(value),
            Ok(_) => {
                let longest = humantime::format_duration(longest);
                self.report(key, format_args!("must be at most {longest}"));
                None
            }
            Err(_) => {
                self.report(
                    key,
                    "must be a length of time such as \"90s\", \"500ms\" or \"5m\"",
                );
                None
            }
        }
    }

    /// The keys that were asked for.
    #[cfg(test)]
    pub(super) fn asked(&self) -> impl Iterator<Item = &str> {
        self.asked.iter().map(String::as_str)
    }

    /// Ends the reading: what was set and never asked for is a mistake too, for a misspelt key would silently do nothing.
    pub fn finish_with_unknown_keys(mut self) -> Result<(), ConfigError> {
        let mut set = Vec::new();
        if let Ok(dict) = self.source.extract::<figment::value::Dict>() {
            leaves("", &dict, &mut set);
        }
        for key in set {
            if !self.asked.contains(&key) {
                self.report(&key, "is not a setting of this version");
            }
        }
        self.finish()
    }

    /// Ends the reading of a part: keys of other sections are not looked at.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError(self.problems))
        }
    }
}

/// The parser's error without the line it quotes, which may hold a secret.
fn without_values(error: &figment::Error) -> String {
    let text = error.to_string();
    let place = text.lines().next().unwrap_or_default();
    match place.split_once("TOML parse error") {
        Some((_, place)) => format!("is no TOML{}", place.trim_end_matches(':')),
        None => "can't be read: it is missing, or no TOML".to_owned(),
    }
}

fn leaves(prefix: &str, dict: &figment::value::Dict, into: &mut Vec<String>) {
    for (key, value) in dict {
        let path = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Dict(_, inner) => leaves(&path, inner, into),
            _ => into.push(path),
        }
    }
}
