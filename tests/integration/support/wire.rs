//! What a service says to its Postgres, read off the wire.

use std::collections::HashMap;
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;
use url::Url;

/// A proxy in front of a database, which keeps the texts of the statements that were executed. Ends with the test's runtime.
pub(crate) struct Wire {
    port: u16,
    executed: Arc<Mutex<Vec<String>>>,
}

impl Wire {
    pub(crate) async fn before(database: &Url) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let server = (
            database.host_str().expect("a host").to_owned(),
            database.port().expect("a port"),
        );
        let executed: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&executed);
        let tasks = TaskTracker::new();
        let connections = tasks.clone();
        tasks.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server.clone()).await.expect("the server");
                // Nobody waits for more to hand on.
                client.set_nodelay(true).expect("a socket");
                server.set_nodelay(true).expect("a socket");
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, to_server) = server.into_split();
                connections.spawn(forward(from_client, to_server, Arc::clone(&kept)));
                connections.spawn(async move { copy(&mut from_server, &mut to_client).await });
            }
        });
        Self { port, executed }
    }

    /// The database's URL by way of this proxy.
    pub(crate) fn url(&self, database: &Url) -> Url {
        let mut url = database.clone();
        url.set_port(Some(self.port)).expect("a port");
        url
    }

    /// The statements since the last time, in order.
    pub(crate) fn executed(&self) -> Vec<String> {
        take(&mut *self.executed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Hands on what the client sends, message by message (PostgreSQL, "Message Formats").
async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    kept: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    // The first messages have no type: a request for encryption, which this server refuses, and the startup.
    loop {
        let body = message(None, &mut from, &mut to).await?;
        if body.get(..4)? == 196_608_u32.to_be_bytes() {
            break;
        }
    }
    let mut prepared: HashMap<Vec<u8>, String> = HashMap::new();
    let mut bound = String::new();
    loop {
        let kind = from.read_u8().await.ok()?;
        let body = message(Some(kind), &mut from, &mut to).await?;
        let mut texts = body.split(|byte| *byte == 0);
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let executed = match kind {
            b'P' => {
                prepared.insert(texts.next()?.to_vec(), text(texts.next()));
                continue;
            }
            // Of a portal, which has no name, and a prepared statement.
            b'B' => {
                bound = prepared.get(texts.nth(1)?).cloned().unwrap_or_default();
                continue;
            }
            b'E' => bound.clone(),
            b'Q' => text(texts.next()),
            _ => continue,
        };
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(executed);
    }
}

/// Hands on a message, whose type has been read; returns what follows its length.
async fn message(kind: Option<u8>, from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf) -> Option<Vec<u8>> {
    let length = from.read_u32().await.ok()?;
    let mut body = vec![0; usize::try_from(length).ok()?.checked_sub(4)?];
    from.read_exact(&mut body).await.ok()?;
    let head = kind.into_iter().chain(length.to_be_bytes());
    let message: Vec<u8> = head.chain(body.iter().copied()).collect();
    to.write_all(&message).await.ok()?;
    Some(body)
}
