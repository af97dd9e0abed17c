//! What one create and one GET cost: statements and commits at Postgres, calls to ARM, allocations of the service.
//!
//! The service runs in a process of its own, without a log: this test binary again, told to serve. So its allocations are counted
//! apart from those of the test and of the emulated Azure. What it does besides (heartbeats, periodic jobs) only adds: each cost is
//! the least of several rounds.

use std::alloc::System;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use azure_emulator::Host;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tenant_bridge::app;
use tenant_bridge::clock::Clock;
use tenant_bridge::config::Config;

use crate::support::{App, Wire, request};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Where the process that serves finds its configuration.
const SETTINGS: &str = "TENANT_BRIDGE_COSTS_SETTINGS";

/// How often each request is measured, and once before.
const ROUNDS: usize = 8;

/// The costs of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Costs {
    statements: usize,
    commits: usize,
    arm_calls: usize,
    allocations: usize,
}

/// What a create may cost. Statements are all that Postgres executes, those around transactions included. Allocations are 5 % more
/// than were measured when this test was written, which leaves room for what the service does meanwhile.
const CREATE: Costs = Costs {
    statements: 47,
    commits: 3,
    arm_calls: 14,
    allocations: 3_980,
};

/// What a GET of a connection may cost.
const GET: Costs = Costs {
    statements: 3,
    commits: 0,
    arm_calls: 0,
    allocations: 415,
};

impl Costs {
    /// The least of each, over all rounds.
    fn least(self, other: Self) -> Self {
        Self {
            statements: self.statements.min(other.statements),
            commits: self.commits.min(other.commits),
            arm_calls: self.arm_calls.min(other.arm_calls),
            allocations: self.allocations.min(other.allocations),
        }
    }

    fn exceeds(self, allowed: Self) -> bool {
        self.least(allowed) != self
    }
}

// The proxy runs while the test waits for the other process.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_create_and_a_get_cost_no_more_than_they_may() {
    let mut app = App::start().await;
    app.stop_service().await;
    let wire = Wire::before(&app.database.serving_url).await;
    let mut server = Server::start(&app, &wire);
    let portal = app.portal_at(server.address);
    let (mut creates, mut gets) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let body = request("telemetry");
        let (created, create) = server.measure(&app, &wire, portal.create(&body)).await;
        assert_eq!(created.status, 201, "{}", created.body);
        let id = created.text("/id");
        let (seen, get) = server.measure(&app, &wire, portal.connection(id)).await;
        assert_eq!(seen.status, 200, "{}", seen.body);
        let removed = portal.remove(id).await;
        assert_eq!(removed.status, 200, "{}", removed.body);
        // The first round fills caches and opens connections.
        if round > 0 {
            creates.push(create);
            gets.push(get);
        }
    }
    for (what, measured, allowed) in [("create", creates, CREATE), ("GET", gets, GET)] {
        let (costs, mut statements): (Vec<Costs>, Vec<Vec<String>>) = measured.into_iter().unzip();
        let least = costs.iter().copied().reduce(Costs::least).expect("a round");
        statements.sort_by_key(Vec::len);
        assert!(
            !least.exceeds(allowed),
            "a {what} may cost {allowed:?}, and costs {costs:#?}: {:#?}",
            statements.first()
        );
    }
    server.stop();
    app.finish().await;
}

/// The process that serves.
struct Server {
    child: Child,
    commands: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(app: &App, wire: &Wire) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, app.emulator.ca_pem()).expect("a file");
        let settings = sandbox::settings(&app.emulator, &wire.url(&app.database.serving_url));
        // A loaded machine is no outage.
        let settings = settings.replace("[database]", "[database]\nacquire_timeout = \"30s\"");
        let settings = settings.replace("[worker]", "[worker]\ninterval = \"60s\"");
        let settings = settings.replace("[ledger]", "[ledger]\nfeed_interval = \"60s\"");
        let settings = format!("{settings}\n[upstream]\nca_file = \"{}\"\n", authority.display());
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "costs::serve", "--ignored", "--nocapture"])
            .env(SETTINGS, settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        let commands = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().expect("its answers")).lines();
        let address = answer(&mut answers, "address ").parse().expect("an address");
        Self {
            child,
            commands,
            answers,
            address,
            _folder: folder,
        }
    }

    /// How often it has allocated so far.
    fn allocations(&mut self) -> usize {
        let commands = self.commands.as_mut().expect("it is not stopped");
        commands.write_all(b"\n").expect("it listens");
        answer(&mut self.answers, "allocations ")
            .parse()
            .expect("a number")
    }

    /// What a request costs, and the statements that it executes.
    async fn measure<T>(
        &mut self,
        app: &App,
        wire: &Wire,
        request: impl Future<Output = T>,
    ) -> (T, (Costs, Vec<String>)) {
        let arm_calls = || {
            let entries = app.emulator.journal().entries();
            entries.iter().filter(|entry| entry.host == Host::Arm).count()
        };
        wire.executed();
        let (calls, allocations) = (arm_calls(), self.allocations());
        let answer = request.await;
        let allocations = self.allocations() - allocations;
        let statements = wire.executed();
        let costs = Costs {
            statements: statements.len(),
            commits: statements.iter().filter(|text| text.as_str() == "COMMIT").count(),
            arm_calls: arm_calls() - calls,
            allocations,
        };
        (answer, (costs, statements))
    }

    fn stop(mut self) {
        drop(self.commands.take());
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}");
    }
}

/// The rest of the next line that begins so; the test harness has lines of its own.
fn answer(lines: &mut Lines<BufReader<ChildStdout>>, beginning: &str) -> String {
    let found = lines
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once(beginning)?.1.to_owned()));
    found.expect("it answers")
}

#[tokio::test]
#[ignore = "another test starts it, in a process of its own"]
#[expect(
    clippy::print_stdout,
    reason = "its answers are read by the test that starts it"
)]
#[expect(
    clippy::disallowed_methods,
    reason = "the configuration comes from the test that starts it"
)]
async fn serve() {
    let Ok(settings) = std::env::var(SETTINGS) else {
        return;
    };
    let config = Config::from_toml(&settings).expect("a configuration");
    let service = app::start(config, Clock::system())
        .await
        .expect("the service starts");
    println!("address {}", service.address());
    let commands = tokio::task::spawn_blocking(|| {
        for _ in std::io::stdin().lines() {
            let stats = ALLOCATOR.stats();
            println!("allocations {}", stats.allocations + stats.reallocations);
        }
    });
    commands.await.expect("it reads to the end");
    service.stop().await;
}
