//! Failure points: places where a process can be made to die, to wait or to fail, so that what must hold then can be tried.
//! They stand where every operation passes: around each commit, each call that leaves and each answer that arrives.
//! Without the feature `failure-points`, which is off by default, they are nothing at all. `docs/reliability.md` tells their use.

#[cfg(feature = "failure-points")]
mod armed;
#[cfg(feature = "failure-points")]
mod plan;

#[cfg(feature = "failure-points")]
pub use armed::{Action, Armed, arm, arm_process};
#[cfg(feature = "failure-points")]
pub(crate) use armed::{Failed, point};
#[cfg(feature = "failure-points")]
pub use plan::PlanError;

/// On which side of something a point stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Nothing of it has happened.
    Before,
    /// It has happened, and nobody has been told.
    After,
}

impl Moment {
    #[cfg(feature = "failure-points")]
    const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// Nothing fails here: there are no points.
#[cfg(not(feature = "failure-points"))]
pub(crate) type Failed = std::convert::Infallible;

/// The point `kind/what/before` or `kind/what/after`, which is not there.
#[cfg(not(feature = "failure-points"))]
pub(crate) fn point(
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

    #[test]
    fn the_service_as_it_is_deployed_has_no_failure_points() {
        let manifest = Figment::from(Toml::string(include_str!("../../Cargo.toml")));
        let features: Value = manifest.find_value("features").expect("features");
        let features = features.as_dict().expect("a table");
        assert!(features.contains_key("failure-points"));
        assert!(!features.contains_key("default"));
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
