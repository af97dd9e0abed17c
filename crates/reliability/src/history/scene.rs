//! Where a history is played: a stack, two replicas that come and go, and the log of all calls.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use azure_emulator::{Options, how_to};
use chrono::{DateTime, Utc};
use dev_postgres::Wire;
use serde_json::Value;
use uuid::Uuid;

use super::collect::of_stack;
use super::record::{Call, History, Meddled, Reply, Who, Wish};
use super::requests::{prepare, request};
use crate::stack::built;
use crate::{Answer, Client, Ground, Person, Replica, Settings, Stack};

/// How long a caller waits for an answer, of a replica that may be frozen.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long a replica that was asked to end may take: [`settings`]' grace for requests under way, the longest write at ARM, 5 s for its
/// connections to Postgres, and some more on a machine with much else to do. It may be frozen meanwhile.
const ENDS: Duration = Duration::from_secs(12);

/// A stack with two replicas. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Scene(Arc<Inner>);

struct Inner {
    stack: Stack,
    settings: [Settings; 2],
    replicas: [tokio::sync::Mutex<Option<Replica>>; 2],
    addresses: [SocketAddr; 2],
    people: Vec<(Person, Who)>,
    calls: Mutex<Vec<Call>>,
    /// What the replicas that are gone have logged.
    past: Mutex<Vec<Vec<String>>>,
    /// The lines of the two replicas to Postgres, if they go over such.
    lines: Option<[Wire; 2]>,
    meddled: Mutex<Vec<Meddled>>,
    frozen: Mutex<Vec<(DateTime<Utc>, DateTime<Utc>)>>,
}

/// How many callers there are.
const CALLERS: u32 = 12;

/// Waits that make a trial short. How long a change in flight keeps its cluster is left as it is: longer than any trial.
pub(crate) fn settings() -> Settings {
    Settings::hurried()
        .with("worker.poll_min", "15ms")
        .with("worker.poll_max", "80ms")
        .with("worker.lease", "1s")
        .with("upstream.connect_timeout", "400ms")
        .with("upstream.timeout", "1s")
        .with("upstream.read_timeout", "1s")
        .with("worker.max_request_lifetime", "1500ms")
        .with("database.max_connections", "6")
        .with("server.grace", "2s")
}

impl Scene {
    /// Sets it up: a stack, and two replicas on it.
    pub(crate) async fn set(ground: &Ground, options: Options, settings: Settings) -> anyhow::Result<Self> {
        let stack = ground.stack(options).await?;
        let (one, other) = tokio::try_join!(stack.replica(&settings, ""), stack.replica(&settings, ""))?;
        Self::of(stack, [one, other], settings)
    }

    /// The same, with lines to Postgres that can be made dead.
    pub(crate) async fn over_lines(
        ground: &Ground,
        options: Options,
        settings: Settings,
    ) -> anyhow::Result<Self> {
        let stack = ground.stack(options).await?;
        let url = stack.database_url();
        let lines = [Wire::to(url).await?, Wire::to(url).await?];
        let settings = lines
            .each_ref()
            .map(|line| settings.clone().with("database.url", line.over(url).as_str()));
        let [first, second] = &settings;
        let (one, other) = tokio::try_join!(stack.replica(first, ""), stack.replica(second, ""))?;
        Self::with(stack, [one, other], settings, Some(lines))
    }

    /// With these two replicas of the stack.
    pub(crate) fn of(stack: Stack, replicas: [Replica; 2], settings: Settings) -> anyhow::Result<Self> {
        Self::with(stack, replicas, [settings.clone(), settings], None)
    }

    fn with(
        stack: Stack,
        replicas: [Replica; 2],
        settings: [Settings; 2],
        lines: Option<[Wire; 2]>,
    ) -> anyhow::Result<Self> {
        prepare(&stack.emulator)?;
        let people = (0..CALLERS)
            .map(|number| {
                let person = Person::caller(number);
                let oid = stack.emulator.read(|world| {
                    let user = world.directory.user(person.upn())?;
                    Some(user.home_oid().to_owned())
                });
                let who = format!("{}/{}", how_to::DOMAIN1, oid.context("an unknown caller")?);
                anyhow::Ok((person, who))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let [one, other] = replicas;
        Ok(Self(Arc::new(Inner {
            settings,
            addresses: [one.address(), other.address()],
            replicas: [Some(one).into(), Some(other).into()],
            people,
            calls: Mutex::default(),
            past: Mutex::default(),
            lines,
            meddled: Mutex::default(),
            frozen: Mutex::default(),
            stack,
        })))
    }

    pub(crate) fn stack(&self) -> &Stack {
        &self.0.stack
    }

    /// A caller, and who that is.
    pub(crate) fn person(&self, caller: u32) -> anyhow::Result<&(Person, Who)> {
        let index = usize::try_from(caller)?;
        self.0.people.get(index).context("no such caller")
    }

    /// Which caller somebody is.
    pub(crate) fn caller(&self, who: &str) -> Option<u32> {
        let index = self.0.people.iter().position(|(_, known)| known == who)?;
        u32::try_from(index).ok()
    }

    /// A client with new tokens.
    pub(crate) fn client(&self, caller: u32) -> anyhow::Result<Client> {
        let (person, _) = self.person(caller)?;
        let (token, auxiliary) = person.tokens(&self.0.stack.emulator)?;
        let [one, _] = self.0.addresses;
        Client::new(one, &token, auxiliary.as_deref())
    }

    fn address(&self, replica: usize) -> SocketAddr {
        let [one, other] = self.0.addresses;
        if replica == 0 { one } else { other }
    }

    /// The place of a replica, to do something to it.
    pub(crate) fn replica(&self, replica: usize) -> &tokio::sync::Mutex<Option<Replica>> {
        let [one, other] = &self.0.replicas;
        if replica == 0 { one } else { other }
    }

    /// Brings a replica back that is dead, or going.
    pub(crate) async fn bring_back(&self, replica: usize) -> anyhow::Result<()> {
        let mut place = self.replica(replica).lock().await;
        let Some(mut old) = place.take() else {
            return Ok(());
        };
        let ended = old.wait_as_asked(ENDS).await;
        self.past().push(old.log());
        ended?;
        let [one, other] = &self.0.settings;
        let settings = if replica == 0 { one } else { other };
        *place = Some(self.0.stack.replace(old, settings, "").await?);
        Ok(())
    }

    /// A replica's line to Postgres, if it goes over one.
    pub(super) fn line(&self, replica: usize) -> Option<&Wire> {
        let [one, other] = self.0.lines.as_ref()?;
        Some(if replica == 0 { one } else { other })
    }

    /// Azure's time.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.0.stack.emulator.clock().now()
    }

    /// A replica was frozen from then until now.
    pub(super) fn was_frozen(&self, from: DateTime<Utc>) {
        let mut frozen = self.0.frozen.lock().unwrap_or_else(PoisonError::into_inner);
        frozen.push((from, self.now()));
    }

    /// A stranger did this.
    pub(super) fn meddled(&self, meddled: Meddled) {
        let mut all = self.0.meddled.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(meddled);
    }

    /// Makes a call and writes down what came of it.
    pub(crate) async fn call(
        &self,
        client: &Client,
        caller: u32,
        replica: usize,
        wish: Wish,
        wait: u32,
    ) -> Option<Reply> {
        let (at, began) = (self.0.stack.emulator.clock().now(), Instant::now());
        let client = client.at(self.address(replica));
        let answer = tokio::time::timeout(PATIENCE, ask(&client, &wish, wait)).await;
        let reply = answer.ok().and_then(Result::ok).as_ref().map(read);
        if let Ok((_, who)) = self.person(caller) {
            let who = who.clone();
            self.calls().push(Call {
                at,
                took: began.elapsed(),
                who,
                replica,
                wish,
                reply: reply.clone(),
            });
        }
        reply
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What all of it left: the calls, and what Azure and the service have of them.
    pub(crate) async fn history(&self) -> anyhow::Result<History> {
        let calls = self.calls().clone();
        let copy = |of: &Mutex<Vec<_>>| of.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let frozen = self
            .0
            .frozen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Ok(History {
            calls,
            strangers: copy(&self.0.meddled),
            frozen,
            ..of_stack(&self.0.stack).await?
        })
    }

    fn past(&self) -> MutexGuard<'_, Vec<Vec<String>>> {
        self.0.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The logs of the replicas, of those that are gone first.
    pub(crate) async fn logs(&self) -> Vec<Vec<String>> {
        let mut logs = self.past().clone();
        for place in &self.0.replicas {
            logs.push(place.lock().await.as_ref().map(Replica::log).unwrap_or_default());
        }
        logs
    }

    /// Writes what is not sound where somebody can look at it: beside what was built, since what is temporary may go with its run.
    pub(crate) async fn keep(&self, name: &str, history: &History, more: &str) -> anyhow::Result<()> {
        let logs: Vec<String> = self.logs().await.into_iter().flatten().collect();
        let text = format!("{more}\n{history:#?}\n{}\n", logs.join("\n"));
        let folder = built()?.join("reliability");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{name}.txt"));
        std::fs::write(&file, text)?;
        writeln!(std::io::stdout(), "{name}: all of it is in {}", file.display())?;
        Ok(())
    }

    /// Ends all of it.
    pub(crate) async fn strike(self) -> anyhow::Result<()> {
        for place in &self.0.replicas {
            if let Some(mut replica) = place.lock().await.take() {
                replica.kill()?;
            }
        }
        match Arc::try_unwrap(self.0) {
            Ok(Inner { stack, lines, .. }) => {
                // What is on a dead line would keep its session at Postgres for ever.
                drop(lines);
                stack.stop().await
            }
            Err(_) => anyhow::bail!("somebody still plays"),
        }
    }
}

/// The id of a place's data connection, in lower case.
pub(crate) fn arm_id(place: usize) -> String {
    format!("{}/dataConnections/dc{place}", how_to::DATABASE).to_ascii_lowercase()
}

/// The wish for a place's data connection.
pub(crate) fn create(place: usize, body_of: usize, key: Option<String>) -> Wish {
    Wish::Create {
        arm_id: arm_id(place),
        body: request(body_of).to_string(),
        key,
    }
}

async fn ask(client: &Client, wish: &Wish, wait: u32) -> anyhow::Result<Answer> {
    match wish {
        Wish::Create { body, key, .. } => {
            let body: Value = serde_json::from_str(body)?;
            client.create(&body, wait, key.as_deref()).await
        }
        Wish::Remove { connection, key } => {
            client
                .alone()
                .remove(&connection.to_string(), wait, key.as_deref())
                .await
        }
        Wish::Look { operation } => client.get(&format!("/v1/operations/{operation}")).await,
        Wish::Continue { operation } => {
            let path = format!("/v1/operations/{operation}/continue");
            client.send(client.call(http::Method::POST, &path)).await
        }
    }
}

/// What matters of an answer: a connection with its last operation, or an operation.
fn read(answer: &Answer) -> Reply {
    let id = |pointer: &str| Uuid::parse_str(answer.text(pointer)).ok();
    let is_operation = answer.body.get("connectionId").is_some() && answer.body.get("code").is_none();
    // The header names the operation that the call led to; the connection's last one may be another.
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let followed = header("operation-location");
    let followed = followed.and_then(|path| Uuid::parse_str(path.rsplit('/').next()?).ok());
    let (connection, progress) = if answer.has_failed() {
        (id("/connectionId"), "failed")
    } else if is_operation {
        (id("/connectionId"), answer.text("/status"))
    } else if followed.is_some() && followed == id("/lastOperation/id") {
        (id("/id"), answer.text("/lastOperation/status"))
    } else {
        (id("/id"), "")
    };
    Reply {
        status: answer.status,
        connection,
        operation: if is_operation { id("/id") } else { followed },
        progress: progress.to_owned(),
        code: answer.text("/code").to_owned(),
        retry_after: header("retry-after").and_then(|text| text.parse().ok()),
    }
}
