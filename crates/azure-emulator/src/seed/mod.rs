//! Seeds: what a cloud starts with, written in TOML, checked whole before anything starts.
//! `file` is the format (`arm` that of ARM's rules, `sources` that of storage accounts and their events), `build` turns it into directory and resources and names every error with its path.
//! What happens to it afterwards is `world`'s.

mod arm;
mod build;
#[cfg(test)]
mod documented;
mod file;
mod sources;

use crate::arm::Rules;
use std::path::Path;

use crate::directory::Directory;
use crate::entra::Limits;
use crate::resources::Resources;

/// A checked seed.
#[derive(Clone, Debug)]
pub struct Seed {
    pub(crate) directory: Directory,
    pub(crate) resources: Resources,
    pub(crate) arm: Rules,
    pub(crate) limits: Limits,
}

/// Why a seed is refused.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// There is no such file, or none of text.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// Not TOML, or a member of the wrong name or type; the text tells line and column.
    #[error("{0}")]
    Format(#[from] toml::de::Error),
    /// The members contradict each other. Every problem is listed.
    #[error("{}", list(.0))]
    Content(Vec<Problem>),
}

/// One thing wrong with a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `users[2].guest_in[0].tenant`.
    pub path: String,
    /// What.
    pub message: String,
}

fn list(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|p| format!("{}: {}", p.path, p.message))
        .collect::<Vec<_>>()
        .join("\n")
}

impl Seed {
    /// Parses and checks a seed. Files that it names are looked for from the working directory.
    pub fn from_toml(text: &str) -> Result<Seed, SeedError> {
        build::build(&toml::from_str(text)?).map_err(SeedError::Content)
    }

    /// Parses and checks a seed's file. Files that it names are looked for beside it.
    pub fn from_file(path: &Path) -> Result<Seed, SeedError> {
        let mut file: file::File = toml::from_str(&std::fs::read_to_string(path)?)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let certificates = file.apps.iter_mut().flat_map(|app| &mut app.certificates);
        for named in certificates.filter_map(|certificate| certificate.path.as_mut()) {
            *named = folder.join(&*named);
        }
        build::build(&file).map_err(SeedError::Content)
    }

    /// The seed that stands for Microsoft's how-to on ingestion across tenants.
    #[expect(
        clippy::expect_used,
        reason = "the seed is part of the crate and a test loads it"
    )]
    pub fn how_to() -> Seed {
        Seed::from_toml(include_str!("../../seeds/how-to.toml")).expect("the built-in seed is valid")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        match Seed::from_toml(text) {
            Err(SeedError::Content(problems)) => problems.into_iter().map(|p| p.path).collect(),
            other => panic!("expected problems, got {other:?}"),
        }
    }

    #[test]
    fn the_built_in_seed_is_valid() {
        let seed = Seed::how_to();
        assert_eq!(seed.directory.tenants.len(), 3);
    }

    #[test]
    fn every_error_is_named_with_its_path() {
        let found = problems(
            r#"
            [[tenants]]
            id = "not-a-guid"
            name = "One"
            domains = ["domain1.com"]

            [[users]]
            upn = "acc1@domain1.com"
            name = "Account 1"
            oid = "00000000-0000-4000-8000-000000000001"
            guest_in = [{ tenant = "domain2.com", oid = "00000000-0000-4000-8000-000000000002" }]

            [[users]]
            upn = "acc2@nowhere.com"
            name = "Account 2"
            oid = "00000000-0000-4000-8000-000000000001"

            [[role_assignments]]
            principal = "acc9@domain1.com"
            role = "Emperor"
            scope = "hub1"
            "#,
        );
        assert_eq!(
            found,
            [
                "tenants[0].id",
                "users[0].guest_in[0].tenant",
                "users[1].upn",
                "users[1].oid",
                "role_assignments[0].scope",
            ]
        );
    }

    #[test]
    fn credentials_permissions_and_administrators_are_checked_too() {
        let tenant = "[[tenants]]\nid = \"11111111-1111-4111-8111-111111111111\"\nname = \"One\"\ndomains = [\"domain1.com\"]\n";
        let rest = r#"
            [[users]]
            upn = "acc1@domain1.com"
            name = "Account 1"
            oid = "00000000-0000-4000-8000-000000000001"
            admin_of = ["domain1.com", "nowhere.com"]

            [[apps]]
            name = "one"
            client_id = "00000000-0000-4000-8000-000000000002"
            tenant = "domain1.com"
            certificates = [{ pem = "nothing" }, { path = "/does/not/exist.pem" }, {}]
            federated_credentials = [{ issuer = "https://issuer.example/", subject = "x" }]
            permissions = [{ resource = "azure-resource-manager", scopes = ["user_impersonation", "more"] }]

            [[issuers]]
            issuer = "https://issuer.example/"
            jwks = '{"keys": []}'
            "#;
        assert_eq!(
            problems(&format!("{tenant}{rest}")),
            [
                "apps[0].certificates[0]",
                "apps[0].certificates[1]",
                "apps[0].certificates[2]",
                "apps[0].permissions[0].scopes",
                "issuers[0].jwks",
                "users[0].admin_of[1]",
            ]
        );
    }

    #[test]
    fn an_unknown_member_is_refused_with_its_line() {
        let error =
            Seed::from_toml("[[tenants]]\nid = \"x\"\nname = \"One\"\ndomains = []\ncolour = \"red\"\n")
                .unwrap_err();
        let text = error.to_string();
        assert!(text.contains("line 5") && text.contains("colour"), "{text}");
    }
}
