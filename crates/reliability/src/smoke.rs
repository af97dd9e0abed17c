//! Whether the ground holds: two replicas come up, one is killed in the middle of a create, and comes back.

use std::process::ExitCode;

use anyhow::ensure;
use azure_emulator::{Options, how_to};
use serde_json::{Value, json};

use crate::stack::is_abort;
use crate::{Ground, Person, Settings, Stack, Tally};

/// Runs it.
///
/// # Errors
/// When something it needs is missing.
pub async fn run(ground: &Ground) -> anyhow::Result<ExitCode> {
    let stack = ground.stack(Options::default()).await?;
    let mut tally = Tally::default();
    let found = try_it(&stack).await.err().map(|error| format!("{error:#}"));
    tally.add("smoke", &Vec::from_iter(found));
    stack.stop().await?;
    Ok(tally.end("smoke")?)
}

async fn try_it(stack: &Stack) -> anyhow::Result<()> {
    let settings = Settings::hurried();
    let (mut one, other) = tokio::try_join!(
        stack.replica(&settings, "arm/PUT data connection/before=abort"),
        stack.replica(&settings, "")
    )?;
    let person = Person::caller(3);
    let client = stack.client(&one, &person)?;
    let lost = client.create(&request("smoke"), 5, None).await;
    ensure!(lost.is_err(), "the replica was to die: {lost:?}");
    let ended = one.wait(std::time::Duration::from_secs(5)).await?;
    ensure!(ended.is_some_and(is_abort), "it was to abort: {ended:?}");
    let one = stack.replace(one, &settings, "").await?;
    ensure!(
        stack
            .client(&one, &person)?
            .get("/v1/connections")
            .await?
            .is_taken_on()
    );
    // The other takes the create over, finds that nothing was made, and another create goes through.
    let again = stack.client(&other, &person)?;
    for _ in 0..200 {
        let answer = again.create(&request("smoke"), 5, None).await?;
        if answer.text("/state") == "active" {
            ensure!(
                stack
                    .database
                    .number("select count(*) from connections where closed_at is null")
                    .await?
                    == 1
            );
            return Ok(());
        }
    }
    anyhow::bail!("it does not become active")
}

fn request(name: &str) -> Value {
    json!({
        "name": name,
        "target": { "database": how_to::DATABASE, "table": "Events", "mapping": "EventsMapping", "dataFormat": "JSON" },
        "source": { "eventHub": { "resourceId": how_to::HUB1, "consumerGroup": "$Default" } }
    })
}
