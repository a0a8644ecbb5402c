//! The body of every response, which tells its connection when it is over.

use super::exchange::Exchange;
use crate::Body;
use bytes::Bytes;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::Either;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of a response.
pub(super) struct ResponseBody<B> {
    body: Either<B, Body>,
    /// Of a connection of HTTP/1.
    exchange: Option<Exchange>,
}

impl<B> ResponseBody<B> {
    pub(super) fn handler(
        response: Response<B>,
        exchange: Option<Exchange>,
    ) -> Response<ResponseBody<B>> {
        response.map(|body| Self {
            body: Either::Left(body),
            exchange,
        })
    }

    pub(super) fn refusal(
        response: Response<Body>,
        exchange: Exchange,
    ) -> Response<ResponseBody<B>> {
        response.map(|body| Self {
            body: Either::Right(body),
            exchange: Some(exchange),
        })
    }
}

impl<B> Drop for ResponseBody<B> {
    fn drop(&mut self) {
        if let Some(exchange) = &self.exchange {
            exchange.set_responded();
        }
    }
}

impl<B> HttpBody for ResponseBody<B>
where
    B: HttpBody<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
