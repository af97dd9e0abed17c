//! Changes of the running cloud, as JSON: `{"revokeConsent": {"app": "…", "tenant": "…"}}`, or a list of such objects, of
//! which either all are done or none. Each file here has the changes of one subject; each variant is a change.

mod apps;
mod credentials;
mod groups;
mod hubs;
mod kusto;
mod limits;
mod making;
mod names;
mod people;
mod policies;
mod rights;
mod running;
mod sources;

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::refusal::{self, Refusal};
use crate::azure::Azure;
use crate::directory::{CredentialError, UnknownName};
use crate::resources::ChangeError;
use crate::shape;
use crate::world::World;

/// What changes are tried on, so that a list with something wrong in it changes nothing.
struct Draft {
    world: World,
    /// What is to be done with the signing keys, which are not the world's.
    keys: Vec<KeyChange>,
}

enum KeyChange {
    Rotate,
    Retire,
}

/// The changes of one subject.
trait Subject: DeserializeOwned {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong>;
}

/// Why a change can't be made.
enum Wrong {
    Unknown(UnknownName),
    /// A member of the change, what is wrong with it, and what would do.
    Member(&'static str, &'static str, &'static str),
    Other(String),
}

impl From<UnknownName> for Wrong {
    fn from(unknown: UnknownName) -> Wrong {
        Wrong::Unknown(unknown)
    }
}

impl From<ChangeError> for Wrong {
    fn from(error: ChangeError) -> Wrong {
        match error {
            ChangeError::Unknown(unknown) => Wrong::Unknown(unknown),
            other => Wrong::Other(other.to_string()),
        }
    }
}

impl From<CredentialError> for Wrong {
    fn from(error: CredentialError) -> Wrong {
        match error {
            CredentialError::Unknown(unknown) => Wrong::Unknown(unknown),
            other => Wrong::Other(other.to_string()),
        }
    }
}

/// A subject as a row of the list below.
struct Row {
    changes: fn() -> Vec<(&'static str, Vec<String>)>,
    apply: fn(&Value, &str, &str, &mut Draft) -> Result<(), Refusal>,
}

const fn row<S: Subject>() -> Row {
    Row {
        changes: shape::variants::<S>,
        apply: |value, at, fix, draft| {
            let change: S = refusal::parse(value, at, fix)?;
            change
                .apply(draft)
                .map_err(|wrong| explain(wrong, value, at, &draft.world))
        },
    }
}

const SUBJECTS: [Row; 12] = [
    row::<people::People>(),
    row::<groups::Groups>(),
    row::<policies::Policies>(),
    row::<apps::Apps>(),
    row::<credentials::Credentials>(),
    row::<making::Making>(),
    row::<rights::Rights>(),
    row::<limits::Limits>(),
    row::<hubs::Hubs>(),
    row::<kusto::Kusto>(),
    row::<sources::Sources>(),
    row::<running::Running>(),
];

/// Every change with its members.
pub(super) fn catalogue() -> Value {
    let all = SUBJECTS.iter().flat_map(|subject| (subject.changes)());
    let named: Map<String, Value> = all
        .map(|(name, members)| (name.to_owned(), json!(members)))
        .collect();
    Value::Object(named)
}

/// Does the changes of a body. Gives how many there were.
pub(super) fn apply(azure: &Azure, body: &Value) -> Result<usize, Refusal> {
    let single = std::slice::from_ref(body);
    let (changes, is_list) = match body {
        Value::Array(list) => (list.as_slice(), true),
        _ => (single, false),
    };
    let mut world = azure.world();
    let mut draft = Draft {
        world: world.clone(),
        keys: Vec::new(),
    };
    draft.world.clock = world.clock.detached();
    for (index, change) in changes.iter().enumerate() {
        let at = if is_list {
            format!("[{index}]")
        } else {
            String::new()
        };
        apply_one(change, &at, &mut draft)?;
    }
    world.clock.follow(&draft.world.clock);
    draft.world.clock = world.clock.clone();
    *world = draft.world;
    drop(world);
    for change in &draft.keys {
        match change {
            KeyChange::Rotate => azure
                .keys
                .rotate()
                .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string(), ""))?,
            KeyChange::Retire => azure.keys.retire(),
        }
    }
    Ok(changes.len())
}

fn apply_one(change: &Value, at: &str, draft: &mut Draft) -> Result<(), Refusal> {
    let list = "GET /admin/changes lists every change with its members";
    let mut members = change.as_object().into_iter().flatten();
    let (Some((name, _)), None) = (members.next(), members.next()) else {
        let error = "a change is an object with one member: its name, and in it what it is about";
        return Err(Refusal::bad(at, error, list));
    };
    for subject in &SUBJECTS {
        if let Some((_, members)) = (subject.changes)().into_iter().find(|(known, _)| known == name) {
            let fix = format!("{name} has these members: {}", members.join(", "));
            return (subject.apply)(change, at, &fix, draft);
        }
    }
    Err(Refusal::bad(at, format!("there is no change \"{name}\""), list))
}

/// Finds the place of a name that is not known, and names those that are.
fn explain(wrong: Wrong, change: &Value, at: &str, world: &World) -> Refusal {
    let below = |inner: &str| format!("{at}{inner}").trim_start_matches('.').to_owned();
    let place = |member: Option<&str>| {
        let name = change.as_object().and_then(|change| change.keys().next());
        let parts = name.map(String::as_str).into_iter().chain(member);
        below(&parts.map(|part| format!(".{part}")).collect::<String>())
    };
    match wrong {
        Wrong::Unknown(unknown) => {
            // What is named within another name has no place of its own.
            let path = place_of(change, &unknown.name);
            let path = path.map_or_else(|| place(None), |inner| below(&inner));
            Refusal::bad(&path, unknown.to_string(), names::known(world, unknown.kind))
        }
        Wrong::Member(member, error, fix) => Refusal::bad(&place(Some(member)), error, fix),
        Wrong::Other(error) => Refusal::bad(&place(None), error, ""),
    }
}

fn texts(owned: &[String]) -> Vec<&str> {
    owned.iter().map(String::as_str).collect()
}

/// Where this text stands in the value, as `.member[0]`; case is ignored, as ids are normalised.
fn place_of(value: &Value, text: &str) -> Option<String> {
    match value {
        Value::String(found) => found.eq_ignore_ascii_case(text).then(String::new),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(i, item)| Some(format!("[{i}]{}", place_of(item, text)?))),
        Value::Object(members) => members
            .iter()
            .find_map(|(name, member)| Some(format!(".{name}{}", place_of(member, text)?))),
        _ => None,
    }
}
