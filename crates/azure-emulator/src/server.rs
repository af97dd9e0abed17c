//! One TLS listener: accepts, reads a request whole, asks its site, writes the answer or cuts the line.

use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::exchange::{Answer, Call};
pub(crate) use crate::pace::Pace;
use crate::pace::PacedBody;

/// Four Azure tokens and an operation URL are larger than hyper's 16 KiB default.
const MAX_HEADER_BYTES: u32 = 256 * 1024;
/// ARM refuses bodies over 4 MiB.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// How much of a body that is too large is still read, so that its sender gets to see the refusal.
const MAX_DRAINED_BYTES: usize = 64 * 1024 * 1024;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request's head may take. An idle connection ends after it too, as at any server.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// The connection is to be cut without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was reset on purpose")]
pub(crate) struct Cut;

/// An answer and how it goes out.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) answer: Answer,
    pub(crate) pace: Pace,
}

impl From<Answer> for Sent {
    fn from(answer: Answer) -> Sent {
        let pace = Pace::Whole;
        Sent { answer, pace }
    }
}

/// What answers the calls of one listener.
pub(crate) trait Site: Send + Sync + 'static {
    /// Answers one call, or has the connection cut.
    fn answer(&self, call: Call) -> impl Future<Output = Result<Sent, Cut>> + Send;

    /// Answers a call whose body was too large to be kept; it comes without one.
    fn answer_too_large(&self, _: Call) -> Answer {
        too_large()
    }
}

/// Binds 127.0.0.1; port 0 takes any free one. The URL names `localhost`, as the certificate does.
pub(crate) async fn bind(port: u16) -> std::io::Result<(TcpListener, Url)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = listener.local_addr()?.port();
    let url = Url::parse(&format!("https://localhost:{port}/")).map_err(std::io::Error::other)?;
    Ok((listener, url))
}

/// Accepts connections until `stop` is cancelled; connections end with it.
pub(crate) async fn run<S: Site>(
    listener: TcpListener,
    tls: TlsAcceptor,
    site: Arc<S>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (tls, site, stop) = (tls.clone(), Arc::clone(&site), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = connection(stream, tls, site) => {}
            }
        });
    }
}

async fn connection<S: Site>(stream: TcpStream, tls: TlsAcceptor, site: Arc<S>) {
    // Small answers on a loopback line: waiting to fill a packet only costs time.
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await else {
        return;
    };
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { exchange(request, &*site).await }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES as usize);
    server.http2().max_header_list_size(MAX_HEADER_BYTES);
    if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "connection ended");
    }
}

async fn exchange<S: Site>(request: Request<Incoming>, site: &S) -> Result<Response<PacedBody>, Cut> {
    let (mut parts, body) = request.into_parts();
    // HTTP/2 says the host in the request line alone; who reads the header should not have to know.
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    if let Some(host) = authority.and_then(|host| http::HeaderValue::from_str(host).ok()) {
        parts.headers.entry(http::header::HOST).or_insert(host);
    }
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str)
        .to_owned();
    let body = read(body).await?;
    let is_too_large = body.is_none();
    let is_head = parts.method == http::Method::HEAD;
    let call = Call::new(parts.method, &target, parts.headers, body.unwrap_or_default());
    let mut sent = if is_too_large {
        Sent::from(site.answer_too_large(call))
    } else {
        site.answer(call).await?
    };
    // The answer to a HEAD ends with its headers (RFC 9110, 9.3.2).
    if is_head {
        sent.answer.body.clear();
    }
    let mut response = Response::new(PacedBody::new(sent.answer.body, sent.pace));
    *response.status_mut() = sent.answer.status;
    *response.headers_mut() = sent.answer.headers;
    Ok(response)
}

/// The body; nothing when it is larger than ARM takes.
async fn read(mut body: Incoming) -> Result<Option<Vec<u8>>, Cut> {
    let (mut kept, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Cut)?.into_data() else {
            continue;
        };
        length += data.len();
        if length > MAX_DRAINED_BYTES {
            return Err(Cut);
        }
        if length <= MAX_BODY_BYTES {
            kept.extend_from_slice(&data);
        }
    }
    Ok((length <= MAX_BODY_BYTES).then_some(kept))
}

/// ARM's limit is documented; its words are a guess.
pub(crate) fn too_large() -> Answer {
    let message = "The request content size exceeds the maximum size of 4 MB.";
    let body = serde_json::json!({ "error": { "code": "RequestContentTooLarge", "message": message } });
    Answer::json(http::StatusCode::PAYLOAD_TOO_LARGE, &body)
}
