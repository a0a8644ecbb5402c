//! Notes what a request came to, once it is over.

use crate::metrics::WorkerMetrics;
use crate::request_context::RequestContext;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What the log calls the status of a request whose client went away before the response, as
/// nginx does.
const CLIENT_GONE: u16 = 499;

/// A request, until it is over: then this is dropped.
pub(super) struct Record {
    pub(super) context: RequestContext,
    metrics: Arc<WorkerMetrics>,
    status: Option<StatusCode>,
    /// Of the response's body, as far as it has come.
    bytes: u64,
}

impl Record {
    pub(super) fn begin(context: RequestContext, metrics: Arc<WorkerMetrics>) -> Self {
        Self {
            context,
            metrics,
            status: None,
            bytes: 0,
        }
    }

    /// Its response, which it lasts as long as.
    pub(super) fn respond<B>(mut self, response: Response<B>) -> Response<Recorded<B>> {
        let status = response.status();
        self.status = Some(status);
        self.metrics.count_response(status);
        if status == StatusCode::SWITCHING_PROTOCOLS {
            self.context.set_no_end();
        }
        if self.context.has_no_end() {
            self.count(status);
        }
        response.map(|body| Recorded { body, record: self })
    }

    fn count(&self, status: StatusCode) {
        let (context, metrics) = (&self.context, &self.metrics);
        metrics.count_request(context.role(), status, context.elapsed());
        if let Some((role, took)) = context.role().zip(context.upstream()) {
            metrics.count_upstream(role, took);
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let gone = || StatusCode::from_u16(CLIENT_GONE).unwrap_or(StatusCode::BAD_REQUEST);
        let status = self.status.unwrap_or_else(gone);
        if !self.context.has_no_end() {
            self.count(status);
        }
        self.context.log(status, self.bytes);
    }
}

/// The body of a response, whose bytes are counted.
pub(super) struct Recorded<B> {
    body: B,
    record: Record,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Recorded<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.record.bytes += data.len() as u64;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
