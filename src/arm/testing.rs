//! For tests of this module: a server that answers with prepared bytes and records its requests.
//! It speaks plain HTTP on loopback, so that answers no well-behaved server would give can be given.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::DateTime;
use secrecy::SecretString;
use url::Url;

use super::{Arm, Settings};
use crate::clock::Clock;
use crate::domain::{DataConnectionId, Person};
use crate::upstream::{ArmToken, GuardLimits};

pub(super) const TARGET: &str = "11111111-0000-4000-8000-000000000001";
pub(super) const SOURCE: &str = "22222222-0000-4000-8000-000000000002";

/// What the server does with one request.
pub(super) enum Reply {
    /// Writes these bytes and closes.
    Bytes(Vec<u8>),
    /// Closes without a byte.
    Nothing,
}

/// An answer with these header lines and this body.
pub(super) fn reply(status: u16, headers: &[&str], body: &str) -> Reply {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    );
    Reply::Bytes(text.into_bytes())
}

/// The server. Answers one request per reply, in order, then stops listening.
pub(super) struct ScriptedArm {
    pub(super) endpoint: Url,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ScriptedArm {
    pub(super) fn start(replies: Vec<Reply>) -> Self {
        Self::start_with(|_| replies)
    }

    /// Starts with replies that name the server's own endpoint.
    pub(super) fn start_with(replies: impl FnOnce(&Url) -> Vec<Reply>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let endpoint: Url = format!("http://{address}/").parse().expect("a URL");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, replies) = (Arc::clone(&requests), replies(&endpoint));
        std::thread::spawn(move || {
            for reply in replies {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let request = read_request(&mut stream);
                seen.lock().expect("no test panicked in here").push(request);
                if let Reply::Bytes(bytes) = reply {
                    // The client hangs up early on a body that is too long.
                    let _ = stream.write_all(&bytes);
                }
            }
        });
        Self { endpoint, requests }
    }

    /// What was asked so far: request line, headers in lower case, body.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panicked in here").clone()
    }

    pub(super) fn arm(&self) -> Arm {
        self.arm_with(clock())
    }

    pub(super) fn arm_with(&self, clock: Clock) -> Arm {
        arm(self.endpoint.clone(), clock)
    }
}

pub(super) fn clock() -> Clock {
    Clock::driven(DateTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the service's own client refuses plain HTTP"
)]
pub(super) fn arm(endpoint: Url, clock: Clock) -> Arm {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()
        .expect("a client");
    let settings = Settings {
        endpoint,
        kusto_api_version: "2024-04-13".to_owned(),
        tenant_cache: Duration::from_secs(3600),
        limits: GuardLimits {
            pause: Duration::ZERO,
            ..GuardLimits::default()
        },
    };
    Arm::new(settings, client, clock)
}

pub(super) fn token(tenant: &str, secret: &str) -> ArmToken {
    let principal = Person {
        tenant: tenant.parse().expect("a GUID"),
        object: "33333333-0000-4000-8000-000000000003".parse().expect("a GUID"),
    };
    ArmToken::new(principal, DateTime::UNIX_EPOCH, SecretString::from(secret))
}

pub(super) fn data_connection_id() -> DataConnectionId {
    format!("/subscriptions/{TARGET}/resourceGroups/rg 1/providers/Microsoft.Kusto/clusters/adx1/databases/My Db/dataConnections/telemetry")
        .parse()
        .expect("an id")
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    let mut body = vec![0; length];
    let _ = stream.read_exact(&mut body);
    let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    format!("{line}\n{headers}{}", String::from_utf8_lossy(&body))
}
