//! One lane: a stack of its own, on which trials are run one after the other.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Context as _;
use azure_emulator::resources::Operation;
use azure_emulator::{Options, how_to};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::play::{PATIENCE, Play, Stranger};
use super::scenario::Scenario;
use crate::agreement::{Claims, differences};
use crate::stack::is_abort;
use crate::{Ground, Person, Random, Replica, Settings, Stack};

/// How long, after an operation's end, a point may take to be passed by what goes on in the background.
const AFTERWARDS: Duration = Duration::from_millis(600);
/// How long an operation may take in all: longer than each wait of its caller's, which tells more when it is over.
const HANGS: Duration = Duration::from_secs(100);
/// By when all must be settled, as promised: after the restart with a service identity, after the caller's return without.
const SETTLED: Duration = Duration::from_secs(10);

/// Where the service may read by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identity {
    /// Nowhere: it has no identity of its own.
    None,
    /// At the target.
    Target,
    /// At target and source.
    Both,
}

impl Identity {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Target => "target",
            Self::Both => "both",
        }
    }

    /// The tenants that granted it reads, and at what.
    const fn grants(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::None => &[],
            Self::Target => &[(how_to::DOMAIN1, how_to::CLUSTER)],
            Self::Both => &[
                (how_to::DOMAIN1, how_to::CLUSTER),
                (how_to::DOMAIN2, how_to::NAMESPACE),
            ],
        }
    }

    fn settings(self) -> Settings {
        let tenants: Vec<&str> = self.grants().iter().map(|(tenant, _)| *tenant).collect();
        let settings = Settings::hurried();
        if tenants.is_empty() {
            return settings;
        }
        settings.with("tenants.service_reads", &tenants.join(","))
    }
}

/// One trial.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    /// Unique within a run.
    pub(super) number: u32,
    pub(super) round: u32,
    pub(super) identity: Identity,
    pub(super) scenario: Scenario,
    /// Which try of this point it is, from 1 on.
    pub(super) attempt: u32,
    /// Where the replica dies, at which passing; with none, it lives, and the points it passes are recorded.
    pub(super) point: Option<(String, u32)>,
    pub(super) random: Random,
}

impl Trial {
    pub(super) fn name(&self) -> String {
        let (identity, scenario) = (self.identity.name(), self.scenario.name());
        let point = self.point.as_ref();
        let point = point.map_or_else(|| "no point".to_owned(), |(point, nth)| format!("{point} @{nth}"));
        let attempt = match self.attempt {
            1 => String::new(),
            attempt => format!(", try {attempt}"),
        };
        format!(
            "round {}, identity {identity}, {scenario}, {point}{attempt}",
            self.round
        )
    }

    /// What the replica is armed with; it sleeps until the trial's file is there.
    fn plan(&self, stack: &Stack) -> String {
        let when = stack.file(&format!("go-{}", self.number));
        let what = match &self.point {
            Some((point, nth)) => format!("{point}=abort@{nth}"),
            None => format!("record={}", self.record(stack).display()),
        };
        format!("when={};{what}", when.display())
    }

    fn record(&self, stack: &Stack) -> std::path::PathBuf {
        stack.file(&format!("passed-{}", self.number))
    }
}

/// What came of a trial.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Whether the replica died where it should.
    pub(super) died: bool,
    /// Whether a stranger took its name.
    pub(super) taken: bool,
    /// How long it took until all was settled.
    pub(super) settled: Duration,
    /// What is wrong.
    pub(super) found: Vec<String>,
    /// The points that were passed, and how often, when they were recorded.
    pub(super) passed: BTreeMap<String, u32>,
}

/// A stack, and the replica that is ready for the next trial.
pub(super) struct Lane {
    stack: Stack,
    ready: Option<(u32, Replica)>,
    /// Where the service's own identity has been given a role so far.
    granted: Identity,
    /// What others have in the same database all the time.
    theirs: Stranger,
}

impl Lane {
    pub(super) async fn open(ground: &Ground) -> anyhow::Result<Self> {
        let stack = ground.stack(Options::default()).await?;
        Ok(Self {
            theirs: Stranger::make(&stack, "theirs")?.context("the name is taken")?,
            stack,
            ready: None,
            granted: Identity::None,
        })
    }

    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        self.ready = None;
        self.stack.stop().await
    }

    /// Runs a trial. The restart after the death is ready for `next`, so that each trial takes one start.
    pub(super) async fn run(&mut self, trial: &Trial, next: Option<&Trial>) -> anyhow::Result<Outcome> {
        let (mut random, settings) = (trial.random.clone(), trial.identity.settings());
        let mut replica = match self.ready.take() {
            Some((number, replica)) if number == trial.number => replica,
            Some((_, old)) => {
                self.stack
                    .replace(old, &settings, &trial.plan(&self.stack))
                    .await?
            }
            None => self.stack.replica(&settings, &trial.plan(&self.stack)).await?,
        };
        self.stack.emulator.journal().clear();
        self.stack.emulator.clear_faults();
        self.grant(trial.identity)?;
        let person = if random.chance(50) {
            Person::pair()
        } else {
            Person::caller(u32::try_from(random.below(1000)).unwrap_or_default())
        };
        let mut play = Play {
            client: self.stack.client(&replica, &person)?,
            stack: &self.stack,
            name: format!("t{}", trial.number),
            key: random.chance(40).then(|| format!("key-{}", trial.number)),
            pace: Duration::from_millis(random.between(20, 200)),
            acknowledged: Vec::new(),
            wishes: Vec::new(),
        };
        let mut outcome = Outcome::default();
        if trial.scenario.is_resumed() {
            self.orphaned(trial, &mut play, &mut random).await?;
        } else {
            play.prepare(trial.scenario, &mut random).await?;
        }
        self.perform(trial, &mut play, &mut replica, &mut outcome).await?;
        play.release();
        let stranger = match trial.scenario {
            Scenario::CreateTaken if outcome.died => play.take_name()?,
            _ => None,
        };
        outcome.taken = stranger.is_some();
        // Its successor has the same settings.
        let plan = next.filter(|next| next.identity == trial.identity);
        let points = plan.map(|next| next.plan(&self.stack)).unwrap_or_default();
        let mut replica = self.stack.replace(replica, &settings, &points).await?;
        play.client = self.stack.client(&replica, &person)?;
        if let Some(stranger) = &stranger
            && let Err(error) = play.live_beside(stranger).await
        {
            outcome.found.push(format!("{error:#}"));
        }
        if trial.identity != Identity::None {
            settle_alone(&play, &mut outcome).await?;
        }
        self.settle(&mut play, &mut random, &mut outcome).await;
        if let Some(status) = replica.ended()? {
            outcome.found.push(ended(&replica, status));
        }
        self.ready = Some((plan.map_or(0, |next| next.number), replica));
        Ok(outcome)
    }

    /// Arms what is armed, plays the operation, and tells how the replica came through it, with the points that it passed if they
    /// are recorded.
    async fn perform(
        &self,
        trial: &Trial,
        play: &mut Play<'_>,
        replica: &mut Replica,
        outcome: &mut Outcome,
    ) -> anyhow::Result<()> {
        std::fs::write(self.stack.file(&format!("go-{}", trial.number)), "")?;
        // It ends in an error when the replica dies under it.
        let acted = timeout(HANGS, play.act(trial.scenario)).await;
        match (replica.wait(AFTERWARDS).await?, acted) {
            // A failure point was the cause, and one was armed: a replica that crashes in another way has not died of it.
            (Some(status), _) if is_abort(status) && trial.point.is_some() => outcome.died = true,
            (Some(status), _) => outcome.found.push(ended(replica, status)),
            (None, Ok(Err(error))) => outcome.found.push(format!("the replica lives, and: {error:#}")),
            (None, Err(_)) => outcome
                .found
                .push(format!("the replica lives, and nothing is told for {HANGS:?}")),
            (None, Ok(Ok(()))) => {}
        }
        if trial.point.is_none() {
            let record = std::fs::read_to_string(trial.record(&self.stack)).context("no record of points")?;
            for name in record.lines() {
                *outcome.passed.entry(name.to_owned()).or_default() += 1;
            }
            if outcome.passed.is_empty() {
                outcome
                    .found
                    .push("it passes no point at which it could be killed".to_owned());
            }
        }
        Ok(())
    }

    /// Returns the service's own identity the roles of this one.
    fn grant(&mut self, identity: Identity) -> anyhow::Result<()> {
        if self.granted != identity {
            for (_, scope) in identity.grants() {
                let given = self
                    .stack
                    .emulator
                    .edit(|world| world.assign_role(how_to::TENANT_BRIDGE, "Reader", scope));
                given?;
            }
            self.granted = identity;
        }
        Ok(())
    }

    /// An operation whose replica died, on another one than the trial's.
    async fn orphaned(&self, trial: &Trial, play: &mut Play<'_>, random: &mut Random) -> anyhow::Result<()> {
        let mut other = self.stack.replica(&trial.identity.settings(), "").await?;
        let here = play.client.clone();
        play.client = here.at(other.address());
        play.prepare(trial.scenario, random).await?;
        other.kill()?;
        play.client = here;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let open = play.open().await?;
            // With an identity of its own the service goes on with it by itself.
            if trial.identity != Identity::None || (!open.is_empty() && open.iter().all(waits)) {
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("what the dead replica left is not taken up")
    }

    /// Lets everything settle, and looks whether all agree.
    async fn settle(&self, play: &mut Play<'_>, random: &mut Random, outcome: &mut Outcome) {
        let began = Instant::now();
        if let Err(error) = play.come_back().await {
            outcome.found.push(format!("{error:#}"));
        }
        outcome.settled = outcome.settled.max(began.elapsed());
        if outcome.settled > SETTLED {
            outcome
                .found
                .push(format!("settled only after {:?}", outcome.settled));
        }
        self.compare(play, outcome).await;
        // A key stands for what its first request led to, also if that came to nothing.
        if play.key.is_none() && random.chance(70) {
            if let Err(error) = play.insist().await {
                outcome.found.push(format!("{error:#}"));
            }
            self.compare(play, outcome).await;
        }
    }

    async fn compare(&self, play: &Play<'_>, outcome: &mut Outcome) {
        let claims = Claims {
            acknowledged: play.acknowledged.clone(),
            strangers: [(self.theirs.id.to_ascii_lowercase(), self.theirs.made.clone())].into(),
        };
        match differences(&self.stack, &claims).await {
            Ok(found) => outcome.found.extend(found),
            Err(error) => outcome
                .found
                .push(format!("the records can't be read: {error:#}")),
        }
    }
}

/// That a replica ended which was to live, with the end of its log.
fn ended(replica: &Replica, status: ExitStatus) -> String {
    format!(
        "the replica ended by itself with {status}: {:?}",
        replica.last_lines()
    )
}

/// Whether an operation waits for its caller.
fn waits(operation: &Value) -> bool {
    !operation.get("awaiting_tenant_id").is_none_or(Value::is_null)
}

/// Whether an operation's data connection is at ARM, and no change of it is under way there.
fn stands(stack: &Stack, operation: &Value) -> bool {
    let arm_id = operation.get("arm_id").and_then(Value::as_str);
    let arm_id = arm_id.unwrap_or_default();
    stack.emulator.read(|world| {
        let now = world.now();
        let changes =
            |at_arm: &Operation| at_arm.ends > now && at_arm.connection.as_str().eq_ignore_ascii_case(arm_id);
        world.data_connection(arm_id).is_some() && !world.resources.operations.iter().any(changes)
    })
}

/// With an identity of its own the service finds out by itself what came of everything that was sent. What is not sent yet, or has to
/// be sent again, waits for the caller who asked for it: of a removal, that is one whose data connection is there.
async fn settle_alone(play: &Play<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let open = play.open().await?;
        let is = |row: &Value, member: &str, word: &str| row.get(member).is_some_and(|value| value == word);
        let unsent = |row: &Value| {
            is(row, "phase", "queued") || (is(row, "kind", "remove") && stands(play.stack, row))
        };
        if open.iter().all(|row| unsent(row) && waits(row)) {
            break;
        }
        if began.elapsed() > SETTLED {
            let what = format!("not settled by the service itself: {open:?}");
            outcome.found.push(what);
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    outcome.settled = began.elapsed();
    Ok(())
}
