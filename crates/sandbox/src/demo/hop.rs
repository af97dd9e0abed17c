//! One line a hop: who called whom, with whose token for which tenant, and what came back.

use std::io::Write;
use std::time::Duration;

use azure_emulator::{Emulator, Entry, Host, TokenView, how_to};

use super::paint::Paint;
use super::portal::Answer;

/// Prints hops as they are read from the emulator's journal.
pub(super) struct Printer<'a> {
    emulator: &'a Emulator,
    paint: Paint,
    printed: u64,
    /// Every call that has been printed.
    pub(super) seen: Vec<Entry>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(emulator: &'a Emulator, paint: Paint) -> Self {
        Self {
            emulator,
            paint,
            printed: 0,
            seen: Vec::new(),
        }
    }

    /// A hop from the portal to the service.
    pub(super) fn portal(&self, out: &mut impl Write, answer: &Answer, who: &str) -> std::io::Result<()> {
        let what = format!("{} {}", answer.method, short(&answer.path));
        self.line(out, "portal → bridge", (answer.status, answer.took), &what, who)
    }

    /// The hops from the service to Entra and ARM since the last time.
    pub(super) fn hops(&mut self, out: &mut impl Write) -> std::io::Result<()> {
        for entry in self.emulator.journal().entries() {
            if entry.sequence <= self.printed {
                continue;
            }
            let (hop, with) = match entry.host {
                Host::Entra => ("bridge → entra", exchange(&entry)),
                Host::Arm => ("bridge → arm", tokens(&entry)),
            };
            let what = format!("{} {}", entry.method, short(entry.path()));
            self.line(out, hop, (entry.status, entry.duration), &what, &with)?;
            self.printed = entry.sequence;
            self.seen.push(entry);
        }
        Ok(())
    }

    fn line(
        &self,
        out: &mut impl Write,
        hop: &str,
        (status, took): (u16, Duration),
        what: &str,
        with: &str,
    ) -> std::io::Result<()> {
        let milliseconds = took.as_secs_f64() * 1000.0;
        let (what, status) = (self.paint.strong(what), self.paint.status(status));
        writeln!(
            out,
            "{hop:<15}  {status} {milliseconds:>7.1} ms  {what}  {}",
            self.paint.faint(&format!("[{with}]"))
        )
    }
}

/// A path without what all of them begin with.
fn short(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let mut path = path.to_owned();
    for (id, name) in [(how_to::DOMAIN1, "domain1.com"), (how_to::DOMAIN2, "domain2.com")] {
        path = path.replace(id, name);
    }
    if path.contains("/operationResults/") {
        return "…/operationResults/…".to_owned();
    }
    match path.split_once("/providers/") {
        Some((_, rest)) => format!("…/{rest}"),
        None => path,
    }
}

/// Whose token of which tenant: the user's name where the token has one.
fn whose(token: &TokenView) -> String {
    let tenant = match token.tenant.as_str() {
        how_to::DOMAIN1 => "domain1.com",
        how_to::DOMAIN2 => "domain2.com",
        other => other,
    };
    format!(
        "{}'s token for {tenant}",
        token.upn.as_deref().unwrap_or(&token.oid)
    )
}

fn exchange(entry: &Entry) -> String {
    let Some(grant) = &entry.grant else {
        return "signing keys".to_owned();
    };
    let token = |token: &Option<TokenView>| token.as_ref().map_or_else(|| "no token".to_owned(), whose);
    format!(
        "on behalf of: {} for the bridge → {} at ARM",
        token(&grant.assertion),
        token(&grant.issued)
    )
}

fn tokens(entry: &Entry) -> String {
    let Some(primary) = &entry.primary else {
        return "no token: whose tenant is this subscription's?".to_owned();
    };
    let auxiliary: Vec<String> = entry.auxiliary.iter().map(whose).collect();
    if auxiliary.is_empty() {
        return whose(primary);
    }
    format!(
        "{}, x-ms-authorization-auxiliary: {}",
        whose(primary),
        auxiliary.join(", ")
    )
}
