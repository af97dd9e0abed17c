//! Roles: which actions they allow where, what ARM's API shows and changes of them, and custom ones.
//! `evaluation` is a table of who may do what, `assignments` gives and takes roles over the API, `lists` reads.

mod assignments;
mod evaluation;
mod lists;
mod seeded;

use azure_emulator::how_to::SUBSCRIPTION1;

/// The first subscription.
fn subscription() -> String {
    format!("/subscriptions/{SUBSCRIPTION1}")
}

/// An address of Microsoft.Authorization at a scope.
fn at(scope: &str, what: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/{what}?api-version=2022-04-01")
}
