//! How a body goes out: whole, cut short, or in pieces with pauses.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

use crate::server::Cut;

/// How long what came before a cut has to leave: what is still buffered when the line is cut never arrives.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// The way of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// At once.
    Whole,
    /// So many bytes, then the line is cut.
    Truncated { keep: usize },
    /// So many bytes at a time, with a pause before each but the first.
    Drip { bytes: usize, pause: Duration },
}

impl Pace {
    pub(crate) fn is_whole_in_the_end(self) -> bool {
        !matches!(self, Pace::Truncated { .. })
    }
}

/// A body that goes out at its pace. It announces its whole length in any case.
#[derive(Debug)]
pub(crate) struct PacedBody {
    rest: Bytes,
    length: u64,
    pace: Pace,
    started: bool,
    pause: Option<Pin<Box<Sleep>>>,
}

impl PacedBody {
    pub(crate) fn new(body: Vec<u8>, pace: Pace) -> PacedBody {
        PacedBody {
            length: body.len() as u64,
            rest: Bytes::from(body),
            pace,
            started: false,
            pause: None,
        }
    }

    fn piece(&mut self, bytes: usize) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.started = true;
        let piece = self.rest.split_to(bytes.min(self.rest.len()));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn wait(&mut self, time: Duration, context: &mut Context<'_>) -> Poll<()> {
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        ready!(pause.as_mut().poll(context));
        self.pause = None;
        Poll::Ready(())
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let body = self.get_mut();
        if body.rest.is_empty() {
            return Poll::Ready(None);
        }
        match body.pace {
            Pace::Whole => body.piece(usize::MAX),
            Pace::Truncated { keep } if !body.started && keep > 0 => body.piece(keep),
            Pace::Truncated { .. } => {
                ready!(body.wait(BEFORE_CUT, context));
                Poll::Ready(Some(Err(Cut)))
            }
            Pace::Drip { bytes, pause } => {
                if body.started {
                    ready!(body.wait(pause, context));
                }
                body.piece(bytes.max(1))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let left = if self.started {
            self.rest.len() as u64
        } else {
            self.length
        };
        SizeHint::with_exact(left)
    }
}
