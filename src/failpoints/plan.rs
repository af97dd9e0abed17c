//! What is armed for a whole process, as text.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Text that arms nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failure points: \"{0}\" is none of name=abort, name=fail, name=pause:file (with @n or @n+), record=file, when=file"
)]
pub struct PlanError(String);

impl PlanError {
    pub(super) fn record(file: &Path, error: &std::io::Error) -> Self {
        Self(format!("record={}: {error}", file.display()))
    }
}

/// What happens at a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The process dies at once, without destructors.
    Abort,
    /// What stands after the point is not done, or the result before it is lost: the task sees an outage.
    Fail,
    /// The task waits: until the file, which is made on arrival, is gone; without one, until [`Armed`](super::Armed) is released.
    Pause(Option<PathBuf>),
}

/// What is armed for a whole process, parted by semicolons:
/// `name=abort`, `name=fail`, `name=pause:file`; with `@n` at the nth passing (the first, if nothing is said), with `@n+` from
/// the nth on; `record=file` appends the name of each point that is passed; `when=file` counts and records only from the moment
/// on when that file is there.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) points: Vec<(String, Action, Passing)>,
    pub(super) record: Option<PathBuf>,
    pub(super) when: Option<PathBuf>,
}

/// At which passings something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passing {
    /// The first one, counted from 1.
    pub(super) first: u32,
    /// Whether at all later ones too.
    pub(super) on: bool,
}

impl FromStr for Plan {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let mut plan = Self::default();
        let entries = text.split(';').map(str::trim);
        for entry in entries.filter(|entry| !entry.is_empty()) {
            let wrong = || PlanError(entry.to_owned());
            let (name, what) = entry.rsplit_once('=').ok_or_else(wrong)?;
            match name {
                "record" => plan.record = Some(what.into()),
                "when" => plan.when = Some(what.into()),
                name => {
                    let (action, passing) = met(what).ok_or_else(wrong)?;
                    plan.points.push((name.to_owned(), action, passing));
                }
            }
        }
        Ok(plan)
    }
}

fn met(what: &str) -> Option<(Action, Passing)> {
    let (action, passing) = what.rsplit_once('@').unwrap_or((what, "1"));
    let (first, on) = match passing.strip_suffix('+') {
        Some(first) => (first, true),
        None => (passing, false),
    };
    let passing = Passing {
        first: first.parse().ok().filter(|first| *first > 0)?,
        on,
    };
    let action = match action.split_once(':') {
        None if action == "abort" => Action::Abort,
        None if action == "fail" => Action::Fail,
        Some(("pause", file)) if !file.is_empty() => Action::Pause(Some(file.into())),
        _ => return None,
    };
    Some((action, passing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_points_what_happens_there_and_at_which_passing() {
        let plan: Plan = "arm/PUT data connection/before=abort@2; commit/record removal/after=fail@3+;\
             arm/GET subscription's tenant/after=pause:/tmp/held; record=/tmp/passed; when=/tmp/go;"
            .parse()
            .expect("a plan");
        let at = |first, on| Passing { first, on };
        assert_eq!(
            plan.points,
            [
                (
                    "arm/PUT data connection/before".to_owned(),
                    Action::Abort,
                    at(2, false)
                ),
                (
                    "commit/record removal/after".to_owned(),
                    Action::Fail,
                    at(3, true)
                ),
                (
                    "arm/GET subscription's tenant/after".to_owned(),
                    Action::Pause(Some("/tmp/held".into())),
                    at(1, false)
                ),
            ]
        );
        assert_eq!(plan.record, Some("/tmp/passed".into()));
        assert_eq!(plan.when, Some("/tmp/go".into()));
    }

    #[test]
    fn what_arms_nothing_is_refused() {
        for text in ["abort", "a=die", "a=abort@0", "a=abort@x", "a=pause", "a=pause:"] {
            assert!(text.parse::<Plan>().is_err(), "{text}");
        }
        assert_eq!("".parse::<Plan>().expect("nothing"), Plan::default());
    }
}
