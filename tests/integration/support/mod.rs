//! What the tests stand on: one Postgres for all, and for each test a database, an emulated Azure and a service of its own.
//! Each test ends with [`App::finish`], which fails if work is left undone or a token was written anywhere.

mod collector;
mod database;
mod details;
mod log;
mod mortal;
mod pooler;
mod portal;
mod program;
mod proof;
mod stalled;
mod traces;
mod watch;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use azure_emulator::{Emulator, Entry, Host, MintUserToken, Options, Seed, how_to};
use dev_postgres::Database;
use serde_json::{Value, json};
use tenant_bridge::app;
use tenant_bridge::app::Running;
use tenant_bridge::app::StartError;
use tenant_bridge::authz::TenantPolicy;
use tenant_bridge::clock::Clock;
use tenant_bridge::config::Config;
use tokio::time::Instant;

pub(crate) use collector::Collector;
pub(crate) use database::{admin_url, connect, holds, migrate, migrated, own_server};
pub(crate) use mortal::Mortal;
pub(crate) use pooler::Pooler;
pub(crate) use portal::{Answer, Portal, continue_operation};
pub(crate) use program::program;
pub(crate) use proof::{CLAIMS, claims_challenge, encoded_claims};
pub(crate) use stalled::Stalled;
pub(crate) use watch::{eventually, hurried, impatient};
pub(crate) use wire::Wire;

/// How long a condition may take to come true. Generous: it is no measure of speed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A service with everything behind it, for one test.
pub(crate) struct App {
    pub(crate) emulator: Emulator,
    pub(crate) database: Database,
    service: Option<Running>,
    config: Config,
    clock: Clock,
    log: log::Since,
}

impl App {
    /// A service as the sandbox runs it, against the cloud of the how-to.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(database::fresh().await, change).await
    }

    /// The same on a database that this test made itself.
    pub(crate) async fn on(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        Self::at_time(Clock::system(), database, change).await
    }

    /// The same by another clock.
    pub(crate) async fn by_clock(clock: &Clock, change: impl FnOnce(&mut Config)) -> Self {
        Self::at_time(clock.clone(), database::fresh().await, change).await
    }

    /// A service that waits for Azure by this clock, as long as one does that is deployed.
    pub(crate) async fn driven_by(clock: &Clock) -> Self {
        Self::by_clock(clock, |config| {
            config.worker.poll_min = Duration::from_secs(1);
            config.worker.poll_max = Duration::from_secs(10);
        })
        .await
    }

    async fn at_time(clock: Clock, database: Database, change: impl FnOnce(&mut Config)) -> Self {
        let log = log::start();
        let emulator = Emulator::start(Seed::how_to(), Options::default()).await;
        let emulator = emulator.expect("the emulator starts");
        let mut config = sandbox::configuration(&emulator, &database.serving_url).expect("a configuration");
        // A loaded machine is no outage; the test of the outage sets its own.
        config.database.pool.acquire_timeout = PATIENCE * 2;
        // Nobody stands in front; the test of the drain sets its own.
        config.server.drain = Duration::ZERO;
        // Nor do a test's many faults belong together; the tests of the circuit breaker set their own.
        config.upstream_limits.opens_after = 1000;
        change(&mut config);
        let service = started(&config, &clock).await;
        Self {
            emulator,
            database,
            service: Some(service),
            config,
            clock,
            log,
        }
    }

    /// A second replica on the same database and the same Azure.
    pub(crate) async fn replica(&self) -> Running {
        self.replica_with(Clock::system()).await
    }

    /// One whose clock is wrong.
    pub(crate) async fn replica_with(&self, clock: Clock) -> Running {
        started(&self.config, &clock).await
    }

    /// What a service with other settings says when it is started beside this one.
    pub(crate) async fn start_another(
        &self,
        change: impl FnOnce(&mut Config),
    ) -> Result<Running, StartError> {
        let mut config = self.config.clone();
        change(&mut config);
        app::start(config, Clock::system()).await
    }

    /// A replica that can be killed.
    pub(crate) async fn mortal(&self) -> Mortal {
        self.mortal_with(Clock::system()).await
    }

    /// One whose clock is wrong.
    pub(crate) async fn mortal_with(&self, clock: Clock) -> Mortal {
        Mortal::start(self.config.clone(), clock).await
    }

    /// One with other settings.
    pub(crate) async fn mortal_where(&self, change: impl FnOnce(&mut Config)) -> Mortal {
        let mut config = self.config.clone();
        change(&mut config);
        Mortal::start(config, Clock::system()).await
    }

    /// Stops the service in order; what it was driving is handed over.
    pub(crate) async fn stop_service(&mut self) {
        if let Some(service) = self.service.take() {
            service.stop().await;
        }
    }

    /// Starts it again, as after a restart: nothing is in its memory.
    pub(crate) async fn start_service(&mut self) {
        self.service = Some(self.replica_with(self.clock.clone()).await);
    }

    /// Where the service listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.service.as_ref().expect("the service runs").address()
    }

    /// Where the service serves metrics, if the test's configuration says that it does.
    pub(crate) fn metrics_address(&self) -> SocketAddr {
        let running = self.service.as_ref().expect("the service runs");
        running.metrics_address().expect("metrics are served")
    }

    /// A portal without tokens.
    pub(crate) fn portal(&self) -> Portal {
        Portal::new(self.address())
    }

    /// A portal where this user of the first tenant is signed in.
    pub(crate) fn signed_in(&self, user: &str) -> Portal {
        self.portal().with_token(&self.token(user, how_to::DOMAIN1))
    }

    /// The how-to's portal, at another replica.
    pub(crate) fn portal_at(&self, address: SocketAddr) -> Portal {
        Portal::new(address)
            .with_token(&self.token("acc1@domain1.com", how_to::DOMAIN1))
            .with_auxiliary(&self.token("acc2@domain2.com", how_to::DOMAIN2))
    }

    /// The how-to's portal: acc1@domain1.com, and acc2@domain2.com for the other tenant.
    pub(crate) fn how_to_portal(&self) -> Portal {
        self.signed_in("acc1@domain1.com")
            .with_auxiliary(&self.token("acc2@domain2.com", how_to::DOMAIN2))
    }

    /// The same portal, as an app that has declared that it takes claims challenges.
    pub(crate) fn challengeable_portal(&self) -> Portal {
        let actor = self.challengeable_token("acc1@domain1.com", how_to::DOMAIN1);
        let participant = self.challengeable_token("acc2@domain2.com", how_to::DOMAIN2);
        self.portal().with_token(&actor).with_auxiliary(&participant)
    }

    /// A token that says that the portal takes claims challenges.
    pub(crate) fn challengeable_token(&self, user: &str, tenant: &str) -> String {
        // However it is spelt.
        self.odd_token(user, tenant, |token| {
            token.overrides.client_capabilities = vec!["CP1".to_owned()];
        })
    }

    /// A token for the service that the portal got for this user in this tenant.
    pub(crate) fn token(&self, user: &str, tenant: &str) -> String {
        sandbox::user_token(&self.emulator, user, tenant).expect("a token")
    }

    /// A token with something else about it than [`App::token`]'s.
    pub(crate) fn odd_token(
        &self,
        user: &str,
        tenant: &str,
        change: impl FnOnce(&mut MintUserToken),
    ) -> String {
        let mut request = MintUserToken {
            user: user.to_owned(),
            tenant: tenant.to_owned(),
            client_app: how_to::PORTAL.to_owned(),
            api: how_to::TENANT_BRIDGE.to_owned(),
            scopes: vec!["Connections.ReadWrite".to_owned()],
            ..MintUserToken::default()
        };
        change(&mut request);
        self.emulator.mint_user_token(&request).expect("a token")
    }

    /// A token with these app roles of its tenant and no others.
    pub(crate) fn token_with_roles(&self, user: &str, tenant: &str, roles: &[&str]) -> String {
        self.odd_token(user, tenant, |token| {
            let claims = &mut token.overrides.extra_claims;
            claims.insert("roles".to_owned(), json!(roles));
        })
    }

    /// The calls that could have changed something at ARM.
    pub(crate) fn writes(&self) -> Vec<Entry> {
        let entries = self.emulator.journal().entries();
        entries
            .into_iter()
            .filter(|entry| entry.host == Host::Arm && entry.method != "GET")
            .collect()
    }

    /// The data connection of this name in the how-to's database, as ARM has it.
    pub(crate) fn at_arm(&self, name: &str) -> Option<Value> {
        self.emulator
            .read(|world| world.data_connection(&data_connection(name)))
    }

    /// One value of the database, as its owner reads it.
    pub(crate) async fn scalar<T>(&self, query: &'static str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        database::scalar(&self.database, query).await
    }

    /// Waits until a value of the database is as wanted.
    pub(crate) async fn eventually_scalar<T>(&self, query: &'static str, wanted: impl Fn(T) -> bool)
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let found = eventually(async || wanted(self.scalar(query).await).then_some(())).await;
        assert!(found.is_some(), "{query} did not become as wanted");
    }

    /// Waits until ARM has a data connection of this name that no operation works on.
    pub(crate) async fn visible(&self, name: &str) {
        let at_rest = |shown: &Value| shown["properties"]["provisioningState"] == "Succeeded";
        let found = eventually(async || self.at_arm(name).filter(at_rest)).await;
        assert!(found.is_some(), "{name} does not come to be");
    }

    /// Changes the database behind the service's back, as its owner.
    pub(crate) async fn as_owner(&self, statements: &str) {
        database::run(&self.database, statements).await;
    }

    /// Whether the log has a line with both texts, waiting for it.
    pub(crate) async fn wait_for_log(&self, one: &str, other: &str) {
        self.log.wait_for(one, other).await;
    }

    /// How many lines of the log have both texts.
    pub(crate) fn log_lines(&self, one: &str, other: &str) -> usize {
        self.log.count(one, other)
    }

    /// Ends the test: nothing may be left to do, and no token may stand in the database or the log.
    pub(crate) async fn finish(mut self) {
        let open: i64 = self
            .scalar("select count(*) from operations where phase not in ('succeeded', 'failed')")
            .await;
        assert_eq!(open, 0, "operations were left undone");
        let urls: i64 = self
            .scalar("select count(*) from operations where arm_operation_url is not null")
            .await;
        assert_eq!(urls, 0, "signed URLs outlived their operations");
        let events: Value = self
            .scalar(
                "select coalesce(jsonb_agg(jsonb_build_array(e.kind, e.details)), '[]')
                 from (select kind, details from ledger_events order by sequence desc limit 500) e",
            )
            .await;
        details::assert_documented(&events);
        self.stop_service().await;
        let tokens = self.emulator.issued_tokens();
        self.log.assert_free_of(&tokens);
        database::assert_free_of(&self.database, &tokens).await;
        self.emulator.stop().await;
        database::drop(&self.database).await;
    }
}

/// A service that has started. That its database didn't answer in time is no failure of a start here: the machine may have much else
/// to do.
pub(crate) async fn started(config: &Config, clock: &Clock) -> Running {
    let deadline = Instant::now() + PATIENCE * 4;
    loop {
        match app::start(config.clone(), clock.clone()).await {
            Err(StartError::Database(error)) if error.is_outage() && Instant::now() < deadline => {}
            started => return started.expect("the service starts"),
        }
    }
}

/// A clock that is ahead of the others by more than any request lives.
pub(crate) fn clock_ahead() -> Clock {
    Clock::ahead_by(Duration::from_secs(600))
}

/// The resource id of a data connection in the how-to's database.
pub(crate) fn data_connection(name: &str) -> String {
    format!("{}/dataConnections/{name}", how_to::DATABASE)
}

/// What a configuration allows that names these targets and sources.
pub(crate) fn allowing(targets: &[&str], sources: &[&str]) -> TenantPolicy {
    let text = format!(
        r#"
        [database]
        url = "postgres://localhost/none"
        [entra]
        client_id = "{service}"
        client_secret = "kT8Q~wXyZ1aBcD4eFgH7iJkLmN0pQrSt"
        calling_apps = ["{portal}"]
        [tenants]
        users = ["{one}", "{two}"]
        targets = {targets:?}
        sources = {sources:?}
        [ledger]
        fingerprint_key = "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d"
        "#,
        service = how_to::TENANT_BRIDGE,
        portal = how_to::PORTAL,
        one = how_to::DOMAIN1,
        two = how_to::DOMAIN2,
    );
    Config::from_toml(&text).expect("a configuration").tenants
}

/// The how-to's request under this name.
pub(crate) fn request(name: &str) -> Value {
    json!({
        "name": name,
        "target": { "database": how_to::DATABASE, "table": "Events", "mapping": "EventsMapping", "dataFormat": "JSON" },
        "source": { "eventHub": { "resourceId": how_to::HUB1, "consumerGroup": "$Default" } }
    })
}
