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

/// How long a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest headers, in bytes: four tokens of up to 16 KiB.
const LARGEST_HEADERS: u32 = 96 * 1024;

/// The most connections at once; more wait to be accepted.
const MOST_CONNECTIONS: usize = 2048;

/// Serves until `stop` is cancelled; then takes no new connection, gives requests under way `grace` to end, and cuts the rest.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, grace: Duration) {
    let builder = builder();
    let graceful = GracefulShutdown::new();
    let (tasks, cut) = (TaskTracker::new(), CancellationToken::new());
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
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
                sleep(HEADER_TIMEOUT).await;
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
    if timeout(grace, graceful.shutdown()).await.is_err() {
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

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(usize::try_from(LARGEST_HEADERS).unwrap_or(usize::MAX));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(LARGEST_HEADERS)
        .max_concurrent_streams(100)
        .keep_alive_interval(Duration::from_secs(30));
    builder
}
