//! The checker: a pure function from a history to what is wrong with it. Each file holds one kind of promise.

mod acknowledged;
mod order;
mod refusals;
mod sends;
mod steps;
mod strangers;
#[cfg(test)]
mod tests;
mod world;

use super::record::History;

/// Everything in the history that breaks a promise; nothing if all of them were kept.
#[must_use]
pub fn objections(history: &History) -> Vec<String> {
    let mut found = Vec::new();
    acknowledged::check(history, &mut found);
    refusals::check(history, &mut found);
    sends::check(history, &mut found);
    order::check(history, &mut found);
    steps::check(history, &mut found);
    strangers::check(history, &mut found);
    world::check(history, &mut found);
    found
}
