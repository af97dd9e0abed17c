//! Failure points: places where a process can be made to die, to wait or to fail, so that what must hold then can be tried.
//! They stand where every operation passes: around each commit, each call that leaves and each answer that arrives.
//! They exist only with the feature `failure-points`, which is off by default, and with debug assertions, which a release build does
//! not have: a build of the whole workspace turns the feature on for every program in it. `docs/reliability.md` describes their use.

#[cfg(all(feature = "failure-points", debug_assertions))]
mod armed;
#[cfg(all(feature = "failure-points", debug_assertions))]
mod plan;

#[cfg(all(feature = "failure-points", debug_assertions))]
pub use armed::{Armed, arm, arm_process};
#[cfg(all(feature = "failure-points", debug_assertions))]
pub(crate) use armed::{Failed, failpoint};
#[cfg(all(feature = "failure-points", debug_assertions))]
pub use plan::{Action, PlanError};

/// On which side of something a point stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Nothing of it has happened.
    Before,
    /// It has happened, and is not reported yet.
    After,
}

impl Moment {
    #[cfg(all(feature = "failure-points", debug_assertions))]
    const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// Nothing fails here: there are no points.
#[cfg(not(all(feature = "failure-points", debug_assertions)))]
pub(crate) type Failed = std::convert::Infallible;

/// The point `kind/what/before` or `kind/what/after`, which is not there.
#[cfg(not(all(feature = "failure-points", debug_assertions)))]
pub(crate) fn failpoint(
    _kind: &'static str,
    _what: &str,
    _moment: Moment,
) -> std::future::Ready<Result<(), Failed>> {
    std::future::ready(Ok(()))
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format as _, Toml};
    use figment::value::Value;

    /// What release builds of the whole workspace have, in which the feature is on, `.ci/release-build` looks for.
    #[test]
    fn the_service_as_it_is_deployed_has_no_failure_points() {
        let manifest = Figment::from(Toml::string(include_str!("../../Cargo.toml")));
        let features: Value = manifest.find_value("features").expect("features");
        let features = features.as_dict().expect("a table");
        assert!(features.contains_key("failure-points"));
        assert!(!features.contains_key("default"));
        let asserts = manifest.find_value("profile.release.debug-assertions");
        assert!(asserts.is_err(), "debug assertions bring failure points");
        let image = include_str!("../../Dockerfile");
        for build in image.lines().filter(|line| line.contains("cargo build")) {
            assert!(
                build.contains("--package tenant-bridge --bin tenant-bridge"),
                "{build}"
            );
            assert!(!build.contains("features"), "{build}");
        }
    }
}
