//! Connections of clients that say nothing, or are too many: what they take up is bounded in time and number.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http_edges::clients;
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

/// Waits until the service has closed a connection; returns what it said before.
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
async fn a_request_that_takes_longer_than_a_connection_may_be_silent_idle_or_old_is_not_cut() {
    for (version, client) in clients() {
        let app = App::with(|config| {
            config.server.header_timeout = HEADER_TIMEOUT;
            config.server.idle_timeout = HEADER_TIMEOUT;
            config.server.max_connection_age = HEADER_TIMEOUT;
        })
        .await;
        app.operations_take(HEADER_TIMEOUT * 4);
        let portal = app.how_to_portal();
        let call = portal
            .call(Method::POST, "/v1/connections")
            .header("prefer", "wait=30")
            .json(&request("telemetry"));
        let began = Instant::now();
        let answer = client.execute(call.build().expect("a call")).await;
        let answer = answer.expect("an answer");
        assert_eq!(
            (answer.version(), answer.status()),
            (version, StatusCode::CREATED)
        );
        assert!(began.elapsed() >= HEADER_TIMEOUT * 4);
        let created: Value = answer.json().await.expect("a body");
        assert_eq!(created["state"], "active");
        app.finish().await;
    }
}

/// The largest answer there is: two dozen are more than the system's buffers and HTTP/2's windows hold.
const LARGE: &str = "/docs/swagger-ui-bundle.js";

#[tokio::test]
async fn clients_that_do_not_read_their_answers_keep_others_out_for_a_bounded_time() {
    let app = App::with(|config| {
        config.server.max_connections = 3;
        config.server.idle_timeout = HEADER_TIMEOUT;
        // Longer than anybody waits here: each of those who wait takes one place, and keeps it.
        config.server.header_timeout = PATIENCE * 2;
    })
    .await;
    let pipelined = format!("GET {LARGE} HTTP/1.1\r\nhost: tenant-bridge\r\n\r\n").repeat(24);
    let mut slow = [connect(&app).await, connect(&app).await];
    for connection in &mut slow {
        let sent = connection.write_all(pipelined.as_bytes()).await;
        sent.expect("it is sent");
        // It has its place, and the first answer is on its way.
        assert_eq!(answer(connection).await, "HTTP/1.1 200 OK");
    }
    let [_, (_, client)] = clients();
    let large = || client.get(format!("http://{}{LARGE}", app.address())).send();
    let unread = join_all((0..24).map(|_| large())).await;
    for answer in unread.iter().flatten() {
        assert_eq!(answer.status(), 200);
    }
    let mut waiting = [connect(&app).await, connect(&app).await, connect(&app).await];
    for connection in &mut waiting {
        ask(connection).await;
    }
    for connection in &mut waiting {
        assert_eq!(answer(connection).await, "HTTP/1.1 200 OK");
    }
    drop((slow, unread));
    app.finish().await;
}

#[tokio::test]
async fn a_connection_of_http_2_that_asks_for_nothing_more_is_closed_whatever_it_sends() {
    let app = App::with(|config| config.server.idle_timeout = HEADER_TIMEOUT).await;
    let mut connection = connect(&app).await;
    // The preface, empty SETTINGS, and HEADERS that end stream 1: GET / over http (RFC 9113, sections 3.4 and 6; RFC 7541,
    // appendix A).
    let begun: &[u8] =
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84";
    let ping: &[u8] = b"\0\0\x08\x06\0\0\0\0\0pingpong";
    connection.write_all(begun).await.expect("it is sent");
    let began = Instant::now();
    let (mut incoming, mut outgoing) = connection.split();
    let pings = async {
        let mut pace = tokio::time::interval(HEADER_TIMEOUT / 10);
        loop {
            pace.tick().await;
            if outgoing.write_all(ping).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut said = Vec::new();
    tokio::select! {
        () = pings => {}
        read = timeout(PATIENCE, incoming.read_to_end(&mut said)) => {
            let _ = read.expect("the service closes it");
        }
    }
    assert!(began.elapsed() >= HEADER_TIMEOUT);
    // It was told why: a frame of type GOAWAY without an error.
    let goaway: &[u8] = b"\x07\0\0\0\0\0";
    assert!(
        said.windows(goaway.len()).any(|bytes| bytes == goaway),
        "{said:?}"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_connection_that_is_never_idle_is_closed_when_it_is_old() {
    let app = App::with(|config| config.server.max_connection_age = HEADER_TIMEOUT).await;
    let mut connection = connect(&app).await;
    let began = Instant::now();
    let use_it = async {
        let mut bytes = vec![0; 4096];
        loop {
            if connection.write_all(HEALTH).await.is_err() {
                return;
            }
            match connection.read(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    };
    timeout(PATIENCE, use_it).await.expect("the service closes it");
    assert!(began.elapsed() >= HEADER_TIMEOUT);
    app.finish().await;
}

#[tokio::test]
async fn health_is_answered_where_metrics_are_when_no_more_connections_are_taken() {
    let app = App::with(|config| {
        config.server.max_connections = 1;
        config.telemetry.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    })
    .await;
    let mut only = connect(&app).await;
    ask(&mut only).await;
    assert_eq!(answer(&mut only).await, "HTTP/1.1 200 OK");
    let probes = app.portal().at(app.metrics_address());
    for path in ["/livez", "/readyz"] {
        let health = timeout(PATIENCE, probes.get(path)).await;
        assert_eq!(health.expect("in time").status, 200, "{path}");
    }
    probes.get("/v1/connections").await.is_problem(404, "notFound");
    drop(only);
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

#[tokio::test]
async fn a_request_that_is_not_for_exactly_one_host_is_refused() {
    let app = App::start().await;
    for (head, status) in [
        ("GET /livez HTTP/1.1\r\nhost: a.example\r\n", "200"),
        ("GET /livez HTTP/1.1\r\n", "400"),
        ("GET /livez HTTP/1.0\r\n", "400"),
        (
            "GET /livez HTTP/1.1\r\nhost: a.example\r\nhost: a.example\r\n",
            "400",
        ),
        (
            "GET /livez HTTP/1.1\r\nhost: a.example\r\nHost: b.example\r\n",
            "400",
        ),
        ("GET /livez HTTP/1.1\r\nhost: a.example, b.example\r\n", "400"),
        (
            "GET http://a.example/livez HTTP/1.1\r\nhost: b.example\r\n",
            "400",
        ),
    ] {
        let mut connection = connect(&app).await;
        let request = format!("{head}\r\n");
        connection
            .write_all(request.as_bytes())
            .await
            .expect("it is sent");
        let line = answer(&mut connection).await;
        assert!(line.contains(status), "{head}: {line}");
    }
    app.finish().await;
}
