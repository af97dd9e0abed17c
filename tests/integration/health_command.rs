//! `tenant-bridge health`, the program itself, as a container's health check runs it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::support::{App, migrated, own_server, program};

/// What the program ended with.
struct Told {
    code: Option<i32>,
    error: String,
}

impl Told {
    #[track_caller]
    fn is_well(&self) {
        assert_eq!((self.code, self.error.as_str()), (Some(0), ""));
    }

    /// Exit code 1 with one line, which has this in it.
    #[track_caller]
    fn complains_of(&self, what: &str) {
        assert_eq!(self.code, Some(1), "{}", self.error);
        assert_eq!(self.error.lines().count(), 1, "{}", self.error);
        assert!(self.error.contains(what), "{what} is not in: {}", self.error);
    }
}

/// Runs it with one setting, where the service listens, and with a proxy that nobody is at.
async fn health(listen: SocketAddr, arguments: &[&str]) -> Told {
    let mut program = program();
    program
        .env_clear()
        .env("TENANT_BRIDGE__SERVER__LISTEN", listen.to_string())
        .envs(["http_proxy", "HTTP_PROXY", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:1")))
        .arg("health")
        .args(arguments);
    // The service that is asked runs on this thread.
    let output = tokio::task::spawn_blocking(move || program.output()).await;
    let output = output.expect("it ends").expect("it starts");
    assert!(output.stdout.is_empty());
    Told {
        code: output.status.code(),
        error: String::from_utf8(output.stderr).expect("text"),
    }
}

fn nobody_there() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

#[tokio::test]
async fn a_service_that_works_is_well_by_its_settings_and_by_its_url() {
    let app = App::start().await;
    health(app.address(), &[]).await.is_well();
    health(app.address(), &["--ready"]).await.is_well();
    let url = format!("http://{}", app.address());
    health(nobody_there(), &["--url", &url, "--ready"])
        .await
        .is_well();
    app.finish().await;
}

#[tokio::test]
async fn a_service_on_all_addresses_is_asked_on_this_machines_own() {
    let app = App::with(|config| config.server.listen = SocketAddr::from(([0, 0, 0, 0], 0))).await;
    health(app.address(), &[]).await.is_well();
    app.finish().await;
}

#[tokio::test]
async fn a_service_without_its_database_lives_and_is_not_ready() {
    let server = own_server().await;
    let app = App::on(migrated(&server).await, |config| {
        config.database.pool.acquire_timeout = Duration::from_millis(500);
    })
    .await;
    server.suspend().await.expect("it stops");
    health(app.address(), &[]).await.is_well();
    let told = health(app.address(), &["--ready"]).await;
    told.complains_of("/readyz answers 503 Service Unavailable");
    server.resume().await.expect("it starts");
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn where_nothing_listens_the_refusal_is_told() {
    let told = health(nobody_there(), &[]).await;
    told.complains_of("http://127.0.0.1:1/livez does not answer");
    told.complains_of("refused");
}

#[tokio::test]
async fn a_service_that_takes_the_question_and_says_nothing_is_waited_for_three_seconds() {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let began = Instant::now();
    let told = health(mute.local_addr().expect("an address"), &[]).await;
    told.complains_of("timed out");
    assert!(began.elapsed() >= Duration::from_secs(3));
}
