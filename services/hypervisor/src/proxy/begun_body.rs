//! A sandbox's body, of which what came along with the head is known.

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body that did not break before its head is passed on.
pub(super) struct BegunBody {
    first: Option<Frame<Bytes>>,
    rest: Incoming,
}

impl BegunBody {
    /// # Errors
    /// If what came along with the head breaks the body: there is still time to say so.
    pub(super) async fn begin(mut rest: Incoming) -> hyper::Result<Self> {
        let mut first = None;
        if !rest.is_end_stream() {
            let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut rest).poll_frame(cx))).await;
            if let Poll::Ready(frame) = polled {
                first = frame.transpose()?;
            }
        }
        Ok(Self { first, rest })
    }
}

impl Body for BegunBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().and_then(Frame::data_ref);
        let first = first.map_or(0, |data| data.remaining() as u64);
        match self.rest.size_hint().exact() {
            Some(rest) => SizeHint::with_exact(first + rest),
            None => SizeHint::default(),
        }
    }
}
