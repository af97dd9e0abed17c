//! The story of Microsoft's how-to, told by the product: acc1@domain1.com has the cluster, acc2@domain2.com the event hub.
//! Every claim it prints is checked; the first that doesn't hold ends it with an error.

mod hop;
mod paint;
mod portal;

use std::io::Write;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use azure_emulator::{Entry, Host, how_to};
use serde_json::Value;

use crate::commands::request;
use crate::stack::{Stack, user_token};
use hop::Printer;
use paint::Paint;
use portal::Portal;

/// The connection's name in the story.
const NAME: &str = "telemetry";
/// How long an operation may take before the story has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Plays the story on a running stack.
///
/// # Errors
/// When anything in it did not happen as it should.
pub async fn play(stack: &Stack, out: &mut impl Write, colours: bool) -> anyhow::Result<()> {
    let paint = Paint::new(colours);
    let actor = user_token(&stack.emulator, "acc1@domain1.com", how_to::DOMAIN1)?;
    let auxiliary = user_token(&stack.emulator, "acc2@domain2.com", how_to::DOMAIN2)?;
    let portal = Portal::new(stack.url()?, actor, auxiliary);
    let mut printer = Printer::new(&stack.emulator, paint);

    writeln!(
        out,
        "{}",
        paint.heading("Connect database telemetry in domain1.com to event hub hub1 in domain2.com")
    )?;
    let answer = portal.create(&request(NAME)).await?;
    printer.portal(
        out,
        &answer,
        "acc1@domain1.com, with acc2@domain2.com's token for the other tenant",
    )?;
    ensure!(
        matches!(answer.status, 201 | 202),
        "the create was answered {}: {}",
        answer.status,
        answer.body
    );
    let operation = answer
        .operation
        .clone()
        .context("the answer names no operation")?;
    let ended = portal.follow(&operation, PATIENCE).await?;
    printer.hops(out)?;
    printer.portal(out, &ended, "acc1@domain1.com")?;
    check_put(&printer.seen)?;
    ensure!(
        ended.body["status"] == "succeeded",
        "the create ended as {}",
        ended.body
    );

    let id = answer.text("/id").context("the answer has no id")?;
    let record = portal.get(&format!("/v1/connections/{id}")).await?;
    ensure!(
        record.body["state"] == "active",
        "the record says {}",
        record.body["state"]
    );
    show(out, paint, "The record in Postgres", &record.body)?;
    let there = |stack: &Stack| {
        stack
            .emulator
            .read(|world| world.data_connection(&data_connection()))
    };
    ensure!(there(stack).is_some(), "ARM has no such data connection");
    let events = portal.get(&format!("/v1/connections/{id}/events")).await?;
    show_events(out, paint, &events.body)?;
    ensure_kinds(
        &events.body,
        &["create.intended", "create.accepted", "create.succeeded"],
    )?;

    writeln!(
        out,
        "{}",
        paint.heading("Remove it again, with the token of the cluster's tenant alone")
    )?;
    let answer = portal.remove(&id).await?;
    printer.portal(out, &answer, "acc1@domain1.com")?;
    ensure!(
        matches!(answer.status, 200 | 202),
        "the removal was answered {}: {}",
        answer.status,
        answer.body
    );
    let operation = answer
        .operation
        .clone()
        .context("the answer names no operation")?;
    let ended = portal.follow(&operation, PATIENCE).await?;
    printer.hops(out)?;
    printer.portal(out, &ended, "acc1@domain1.com")?;
    let record = portal.get(&format!("/v1/connections/{id}")).await?;
    ensure!(
        record.body["state"] == "removed",
        "the record says {}",
        record.body["state"]
    );
    ensure!(there(stack).is_none(), "ARM still has the data connection");
    let events = portal.get(&format!("/v1/connections/{id}/events")).await?;
    ensure_kinds(
        &events.body,
        &["remove.intended", "remove.accepted", "remove.succeeded"],
    )?;
    show_events(out, paint, &events.body)?;
    writeln!(out, "\n{}", paint.good("The record stays, in the state removed."))?;
    Ok(())
}

/// What the whole story is about: one PUT, in the target tenant's name, with the source tenant's token beside it.
fn check_put(seen: &[Entry]) -> anyhow::Result<()> {
    let puts: Vec<&Entry> = seen
        .iter()
        .filter(|entry| entry.host == Host::Arm && entry.method == "PUT")
        .collect();
    ensure!(puts.len() == 1, "{} PUTs reached ARM", puts.len());
    let put = puts.first().context("no PUT reached ARM")?;
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

fn data_connection() -> String {
    format!("{}/dataConnections/{NAME}", how_to::DATABASE)
}

fn ensure_kinds(events: &Value, wanted: &[&str]) -> anyhow::Result<()> {
    let kinds: Vec<&str> = events["value"]
        .as_array()
        .map(|events| events.iter().filter_map(|event| event["kind"].as_str()).collect())
        .unwrap_or_default();
    for kind in wanted {
        ensure!(kinds.contains(kind), "the ledger lacks {kind}; it has {kinds:?}");
    }
    Ok(())
}

fn show(out: &mut impl Write, paint: Paint, title: &str, value: &Value) -> anyhow::Result<()> {
    writeln!(
        out,
        "\n{}\n{}",
        paint.heading(title),
        serde_json::to_string_pretty(value)?
    )?;
    Ok(())
}

fn show_events(out: &mut impl Write, paint: Paint, events: &Value) -> anyhow::Result<()> {
    writeln!(out, "\n{}", paint.heading("Its ledger"))?;
    for event in events["value"].as_array().into_iter().flatten() {
        let text = |member: &str| event[member].as_str().unwrap_or_default().to_owned();
        writeln!(
            out,
            "{:>4}  {:<27}  {:<17}  {}",
            event["sequence"],
            text("occurredAt"),
            paint.strong(&text("kind")),
            paint.faint(&event["details"].to_string())
        )?;
    }
    writeln!(out)?;
    Ok(())
}
