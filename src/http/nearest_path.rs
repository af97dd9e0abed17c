//! The path that a caller may have meant, for one that leads nowhere.

use std::sync::Arc;

use crate::domain::Code;
use crate::http::problem::Problem;

/// The most characters of a path that are looked at.
const MAX_COMPARED: usize = 200;

/// The paths of this service, as their documents write them: `{id}` stands for any one segment.
#[derive(Debug, Clone)]
pub(super) struct Paths(Arc<[String]>);

impl Paths {
    pub(super) fn new(paths: impl IntoIterator<Item = String>) -> Self {
        Self(paths.into_iter().collect())
    }

    /// The problem of a path that leads nowhere. It quotes nothing of the caller's path.
    pub(super) fn not_found(&self, path: &str) -> Problem {
        let detail = self.nearest(path).map_or_else(
            || "there is nothing at this path; `/docs` lists those there are".to_owned(),
            |nearest| format!("there is nothing at this path; the nearest one is {nearest}"),
        );
        Problem::new(Code::NotFound, detail)
    }

    /// The path that differs the least, if that is at most a third of it.
    fn nearest(&self, path: &str) -> Option<&str> {
        let path: String = path.chars().take(MAX_COMPARED).collect();
        let path = path.to_ascii_lowercase();
        let distances = self.0.iter().map(|known| {
            let filled = fill(known, &path);
            (strsim::osa_distance(&filled, known), known)
        });
        let (distance, known) = distances.min_by_key(|(distance, _)| *distance)?;
        (distance * 3 <= known.len()).then_some(known.as_str())
    }
}

/// The path with the segments that stand where the known one has a parameter replaced by that parameter.
fn fill(known: &str, path: &str) -> String {
    let mut names = known.split('/');
    let segments = path.split('/').map(|segment| match names.next() {
        Some(name) if name.starts_with('{') && !segment.is_empty() => name,
        _ => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> Paths {
        let known = [
            "/v1/connections",
            "/v1/connections/{id}",
            "/v1/connections/{id}/events",
            "/v1/operations/{id}",
            "/livez",
            "/docs",
        ];
        Paths::new(known.map(str::to_owned))
    }

    #[test]
    fn a_wrong_path_names_the_nearest_right_one() {
        for (wrong, nearest) in [
            ("/v1/connections/", "/v1/connections"),
            ("/V1/Connections", "/v1/connections"),
            ("/connections", "/v1/connections"),
            ("/api/v1/connections", "/v1/connections"),
            (
                "/v1/connection/0192f0c1-6a2d-7c84-b1f0-9e3d5a7c1b20",
                "/v1/connections/{id}",
            ),
            ("/v1/connections/7/event", "/v1/connections/{id}/events"),
            ("/v1/operation/7", "/v1/operations/{id}"),
            ("/lives", "/livez"),
        ] {
            assert_eq!(paths().nearest(wrong), Some(nearest), "{wrong}");
        }
    }

    #[test]
    fn a_path_that_is_like_none_names_none() {
        for wrong in ["/", "/admin", "/.env", "", "/wp-login.php", &"/é".repeat(5000)] {
            assert_eq!(paths().nearest(wrong), None, "{wrong}");
        }
    }
}
