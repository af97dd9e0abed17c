//! Accepts connections and serves them: HTTP/1.1 and HTTP/2, with limits that let four tokens through.

use std::fmt::Display;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

/// How many bytes of headers are read: more than are answered with anything but a problem (`layers::LARGEST_HEADERS`), so that
/// there is one. What is still larger is refused by the server itself, with 431 and no body; it doesn't count exactly.
const HEADERS_READ: u32 = 128 * 1024;

/// The limits of one listener's clients.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a client may take to send its headers, from the moment it is connected.
    pub header_timeout: Duration,
    /// How long a connection is kept on which no request is under way; then it takes none any more, and has as long again to
    /// take the answers that it has not read.
    pub idle_timeout: Duration,
    /// The age from which on a connection takes no new request.
    pub max_age: Duration,
    /// The most connections at once; more wait to be accepted.
    pub max_connections: u32,
    /// How long running requests may continue after the shutdown has begun.
    pub grace: Duration,
}

/// Serves until `stop` is cancelled; then takes no new connection, waits for running requests within the grace time, and cuts the
/// rest.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, limits: Limits) {
    let builder = builder(limits.header_timeout);
    let (tasks, cut) = (TaskTracker::new(), CancellationToken::new());
    let places = Arc::new(Semaphore::new(
        usize::try_from(limits.max_connections).unwrap_or(Semaphore::MAX_PERMITS),
    ));
    while let Some((stream, place)) = stop.run_until_cancelled(accept(&listener, &places)).await {
        let (router, (under_way, requests)) = (router.clone(), watch::channel(0));
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let counted = UnderWay::count(&under_way);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(counted.clone());
            // A router is always ready, and its clone is cheap.
            let answer = router.clone().call(request);
            async move {
                let answer = answer.await;
                drop(counted);
                answer
            }
        });
        let connection = builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        let (stop, cut) = (stop.clone(), cut.clone());
        tasks.spawn(async move {
            cut.run_until_cancelled(hold(connection, requests, limits, stop))
                .await;
            drop(place);
        });
    }
    drop(listener);
    tasks.close();
    if timeout(limits.grace, tasks.wait()).await.is_err() {
        tracing::warn!("running requests did not end within the grace time");
    }
    cut.cancel();
    tasks.wait().await;
}

/// A request that is being answered, counted until its answer is made or given up. An answer that is still being made when its headers
/// are sent keeps a clone, which it finds among the request's extensions, for a bounded time.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    _counted: Arc<Counted>,
}

#[derive(Debug)]
struct Counted(watch::Sender<usize>);

impl UnderWay {
    fn count(counter: &watch::Sender<usize>) -> Self {
        counter.send_modify(|count| *count += 1);
        Self {
            _counted: Arc::new(Counted(counter.clone())),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Serves one connection until it ends, sends no request for too long, or does not read its responses.
///
/// Bytes that go in or out are no sign of life here: HTTP/2 has pings and windows that a client can move without end while it
/// reads nothing. Answers are made whole, in memory, or count as being made for a bounded time ([`UnderWay`]), so what is left once
/// none is being made is for the client to read, and the time for that is bounded.
async fn hold<C: GracefulConnection<Error: Display>>(
    connection: C,
    mut requests: watch::Receiver<usize>,
    limits: Limits,
    stop: CancellationToken,
) {
    let mut connection = pin!(connection);
    let begun = tokio::select! {
        ended = connection.as_mut() => return log_end(ended),
        begun = use_up(&mut requests, limits) => begun,
        () = stop.cancelled() => true,
    };
    if !begun {
        tracing::debug!("a connection sent no request in time");
        return;
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection.as_mut() => log_end(ended),
        () = quiet(&mut requests, limits.idle_timeout) => {
            tracing::debug!("a connection did not read its responses in time");
        }
    }
}

fn log_end<E: Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection ended badly");
    }
}

/// Waits until a connection should take no more requests; false if it has sent none in time.
async fn use_up(requests: &mut watch::Receiver<usize>, limits: Limits) -> bool {
    // The protocol is detected by the first bytes, and hyper would wait for them without end.
    if timeout(limits.header_timeout, requests.changed()).await.is_err() {
        return false;
    }
    tokio::select! {
        () = quiet(requests, limits.idle_timeout) => {}
        () = sleep(limits.max_age) => {}
    }
    true
}

/// Waits until no request has been under way for `idle`.
async fn quiet(requests: &mut watch::Receiver<usize>, idle: Duration) {
    loop {
        let counted = requests.wait_for(|count| *count == 0).await.is_ok();
        match timeout(idle, requests.changed()).await {
            Ok(Ok(())) if counted => {}
            // No task is left that could take a request; answers may still be in flight.
            Ok(_) => return sleep(idle).await,
            Err(_) => return,
        }
    }
}

/// The next connection and its place among those that are open.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // `None` only if the semaphore were closed, which never happens.
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
        .max_buf_size(usize::try_from(HEADERS_READ).unwrap_or(usize::MAX));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADERS_READ)
        .max_concurrent_streams(100)
        .keep_alive_interval(Duration::from_secs(30));
    builder
}
