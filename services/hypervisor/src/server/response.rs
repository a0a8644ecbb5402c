//! The body of every response, which tells its connection when it is over.

use super::exchange::Exchange;
use crate::Body;
use crate::error::HttpError;
use crate::http1::Refusal;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of a response.
pub(super) struct ResponseBody<B> {
    body: Either<B>,
    /// Of a connection of HTTP/1.
    exchange: Option<Exchange>,
}

enum Either<B> {
    /// The handler's.
    Handler(B),
    /// That of a refusal, which the handler never saw.
    Refusal(Body),
}

impl<B> ResponseBody<B> {
    pub(super) fn handler(
        response: Response<B>,
        exchange: Option<Exchange>,
    ) -> Response<ResponseBody<B>> {
        response.map(|body| Self {
            body: Either::Handler(body),
            exchange,
        })
    }

    pub(super) fn refusal(refusal: Refusal, exchange: Exchange) -> Response<ResponseBody<B>> {
        refusal.into_response().map(|body| Self {
            body: Either::Refusal(body),
            exchange: Some(exchange),
        })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        HttpError::new(self.status, self.code, self.message).into_response()
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
        match &mut self.get_mut().body {
            Either::Handler(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Either::Refusal(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Either::Handler(body) => body.is_end_stream(),
            Either::Refusal(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Either::Handler(body) => body.size_hint(),
            Either::Refusal(body) => body.size_hint(),
        }
    }
}
