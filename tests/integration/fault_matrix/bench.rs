//! What a row of the matrix is run on: services of its own, and what every cell needs.

use std::time::Duration;

use azure_emulator::{Effect, Fault, MintUserToken, how_to};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tenant_bridge::clock::Clock;
use tokio::net::TcpListener;

use super::calls::Call;
use super::outcome::{Cell, Outcome};
use super::service::{Kind, LONG, kind, service};
use super::table_checks::cell;
use super::troubles::Trouble;
use super::waits::{Waits, counted};
use crate::support::{
    Answer, App, PATIENCE, Portal, continue_operation, data_connection, eventually, request,
};

/// Why a cell is not as the table says.
pub(super) type Wrong = String;

/// One cell being run.
pub(super) struct Bench<'a> {
    pub(super) app: &'a App,
    pub(super) call: Call,
    pub(super) trouble: Trouble,
    pub(super) outcome: Outcome,
    /// Of the cell's own data connection.
    pub(super) name: &'a str,
    /// A URL of a host that nobody may call.
    elsewhere: &'a str,
    clock: &'a Clock,
}

/// How often an operation is continued before it counts as stuck.
const MAX_CONTINUES: usize = 30;

/// Runs every cell of a call, and tells all that are not as the table says.
pub(super) async fn row(call: Call) {
    let foreign = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let elsewhere = format!("https://{}/elsewhere", foreign.local_addr().expect("an address"));
    let mut groups: [(Kind, Vec<(Trouble, Outcome)>); 5] = [
        (Kind::Usual, Vec::new()),
        (Kind::Usual, Vec::new()),
        (Kind::Impatient, Vec::new()),
        (Kind::Ahead, Vec::new()),
        (Kind::Lagging, Vec::new()),
    ];
    for (index, trouble) in Trouble::ALL.iter().enumerate() {
        if let Cell::Leads(outcome) = cell(call, *trouble) {
            let group = match kind(call, *trouble) {
                Kind::Usual => index % 2,
                Kind::Impatient => 2,
                Kind::Ahead => 3,
                Kind::Lagging => 4,
            };
            groups[group].1.push((*trouble, outcome));
        }
    }
    // The waits of one are the others' time to work.
    let ended = join_all(groups.map(|cells| rightly(call, cells, &elsewhere))).await;
    let wrong: Vec<Wrong> = ended.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let visit = tokio::time::timeout(Duration::ZERO, foreign.accept()).await;
    assert!(visit.is_err(), "somebody called the other host");
}

async fn rightly(call: Call, (kind, cells): (Kind, Vec<(Trouble, Outcome)>), elsewhere: &str) -> Vec<Wrong> {
    if cells.is_empty() {
        return Vec::new();
    }
    // Boxed: the row's future would carry all of it.
    Box::pin(counted(async |waits| {
        group(call, (kind, &cells), elsewhere, waits).await
    }))
    .await
}

async fn group(
    call: Call,
    (kind, cells): (Kind, &[(Trouble, Outcome)]),
    elsewhere: &str,
    waits: Waits,
) -> Vec<Wrong> {
    let clock = match kind {
        Kind::Ahead => Clock::ahead_by(Duration::ZERO),
        _ => Clock::system(),
    };
    let mut app = service(call, kind, waits, &clock).await;
    let mut wrong = Vec::new();
    for (index, &(trouble, outcome)) in cells.iter().enumerate() {
        let name = format!("cell-{index}");
        app.emulator.journal().clear();
        let cell = (call, trouble, outcome);
        let place = (name.as_str(), elsewhere, &clock);
        let ran = if call.is_own() {
            let begun = Bench::new(&app, cell, place).begin_own().await;
            app.stop_service().await;
            Bench::new(&app, cell, place).begin_trouble(0);
            app.start_service().await;
            match begun {
                Ok(created) => Bench::new(&app, cell, place).end_own(&created).await,
                Err(why) => Err(why),
            }
        } else {
            Bench::new(&app, cell, place).run().await
        };
        if let Err(why) = ran {
            wrong.push(format!("{call:?} × {trouble:?}: not {outcome:?}: {why}"));
        }
        Bench::new(&app, cell, place).clear();
    }
    // What is wrong already may leave anything undone.
    if wrong.is_empty() {
        app.finish().await;
    }
    wrong
}

impl<'a> Bench<'a> {
    fn new(
        app: &'a App,
        (call, trouble, outcome): (Call, Trouble, Outcome),
        (name, elsewhere, clock): (&'a str, &'a str, &'a Clock),
    ) -> Self {
        Self {
            app,
            call,
            trouble,
            outcome,
            name,
            elsewhere,
            clock,
        }
    }

    /// Waits until the call has met the trouble.
    pub(super) async fn meets_trouble(&self) -> Result<(), Wrong> {
        let journal = self.app.emulator.journal();
        let met = journal.wait_for(|_| self.was_met().is_ok(), PATIENCE).await;
        met.map(drop)
            .ok_or_else(|| self.was_met().err().unwrap_or_default())
    }

    /// Moves Azure's clock so far that reads lag no longer, and the service's past every deadline, if it is one that can be moved.
    pub(super) fn long_after(&self) {
        let later = LONG + Duration::from_secs(1);
        self.app.emulator.clock().advance(later);
        self.clock.advance(later);
    }

    pub(super) fn begin_lag(&self) {
        self.app.emulator.edit(|world| world.set_read_lag(LONG));
    }
}

impl Bench<'_> {
    async fn run(&self) -> Result<(), Wrong> {
        match self.call {
            Call::Keys
            | Call::TargetTenant
            | Call::SourceTenant
            | Call::TargetExchange
            | Call::SourceExchange
            | Call::Cluster
            | Call::Database
            | Call::Absence
            | Call::TargetPermissions
            | Call::SourcePermissions
            | Call::EventHub
            | Call::ConsumerGroup => self.checked_create().await,
            Call::RemovalExchange | Call::RemovalPermissions => self.checked_removal().await,
            Call::ContinueExchange
            | Call::ContinueSourceExchange
            | Call::ContinueAbsence
            | Call::ContinuePermissions => self.checked_continuation().await,
            Call::LookExchange
            | Call::LookConnection
            | Call::LookHub
            | Call::LookList
            | Call::LookNamespace => self.look().await,
            Call::Put | Call::PutPoll | Call::PutReadBack | Call::PutSettling | Call::SecondAbsence => {
                self.create().await
            }
            Call::RemovalRead
            | Call::Delete
            | Call::DeletePoll
            | Call::DeleteReadBack
            | Call::DatabaseAfter
            | Call::DeleteSettling => self.removal().await,
            Call::OwnToken | Call::OwnReading => Err("it needs a service that is restarted".to_owned()),
        }
    }

    /// Leaves nothing to the next cell.
    fn clear(&self) {
        self.app.emulator.clear_faults();
        self.app.emulator.edit(|world| {
            world.set_read_lag(Duration::ZERO);
            world.set_operation_duration(Duration::from_millis(60));
            // Two connections may not share a consumer group.
            let _ = world.remove_data_connection(&data_connection(self.name));
        });
    }

    pub(super) fn request(&self) -> Value {
        let mut request = request(self.name);
        request["source"]["eventHub"]["consumerGroup"] = "cg1".into();
        request
    }

    /// The trouble as a fault of the call.
    pub(super) fn fault(&self) -> Option<Fault> {
        let token = || self.token_of_another_tenant();
        let effect = self.trouble.effect(self.call, self.elsewhere, token)?;
        Some(self.call.fault(self.name, effect))
    }

    /// A fault of any call.
    pub(super) fn inject(&self, call: Call, effect: Effect) {
        self.app.emulator.inject(call.fault(self.name, effect));
    }

    /// An ARM token of the user whose token is exchanged here, but not of the tenant that is asked.
    fn token_of_another_tenant(&self) -> String {
        let (user, tenant) = match self.call {
            Call::SourceExchange | Call::ContinueSourceExchange => ("acc1@domain1.com", how_to::DOMAIN1),
            _ => ("acc2@domain2.com", how_to::DOMAIN2),
        };
        let request = MintUserToken {
            user: user.to_owned(),
            tenant: tenant.to_owned(),
            client_app: "tenant-bridge".to_owned(),
            api: "azure-resource-manager".to_owned(),
            ..MintUserToken::default()
        };
        self.app.emulator.mint_user_token(&request).expect("a token")
    }

    /// The call met the trouble: a cell in which nothing went wrong shows nothing.
    pub(super) fn was_met(&self) -> Result<(), Wrong> {
        let entries = self.app.emulator.journal().entries();
        let mut written = None;
        let mut is_over = false;
        let met = entries.iter().any(|entry| {
            if matches!(entry.method.as_str(), "PUT" | "DELETE") {
                written = Some(entry.method.clone());
            }
            is_over |= entry.path_and_query.contains("/operationResults/")
                && entry
                    .response_body
                    .as_ref()
                    .is_some_and(|body| body["status"] == "Succeeded");
            let shows = match self.trouble {
                Trouble::ReadLag => self.is_behind(entry.status, written.as_deref()),
                trouble => trouble.shows_in(entry),
            };
            self.call.is(entry, self.name) && shows && (is_over || !self.call.is_read_back())
        });
        demand(met, || "the call never met the trouble".to_owned())
    }

    /// Whether a read that was answered like this tells of the time before the last write, or before what the cell begins with.
    fn is_behind(&self, status: u16, written: Option<&str>) -> bool {
        match written {
            Some("PUT") => status == 404,
            Some(_) => status == 200,
            None if matches!(self.call, Call::Absence | Call::ContinueAbsence) => status == 200,
            None => status == 404,
        }
    }

    /// As many PUTs and DELETEs as these, and no other write.
    pub(super) fn writes_are(&self, puts: usize, deletes: usize) -> Result<(), Wrong> {
        let found = (
            self.app.calls("PUT", self.name).len(),
            self.app.calls("DELETE", self.name).len(),
        );
        demand(found == (puts, deletes), || {
            format!("{found:?} PUTs and DELETEs instead of {:?}", (puts, deletes))
        })?;
        let all = self.app.writes().len();
        demand(all == puts + deletes, || format!("{all} writes in all"))
    }

    pub(super) fn is_at_arm(&self, wanted: bool) -> Result<(), Wrong> {
        let there = self.app.at_arm(self.name).is_some();
        demand(there == wanted, || format!("at ARM: {there}"))
    }

    /// A connection made without any trouble.
    pub(super) async fn made(&self, portal: &Portal) -> Result<String, Wrong> {
        let created = portal.create(&self.request()).await;
        demand(created.body["state"] == "active", || {
            format!("it could not be made: {}", created.body)
        })?;
        Ok(created.text("/id").to_owned())
    }

    /// Asks until the answer is as wanted.
    pub(super) async fn until(
        &self,
        portal: &Portal,
        path: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Answer, Wrong> {
        let found =
            eventually(async || Some(portal.get(path).await).filter(|answer| wanted(&answer.body))).await;
        match found {
            Some(answer) => Ok(answer),
            None => Err(format!(
                "{path} stayed as it was: {}",
                portal.get(path).await.body
            )),
        }
    }

    /// Waits for the operation's end, and continues it as a portal does whenever it waits for its caller.
    pub(super) async fn ended(&self, portal: &Portal, operation: &str) -> Result<Answer, Wrong> {
        let path = format!("/v1/operations/{operation}");
        let is_over = |body: &Value| [json!("succeeded"), json!("failed")].contains(&body["status"]);
        for _ in 0..MAX_CONTINUES {
            let stops = |body: &Value| is_over(body) || body["status"] == "awaitingCaller";
            let answer = self.until(portal, &path, stops).await?;
            if is_over(&answer.body) {
                return Ok(answer);
            }
            continue_operation(portal, operation, None, 0).await;
        }
        Err(format!("{path} waits for its caller again and again"))
    }
}

/// What must be so, or why it isn't.
pub(super) fn demand(holds: bool, why: impl FnOnce() -> String) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(why()) }
}
