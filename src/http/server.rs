//! Accepts connections and serves them: HTTP/1.1 and HTTP/2, with limits that let four tokens through.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

/// The largest headers, in bytes: four tokens of up to 16 KiB.
const LARGEST_HEADERS: u32 = 96 * 1024;

/// What the clients of one listener may take up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a client may take to send its headers, from the moment it is connected.
    pub header_timeout: Duration,
    /// The most connections at once; more wait to be accepted.
    pub max_connections: u32,
    /// How long requests under way may go on after the end has begun.
    pub grace: Duration,
}

/// Serves until `stop` is cancelled; then takes no new connection, gives requests under way their grace to end, and cuts the
/// rest.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, limits: Limits) {
    let builder = builder(limits.header_timeout);
    let graceful = GracefulShutdown::new();
    let (tasks, cut) = (TaskTracker::new(), CancellationToken::new());
    let places = Arc::new(Semaphore::new(
        usize::try_from(limits.max_connections).unwrap_or(Semaphore::MAX_PERMITS),
    ));
    while let Some((stream, place)) = stop.run_until_cancelled(accept(&listener, &places)).await {
        let (router, asked) = (router.clone(), Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&asked);
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            seen.store(true, Ordering::Relaxed);
            // A router is always ready, and its clone is cheap.
            router.clone().call(request.map(Body::new))
        });
        let connection = graceful.watch(
            builder
                .serve_connection(TokioIo::new(stream), service)
                .into_owned(),
        );
        let cut = cut.clone();
        tasks.spawn(async move {
            let silent = async {
                sleep(limits.header_timeout).await;
                if asked.load(Ordering::Relaxed) {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(error = %error, "a connection ended badly");
                },
                // The protocol is told apart by the first bytes, and hyper would wait for them without end.
                () = silent => tracing::debug!("a connection sent no request in time"),
                () = cut.cancelled() => {}
            }
            drop(place);
        });
    }
    drop(listener);
    if timeout(limits.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests under way did not end in the grace time");
    }
    cut.cancel();
    tasks.close();
    tasks.wait().await;
}

/// The next connection and its place among those that are open.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // `None` only if the semaphore were closed, which nobody does.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => {
                // Out of file handles, mostly: waiting lets some go.
                tracing::warn!(error = %error, "a connection could not be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn builder(header_timeout: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(usize::try_from(LARGEST_HEADERS).unwrap_or(usize::MAX));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(LARGEST_HEADERS)
        .max_concurrent_streams(100)
        .keep_alive_interval(Duration::from_secs(30));
    builder
}
