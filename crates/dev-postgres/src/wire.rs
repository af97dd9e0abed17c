//! A line to a Postgres that can be made dead: what is sent gets nowhere, and nobody hangs up.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

/// The line. All that goes over it is lost when it is dropped.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    /// How often it died and was mended: even while it lives. Connections of a former life stay dead for ever.
    lives: watch::Sender<u64>,
    _carries: JoinSet<()>,
}

impl Wire {
    /// A line to the server of this URL.
    ///
    /// # Errors
    /// When no port can be had, or the URL names no server.
    pub async fn to(server: &Url) -> std::io::Result<Self> {
        let unnamed = || std::io::Error::other("the URL names no server");
        let host = server.host_str().ok_or_else(unnamed)?;
        let target = format!("{host}:{}", server.port().ok_or_else(unnamed)?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let lives = watch::Sender::new(0);
        let (known, mut carries) = (lives.clone(), JoinSet::new());
        carries.spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (life, target) = (known.subscribe(), target.clone());
                lines.spawn(async move { carry(stream, &target, life).await });
            }
        });
        Ok(Self {
            address,
            lives,
            _carries: carries,
        })
    }

    /// The same URL over this line.
    #[must_use]
    pub fn over(&self, url: &Url) -> Url {
        let mut url = url.clone();
        // A URL that names a server takes a port.
        let _ = url.set_port(Some(self.address.port()));
        url
    }

    /// From now on nothing gets through.
    pub fn die(&self) {
        self.lives.send_modify(|lives| *lives += 1);
    }

    /// New connections get through again; the old ones are never heard of.
    pub fn mend(&self) {
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
            Ok(count) if count > 0 && to.write_all(bytes.get(..count).unwrap_or_default()).await.is_ok() => {}
            _ => return,
        }
    }
}
