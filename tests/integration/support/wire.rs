//! A line between the service and its Postgres that a test can make dead: what is sent gets nowhere, and nobody hangs up.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

/// The line. Ends with the test's runtime.
pub(crate) struct Wire {
    address: SocketAddr,
    /// How often it died and was mended: even while it lives. Connections of a former life stay dead for ever.
    lives: Arc<watch::Sender<u64>>,
}

impl Wire {
    /// A line to the server of this URL.
    pub(crate) async fn to(server: &Url) -> Self {
        let target = format!(
            "{}:{}",
            server.host_str().expect("a host"),
            server.port().expect("a port")
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let lives = Arc::new(watch::Sender::new(0));
        let known = Arc::clone(&lives);
        tokio_util::task::TaskTracker::new().spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (life, target) = (known.subscribe(), target.clone());
                lines.spawn(async move { carry(stream, &target, life).await });
            }
        });
        Self { address, lives }
    }

    /// The same URL over this line.
    pub(crate) fn over(&self, url: &Url) -> Url {
        let mut url = url.clone();
        url.set_port(Some(self.address.port())).expect("a port");
        url
    }

    /// From now on nothing gets through.
    pub(crate) fn die(&self) {
        self.lives.send_modify(|lives| *lives += 1);
    }

    /// New connections get through again; the old ones are never heard of.
    pub(crate) fn mend(&self) {
        self.lives.send_modify(|lives| *lives += 1);
    }
}

async fn carry(stream: TcpStream, target: &str, mut life: watch::Receiver<u64>) {
    let born = *life.borrow_and_update();
    if born % 2 == 1 {
        // Connected, as far as the one who calls can tell.
        return std::future::pending().await;
    }
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let ((from, to), (back, out)) = (stream.into_split(), server.into_split());
    let mut other = life.clone();
    tokio::join!(copy(from, out, &mut life), copy(back, to, &mut other));
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, life: &mut watch::Receiver<u64>) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            biased;
            _ = life.changed() => return std::future::pending().await,
            read = from.read(&mut bytes) => read,
        };
        match read {
            Ok(count) if count > 0 && to.write_all(&bytes[..count]).await.is_ok() => {}
            _ => return,
        }
    }
}
