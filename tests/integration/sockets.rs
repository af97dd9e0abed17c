//! Connections of clients that say nothing, or are too many: what they take up is bounded in time and number.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{App, PATIENCE, request};

/// Short beside the tests' patience, and long beside what a request of the health takes.
const HEADER_TIMEOUT: Duration = Duration::from_millis(400);

const HEALTH: &[u8] = b"GET /livez HTTP/1.1\r\nhost: tenant-bridge\r\n\r\n";

async fn connect(app: &App) -> TcpStream {
    let address = app.address();
    let connected = TcpStream::connect(address).await;
    connected.expect("a connection, taken by the system if not by the service")
}

async fn ask(connection: &mut TcpStream) {
    connection.write_all(HEALTH).await.expect("it is sent");
}

/// Waits for the next answer's first line.
async fn answer(connection: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let read = timeout(PATIENCE, connection.read(&mut bytes)).await;
    let count = read.expect("in time").expect("an answer");
    let text = String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

/// Waits until the service has closed a connection; gives what it said before.
async fn closed(connection: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let read = timeout(PATIENCE, connection.read_to_end(&mut said)).await;
    // A reset is an end too.
    let _ = read.expect("the service closes it");
    said
}

#[tokio::test]
async fn a_connection_that_sends_no_whole_request_is_closed_after_the_header_timeout() {
    let app = App::with(|config| config.server.header_timeout = HEADER_TIMEOUT).await;
    let preface: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for begun in [
        b"".as_slice(),
        b"G",
        b"GET /livez HTTP/1.1\r\nhost: tenant-bri",
        b"GET /livez HTTP/1.1\r\nhost: tenant-bridge\r\nx-long: ",
        preface,
    ] {
        let began = Instant::now();
        let mut connection = connect(&app).await;
        connection.write_all(begun).await.expect("it is sent");
        let said = closed(&mut connection).await;
        let took = began.elapsed();
        let begun = String::from_utf8_lossy(begun);
        assert!(took >= HEADER_TIMEOUT, "{begun:?} was cut after {took:?}");
        // Far below the default, so that the setting is what closed it.
        assert!(took < Duration::from_secs(8), "{begun:?} was cut after {took:?}");
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains(" 200 "), "{begun:?} was answered: {said}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_connection_whose_next_request_does_not_come_or_breaks_off_is_closed_too() {
    let app = App::with(|config| config.server.header_timeout = HEADER_TIMEOUT).await;
    for begun in [b"".as_slice(), b"GET /livez HTTP/1.1\r\nhost: tenant-bri"] {
        let mut connection = connect(&app).await;
        ask(&mut connection).await;
        assert_eq!(answer(&mut connection).await, "HTTP/1.1 200 OK");
        let began = Instant::now();
        connection.write_all(begun).await.expect("it is sent");
        closed(&mut connection).await;
        assert!(began.elapsed() < Duration::from_secs(8));
    }
    app.finish().await;
}

#[tokio::test]
async fn headers_that_come_byte_by_byte_are_not_waited_for_longer() {
    let app = App::with(|config| config.server.header_timeout = HEADER_TIMEOUT).await;
    let mut connection = connect(&app).await;
    let (mut incoming, mut outgoing) = connection.split();
    let began = Instant::now();
    let trickle = async {
        // As slow as the head can be: one byte each time the last was taken.
        outgoing
            .write_all(b"GET /livez HTTP/1.1\r\nx-long: ")
            .await
            .expect("it is sent");
        let mut pace = tokio::time::interval(HEADER_TIMEOUT / 10);
        loop {
            pace.tick().await;
            if outgoing.write_all(b"x").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut said = Vec::new();
    tokio::select! {
        () = trickle => {}
        read = timeout(PATIENCE, incoming.read_to_end(&mut said)) => {
            let _ = read.expect("the service closes it");
        }
    }
    assert!(began.elapsed() < Duration::from_secs(8));
    app.finish().await;
}

#[tokio::test]
async fn a_request_that_takes_longer_than_its_headers_may_is_not_cut() {
    let app = App::with(|config| config.server.header_timeout = HEADER_TIMEOUT).await;
    app.operations_take(HEADER_TIMEOUT * 3);
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(
        (created.status, created.text("/state")),
        (201, "active"),
        "{}",
        created.body
    );
    app.finish().await;
}

#[tokio::test]
async fn connections_beyond_the_most_wait_until_one_is_closed_and_those_that_are_open_go_on() {
    let app = App::with(|config| config.server.max_connections = 2).await;
    let (mut first, mut second) = (connect(&app).await, connect(&app).await);
    for open in [&mut first, &mut second] {
        ask(open).await;
        assert_eq!(answer(open).await, "HTTP/1.1 200 OK");
    }
    let mut third = connect(&app).await;
    ask(&mut third).await;
    // Who is inside is served as ever, again and again, and who is outside not at all.
    for _ in 0..50 {
        ask(&mut first).await;
        assert_eq!(answer(&mut first).await, "HTTP/1.1 200 OK");
    }
    let mut byte = [0];
    let early = third.try_read(&mut byte).map_err(|error| error.kind());
    assert_eq!(early, Err(std::io::ErrorKind::WouldBlock));
    drop(second);
    assert_eq!(answer(&mut third).await, "HTTP/1.1 200 OK");
    drop((first, third));
    app.finish().await;
}

#[tokio::test]
async fn silent_connections_keep_others_out_no_longer_than_the_header_timeout() {
    let app = App::with(|config| {
        config.server.max_connections = 2;
        config.server.header_timeout = HEADER_TIMEOUT;
    })
    .await;
    let silent = [connect(&app).await, connect(&app).await];
    let health = timeout(PATIENCE, app.portal().get("/livez")).await;
    assert_eq!(health.expect("in time").status, 200);
    drop(silent);
    app.finish().await;
}
