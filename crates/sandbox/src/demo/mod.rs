//! The story of Microsoft's how-to, told by the product: acc1@domain1.com has the cluster, acc2@domain2.com the event hub.
//! Every claim it prints is checked; the first that doesn't hold ends it with an error.

mod hop;
mod paint;
mod portal;

use std::io::Write;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use azure_emulator::{Emulator, Entry, Host, how_to};
use serde_json::Value;

use crate::commands::request;
use crate::stack::{Stack, user_token};
use hop::Printer;
use paint::Paint;
use portal::{Answer, Portal};

/// The connection's name in the story.
const NAME: &str = "telemetry";
/// How long an operation may take before the story has failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// Who tells the portal what to do.
const ACTOR: &str = "acc1@domain1.com";

/// Plays the story on a running stack.
///
/// # Errors
/// When anything in it did not happen as it should.
pub async fn play(stack: &Stack, out: &mut impl Write, colours: bool) -> anyhow::Result<()> {
    let paint = Paint::new(colours);
    let actor = user_token(&stack.emulator, ACTOR, how_to::DOMAIN1)?;
    let auxiliary = user_token(&stack.emulator, "acc2@domain2.com", how_to::DOMAIN2)?;
    let mut story = Story {
        emulator: &stack.emulator,
        portal: Portal::new(stack.url()?, actor, auxiliary),
        printer: Printer::new(&stack.emulator, paint),
        paint,
        out,
    };
    let id = story.connect().await?;
    story.remove(&id).await
}

struct Story<'a, W> {
    emulator: &'a Emulator,
    portal: Portal,
    printer: Printer<'a>,
    paint: Paint,
    out: &'a mut W,
}

impl<W: Write> Story<'_, W> {
    /// Creates the connection and shows that it is there. Gives its id.
    async fn connect(&mut self) -> anyhow::Result<String> {
        let title = "Connect event hub hub1 of domain2.com to database telemetry of domain1.com";
        writeln!(self.out, "{}", self.paint.heading(title))?;
        let answer = self.portal.create(&request(NAME)).await?;
        let who =
            format!("{ACTOR}'s user token, x-ms-authorization-auxiliary: acc2@domain2.com's user token");
        self.printer.portal(self.out, &answer, &who)?;
        self.follow(&answer).await?;
        check_put(&self.printer.seen)?;
        let id = answer.text("/id").context("the answer has no id")?;
        let record = self.record(&id, "active").await?;
        writeln!(self.out, "\n{}", self.paint.heading("The record in Postgres"))?;
        writeln!(self.out, "{}", serde_json::to_string_pretty(&record)?)?;
        ensure!(self.at_arm(), "ARM has no such data connection");
        self.ledger(
            &id,
            &["create.intended", "create.accepted", "create.succeeded"],
            0,
        )
        .await?;
        Ok(id)
    }

    /// Removes the connection and shows that it is gone, and that its record is not.
    async fn remove(&mut self, id: &str) -> anyhow::Result<()> {
        let title = "Remove it again, with a token for the cluster's tenant alone";
        writeln!(self.out, "\n{}", self.paint.heading(title))?;
        let answer = self.portal.remove(id).await?;
        self.printer
            .portal(self.out, &answer, &format!("{ACTOR}'s user token"))?;
        self.follow(&answer).await?;
        let record = self.record(id, "removed").await?;
        ensure!(!self.at_arm(), "ARM still has the data connection");
        self.ledger(id, &["remove.intended", "remove.accepted", "remove.succeeded"], 3)
            .await?;
        let state = record
            .pointer("/state")
            .and_then(Value::as_str)
            .unwrap_or_default();
        writeln!(
            self.out,
            "\nThe record stays: {id} is {}.",
            self.paint.good(state)
        )?;
        Ok(())
    }

    /// Follows the operation of an answer to its success, and prints the hops it took.
    async fn follow(&mut self, answer: &Answer) -> anyhow::Result<()> {
        ensure!(
            answer.status < 300,
            "{} was answered {}: {}",
            answer.path,
            answer.status,
            answer.body
        );
        let operation = answer
            .operation
            .clone()
            .context("the answer names no operation")?;
        let ended = self.portal.follow(&operation, PATIENCE).await?;
        self.printer.hops(self.out)?;
        self.printer
            .portal(self.out, &ended, &format!("{ACTOR}'s user token"))?;
        let status = ended.text("/status").unwrap_or_default();
        ensure!(
            status == "succeeded",
            "the operation ended as {status}: {}",
            ended.body
        );
        Ok(())
    }

    async fn record(&self, id: &str, wanted: &str) -> anyhow::Result<Value> {
        let record = self.portal.get(&format!("/v1/connections/{id}")).await?;
        let state = record.text("/state").unwrap_or_default();
        ensure!(state == wanted, "the record says {state} instead of {wanted}");
        Ok(record.body)
    }

    fn at_arm(&self) -> bool {
        let id = format!("{}/dataConnections/{NAME}", how_to::DATABASE);
        self.emulator.read(|world| world.data_connection(&id)).is_some()
    }

    /// Prints the ledger's events after the first `known`, which must be of these kinds.
    async fn ledger(&mut self, id: &str, wanted: &[&str], known: usize) -> anyhow::Result<()> {
        let answer = self.portal.get(&format!("/v1/connections/{id}/events")).await?;
        let events = answer
            .body
            .pointer("/value")
            .and_then(Value::as_array)
            .context("no events")?;
        let text = |event: &Value, member: &str| {
            event
                .get(member)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let kinds: Vec<String> = events
            .iter()
            .skip(known)
            .map(|event| text(event, "kind"))
            .collect();
        ensure!(kinds == wanted, "the ledger has {kinds:?} instead of {wanted:?}");
        writeln!(self.out, "\n{}", self.paint.heading("Its ledger"))?;
        for event in events.iter().skip(known) {
            let kind = self.paint.strong(&format!("{:<17}", text(event, "kind")));
            let details = event.get("details").map(Value::to_string).unwrap_or_default();
            writeln!(
                self.out,
                "{}  {kind}  {}",
                text(event, "occurredAt"),
                self.paint.faint(&details)
            )?;
        }
        Ok(())
    }
}

/// What the whole story is about: one PUT, in the target tenant's name, with the source tenant's token beside it.
fn check_put(seen: &[Entry]) -> anyhow::Result<()> {
    let puts: Vec<&Entry> = seen
        .iter()
        .filter(|entry| entry.host == Host::Arm && entry.method == "PUT")
        .collect();
    let [put] = puts.as_slice() else {
        anyhow::bail!("{} PUTs reached ARM instead of one", puts.len())
    };
    let primary = put.primary.as_ref().context("the PUT had no Authorization")?;
    ensure!(
        primary.tenant == how_to::DOMAIN1,
        "the PUT's Authorization was of tenant {}",
        primary.tenant
    );
    let auxiliary = put
        .auxiliary
        .first()
        .context("the PUT had no x-ms-authorization-auxiliary")?;
    ensure!(
        auxiliary.tenant == how_to::DOMAIN2,
        "the auxiliary token was of tenant {}",
        auxiliary.tenant
    );
    Ok(())
}
