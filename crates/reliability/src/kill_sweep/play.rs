//! An operation as its caller plays it: what is there before, what is asked for, and how they come back.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use azure_emulator::{Fault, how_to};
use http::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::scenario::Scenario;
use crate::agreement::Acknowledged;
use crate::{Answer, Client, Random, Stack};

/// How long a condition may take to come true.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How often a caller looks.
const LOOK: Duration = Duration::from_millis(40);
/// What a write at ARM takes that is held until it is released.
const HELD: Duration = Duration::from_secs(600);

/// A change that a caller wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// That a connection of this name be there.
    Create(String),
    /// That this connection be gone.
    Remove(String),
}

/// One trial's caller, and what they were told.
pub(super) struct Play<'a> {
    pub(super) stack: &'a Stack,
    pub(super) client: Client,
    /// Starts the names of everything that the trial makes.
    pub(super) name: String,
    /// With a key or without.
    pub(super) key: Option<String>,
    /// How long a write takes at ARM.
    pub(super) pace: Duration,
    pub(super) acknowledged: Vec<Acknowledged>,
    /// What was asked for, in order.
    pub(super) wishes: Vec<Wish>,
}

impl Play<'_> {
    /// What has to be there before.
    pub(super) async fn prepare(&mut self, scenario: Scenario, random: &mut Random) -> anyhow::Result<()> {
        self.operations_take(self.pace);
        match scenario {
            Scenario::Create
            | Scenario::CreateFollowed
            | Scenario::CreateTaken
            | Scenario::CreateUnanswered
            | Scenario::CreateLost
            | Scenario::CreateLate => {}
            Scenario::Remove | Scenario::RemoveUnanswered | Scenario::RemoveLost | Scenario::RemoveLate => {
                self.stand().await?;
            }
            Scenario::CreateQueued
            | Scenario::RemoveBehindCreate
            | Scenario::RemoveUnsent
            | Scenario::CreateResumed
            | Scenario::RemoveResumed => {
                self.operations_take(HELD);
                self.begin().await?;
                // Callers come at any moment of the first one's life.
                sleep(Duration::from_millis(random.below(60))).await;
                match scenario {
                    Scenario::RemoveResumed => self.remove(0).await.map(|_| ())?,
                    Scenario::RemoveUnsent => {
                        self.create(&format!("{}-b", self.name), 0).await?;
                    }
                    _ => {}
                }
            }
        }
        if let Some((method, effect)) = scenario.fault() {
            let path = format!("/dataConnections/{}", self.name);
            let fault = Fault::arm(&path, effect).method(method);
            self.stack.emulator.inject(fault);
        }
        Ok(())
    }

    /// What is asked for; an error when the replica dies meanwhile.
    pub(super) async fn act(&mut self, scenario: Scenario) -> anyhow::Result<()> {
        let name = self.name.clone();
        match scenario {
            Scenario::Create => {
                taken_on(&self.create(&name, 20).await?)?;
            }
            Scenario::CreateFollowed
            | Scenario::CreateUnanswered
            | Scenario::CreateLost
            | Scenario::CreateLate
            | Scenario::CreateTaken => {
                let created = self.create(&name, 0).await?;
                self.follow(&created).await?;
            }
            Scenario::CreateQueued => {
                let second = self.create(&format!("{name}-b"), 0).await?;
                self.release();
                self.follow(&second).await?;
            }
            Scenario::Remove => {
                taken_on(&self.remove(20).await?)?;
            }
            Scenario::RemoveUnanswered | Scenario::RemoveLost | Scenario::RemoveLate => {
                let removal = self.remove(0).await?;
                self.follow(&removal).await?;
            }
            Scenario::RemoveBehindCreate | Scenario::RemoveUnsent => {
                let removal = self.remove(0).await?;
                self.release();
                self.follow(&removal).await?;
            }
            Scenario::CreateResumed | Scenario::RemoveResumed => {
                self.release();
                self.come_back().await?;
            }
        }
        Ok(())
    }

    /// A connection that is there.
    async fn stand(&mut self) -> anyhow::Result<()> {
        // A key would stand for the first attempt, whatever came of it.
        let key = self.key.take();
        self.create(&self.name.clone(), 0).await?;
        self.insist().await?;
        self.key = key;
        Ok(())
    }

    /// Lets everything at ARM end now, and what comes later after its time.
    pub(super) fn release(&self) {
        let pace = self.pace;
        self.stack.emulator.edit(|world| {
            world.set_operation_duration(pace);
            world.finish_operations(|_| true);
        });
    }

    fn operations_take(&self, duration: Duration) {
        self.stack
            .emulator
            .edit(|world| world.set_operation_duration(duration));
    }

    /// A create that is under way at ARM. One that came to nothing, since something did not answer in time, is asked for again.
    async fn begin(&mut self) -> anyhow::Result<()> {
        let key = self.key.take();
        let deadline = Instant::now() + PATIENCE;
        let stack = self.stack;
        let begun = || stack.emulator.read(|world| world.resources.operations.len());
        let before = begun();
        loop {
            self.create(&self.name.clone(), 0).await?;
            while begun() == before && !self.open().await?.is_empty() && Instant::now() < deadline {
                sleep(LOOK).await;
            }
            if begun() > before {
                self.key = key;
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "ARM does not begin the first create");
        }
    }

    /// Asks for a connection of this name, and keeps what is answered.
    pub(super) async fn create(&mut self, name: &str, wait: u32) -> anyhow::Result<Answer> {
        self.want(Wish::Create(name.to_owned()));
        let group = name.to_owned();
        self.stack.emulator.edit(|world| {
            // There already when the request is repeated.
            let _ = world.add_consumer_group(how_to::HUB1, &group);
        });
        let key = self.key.as_ref().map(|key| format!("{key}-{name}"));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.client.create(&request(name), wait, key.as_deref()).await?;
            self.keep(&answer);
            // A machine with much else to do keeps ARM or Entra from answering in time.
            if answer.status != 503 || Instant::now() > deadline {
                return Ok(answer);
            }
            sleep(LOOK).await;
        }
    }

    /// Asks for the removal of the connection that was acknowledged last.
    async fn remove(&mut self, wait: u32) -> anyhow::Result<Answer> {
        let last = self.acknowledged.last().context("nothing to remove")?;
        let id = last.connection.clone();
        self.remove_it(&id, wait).await
    }

    pub(super) async fn remove_it(&mut self, id: &str, wait: u32) -> anyhow::Result<Answer> {
        self.want(Wish::Remove(id.to_owned()));
        let key = self.key.as_ref().map(|key| format!("{key}-r"));
        let answer = self.client.alone().remove(id, wait, key.as_deref()).await?;
        self.keep(&answer);
        Ok(answer)
    }

    fn want(&mut self, wish: Wish) {
        if !self.wishes.contains(&wish) {
            self.wishes.push(wish);
        }
    }

    fn keep(&mut self, answer: &Answer) {
        let ack = Acknowledged {
            connection: answer.connection().to_owned(),
            operation: answer.operation().to_owned(),
        };
        if answer.is_taken_on() && !self.acknowledged.contains(&ack) {
            self.acknowledged.push(ack);
        }
    }

    /// Asks for the operation until it has ended.
    async fn follow(&self, answer: &Answer) -> anyhow::Result<()> {
        taken_on(answer)?;
        let path = format!("/v1/operations/{}", answer.operation());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let operation = self.client.get(&path).await?;
            if matches!(operation.text("/status"), "succeeded" | "failed") {
                return Ok(());
            }
            sleep(LOOK).await;
        }
        bail!("{path} does not end")
    }

    /// A stranger takes the trial's name, if it is free. Returns what they made.
    pub(super) fn take_name(&self) -> anyhow::Result<Option<Stranger>> {
        Stranger::make(self.stack, &self.name)
    }

    /// The caller comes back, until nothing is open but what is set aside beside what the stranger made; that must have been left as it
    /// is. Then the stranger takes it away.
    pub(super) async fn live_beside(&mut self, stranger: &Stranger) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let open = self.open().await?;
            if open.iter().all(is_set_aside) {
                break;
            }
            if Instant::now() > deadline {
                bail!("neither ended nor set aside: {open:?}");
            }
            for operation in &open {
                self.help(operation).await?;
            }
            sleep(LOOK).await;
        }
        let emulator = &self.stack.emulator;
        let now = emulator.read(|world| world.data_connection(&stranger.id));
        if now.as_ref() != Some(&stranger.made) {
            bail!("what a stranger made was touched: {now:?}");
        }
        let gone = emulator.edit(|world| world.remove_data_connection(&stranger.id));
        Ok(gone?)
    }

    /// Operations that have not ended, as the records have them.
    pub(super) async fn open(&self) -> anyhow::Result<Vec<Value>> {
        let query =
            "select o.id, o.connection_id, o.kind, o.phase, o.awaiting_tenant_id, o.error, c.name, c.arm_id
             from operations o join connections c on c.id = o.connection_id
             where o.phase not in ('succeeded', 'failed') order by o.id";
        self.stack.database.rows(query).await
    }

    /// The caller comes back until no operation is open: it reads each one, and continues it or sends its request again.
    pub(super) async fn come_back(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let open = self.open().await?;
            if open.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("not settled though its caller came back: {open:?}");
            }
            for operation in &open {
                self.help(operation).await?;
            }
            sleep(LOOK).await;
        }
    }

    async fn help(&mut self, operation: &Value) -> anyhow::Result<()> {
        let text = |member: &str| operation.get(member).and_then(Value::as_str).unwrap_or_default();
        let path = format!("/v1/operations/{}", text("id"));
        let seen = self.client.get(&path).await?;
        if seen.text("/status") != "awaitingCaller" {
            return Ok(());
        }
        let go_on = self.client.call(Method::POST, &format!("{path}/continue"));
        let went_on = self.client.send(go_on.json(&json!({}))).await?;
        if went_on.is_taken_on() {
            return Ok(());
        }
        match text("kind") {
            "remove" => self.remove_it(text("connection_id"), 0).await?,
            _ => self.create(text("name"), 0).await?,
        };
        Ok(())
    }

    /// Whether what the caller wanted can be had by asking for it again and again, as a client does that got no answer.
    pub(super) async fn insist(&mut self) -> anyhow::Result<()> {
        for wish in self.wishes.clone() {
            let removed =
                matches!(&wish, Wish::Create(_)) && self.wishes.len() > 1 && self.is_removed_later();
            if removed {
                continue;
            }
            let deadline = Instant::now() + PATIENCE;
            loop {
                let (answer, wanted) = match &wish {
                    Wish::Create(name) => (self.create(&name.clone(), 10).await?, "active"),
                    Wish::Remove(id) => (self.remove_it(&id.clone(), 10).await?, "removed"),
                };
                let state = answer.text("/state");
                // A create that came to nothing leaves nothing to remove.
                if state == wanted || (wanted == "removed" && state == "failed") {
                    break;
                }
                // What had the name meanwhile left the connection unsettled: it is removed first, as a person would.
                if let Some(connection) = answer.to_be_removed_first() {
                    self.remove_it(connection, 10).await?;
                }
                if Instant::now() > deadline {
                    bail!("{wish:?} leads to nothing but {} {}", answer.status, answer.body);
                }
                self.come_back().await?;
                sleep(LOOK).await;
            }
        }
        Ok(())
    }

    fn is_removed_later(&self) -> bool {
        self.wishes.iter().any(|wish| matches!(wish, Wish::Remove(_)))
    }
}

/// That what was asked for was not refused.
fn taken_on(answer: &Answer) -> anyhow::Result<()> {
    ensure!(answer.is_taken_on(), "refused: {} {}", answer.status, answer.body);
    Ok(())
}

/// What a stranger made.
pub(super) struct Stranger {
    pub(super) id: String,
    pub(super) made: Value,
}

impl Stranger {
    /// They make a data connection of this name, behind the service's back, if the name is free.
    pub(super) fn make(stack: &Stack, name: &str) -> anyhow::Result<Option<Self>> {
        let id = format!("{}/dataConnections/{name}", how_to::DATABASE);
        let theirs = json!({ "properties": {
            "eventHubResourceId": how_to::HUB2, "consumerGroup": "cg1", "tableName": "Alarms"
        } });
        let made = stack.emulator.edit(|world| {
            if world.data_connection(&id).is_some() {
                return Ok(None);
            }
            world.add_data_connection(&id, &theirs)?;
            anyhow::Ok(world.data_connection(&id))
        });
        Ok(made?.map(|made| Self { id, made }))
    }
}

/// Whether an operation has found something that it can't call its own, and waits for what becomes of it.
fn is_set_aside(operation: &Value) -> bool {
    operation.get("phase").is_some_and(|phase| phase == "settling")
        && operation
            .pointer("/error/code")
            .is_some_and(|code| code == "drifted")
}

fn request(name: &str) -> Value {
    json!({
        "name": name,
        "target": { "database": how_to::DATABASE, "table": "Events", "mapping": "EventsMapping", "dataFormat": "JSON" },
        "source": { "eventHub": { "resourceId": how_to::HUB1, "consumerGroup": name } }
    })
}
