//! Clients whose requests' bodies never come, or come too slowly: what keeps a service busy at no cost.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;

use http::{Method, Request, Version};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use super::Answer;

/// What a body is made of, as it comes.
type Parts = Pin<Box<dyn futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>;

/// A connection of such a client. Ends with the test's runtime.
pub(crate) enum Stalled {
    One(http1::SendRequest<StreamBody<Parts>>),
    Two(http2::SendRequest<StreamBody<Parts>>),
}

impl Stalled {
    pub(crate) async fn connect(address: SocketAddr, version: Version) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (io, tasks) = (TokioIo::new(stream), TaskTracker::new());
        if version == Version::HTTP_11 {
            let (sender, connection) = http1::handshake(io).await.expect("HTTP/1.1");
            tasks.spawn(connection);
            Self::One(sender)
        } else {
            let executor = TokioExecutor::new();
            let (sender, connection) = http2::handshake(executor, io).await.expect("HTTP/2");
            tasks.spawn(connection);
            Self::Two(sender)
        }
    }

    /// Sends the head of a request; its body has these parts.
    pub(crate) fn send(
        &mut self,
        method: &Method,
        path: &str,
        token: &str,
        parts: Parts,
    ) -> impl Future<Output = Answer> + Send + use<> {
        let request = Request::builder()
            .method(method)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        let body = StreamBody::new(parts);
        let sent: Pin<Box<dyn Future<Output = _> + Send>> = match self {
            Self::One(sender) => {
                let request = request.uri(path).header("host", "tenant-bridge");
                Box::pin(sender.send_request(request.body(body).expect("a request")))
            }
            Self::Two(sender) => {
                let request = request.uri(format!("http://tenant-bridge{path}"));
                Box::pin(sender.send_request(request.body(body).expect("a request")))
            }
        };
        async move { answered(sent.await.expect("an answer")).await }
    }

    /// Sends the head of a create, and never its body.
    pub(crate) fn create(&mut self, token: &str) -> impl Future<Output = Answer> + Send + use<> {
        let never = Box::pin(futures_util::stream::pending());
        self.send(&Method::POST, "/v1/connections", token, never)
    }

    /// Whether the service has closed the connection.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::One(sender) => sender.is_closed(),
            Self::Two(sender) => sender.is_closed(),
        }
    }
}

/// A whole answer.
async fn answered(response: http::Response<Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}
