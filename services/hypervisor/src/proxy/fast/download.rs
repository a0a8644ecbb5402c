//! An answer on its way to the client.

use super::super::buffer::Buffer;
use super::super::idle_timeout::IdleTimeout;
use super::super::{Limits, RoutedClaim};
use super::answer::{self, Answer, Begun, LAST_CHUNK, Rest};
use super::request::Order;
use super::wire;
use crate::server::{Malformed, ReadHalf, WriteHalf};
use http::StatusCode;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;

/// Once a drain is over, how long an event stream may take to the end of its event.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes that are sooner copied than written from two places.
const SMALL: usize = 4096;

/// How far a request is, as its answer needs to know.
#[derive(Default)]
pub(super) struct Progress {
    /// The request is not sent whole: the clock for its answer does not run yet.
    pub(super) sending: AtomicBool,
    /// It was sent whole, and what comes next is another.
    pub(super) whole: AtomicBool,
    /// The client was told something, so that nothing else can be answered any more.
    pub(super) begun: AtomicBool,
}

/// Why there is no whole answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection ended before the first byte.
    Dead(String),
    /// The answer is none.
    Bad(String),
    /// The sandbox was silent for too long.
    Silent,
    /// The client is gone, or takes nothing.
    Gone,
    /// The answer broke off after it had begun.
    Broken(&'static str),
}

/// A whole answer went by.
pub(super) struct Done {
    pub(super) status: StatusCode,
    /// Whether the connection to the sandbox can be used again.
    pub(super) reusable: bool,
}

/// Both ends of an answer.
pub(super) struct Download<'a, 'b, C> {
    pub(super) sandbox: ReadHalf<'a>,
    pub(super) client: WriteHalf<'b>,
    /// How long the client may take nothing.
    pub(super) taken: &'a mut IdleTimeout,
    /// How long the sandbox may take until its answer begins.
    pub(super) answered: &'a mut IdleTimeout,
    pub(super) progress: &'a Progress,
    pub(super) limits: Limits,
    pub(super) claim: &'a C,
}

impl<C: RoutedClaim> Download<'_, '_, C> {
    /// Passes the answer to `order` on.
    pub(super) async fn run(
        &mut self,
        order: &Order,
        own_cookies: &[Box<str>],
        close: bool,
    ) -> Result<Done, Fault> {
        let mut buffer = Buffer::default();
        let mut head = Vec::with_capacity(512);
        // What the last request on this connection waited is nothing to this one.
        self.answered.moved();
        let mut heard = false;
        let answer = loop {
            self.more(&mut buffer, heard).await?;
            heard = true;
            let read = loop {
                match answer::read(buffer.bytes(), order, own_cookies, close, &mut head) {
                    Ok(Begun::Interim(length)) => buffer.consume(length),
                    other => break other,
                }
            };
            match read.map_err(|why| Fault::Bad(why.to_owned()))? {
                Begun::Answer(answer, length) => {
                    buffer.consume(length);
                    break answer;
                }
                _ if buffer.is_full() => {
                    return Err(Fault::Bad("its answer's head is too long".to_owned()));
                }
                _ => {}
            }
        };
        self.progress.begun.store(true, Ordering::Relaxed);
        self.body(answer, head, buffer).await
    }

    /// Reads on in the answer's head; `heard` says whether anything came before.
    async fn more(&mut self, buffer: &mut Buffer, heard: bool) -> Result<(), Fault> {
        let count = poll_fn(|cx| {
            if let Poll::Ready(read) = buffer.poll_fill(&mut self.sandbox, cx, usize::MAX) {
                self.answered.moved();
                return Poll::Ready(Ok(read));
            }
            if !self.progress.sending.load(Ordering::Relaxed) {
                ready!(self.answered.poll_expired(cx));
                return Poll::Ready(Err(Fault::Silent));
            }
            Poll::Pending
        });
        match count.await? {
            Ok(1..) => Ok(()),
            Ok(0) if !heard => Err(Fault::Dead(
                "connection closed before message completed".to_owned(),
            )),
            Err(error) if !heard => Err(Fault::Dead(error.to_string())),
            Ok(0) => Err(Fault::Bad("its answer broke off in the head".to_owned())),
            Err(error) => Err(Fault::Bad(error.to_string())),
        }
    }

    /// Passes the body on, the head together with its first bytes.
    async fn body(
        &mut self,
        mut answer: Answer,
        head: Vec<u8>,
        mut buffer: Buffer,
    ) -> Result<Done, Fault> {
        let rest = &mut answer.rest;
        let mut quiet = IdleTimeout::new(self.limits.body_idle);
        let mut cut = answer
            .events
            .then(|| Box::pin(self.claim.drain_deadline().cancelled()));
        let mut head = Some(head);
        let mut last = false;
        loop {
            let count = rest.take(buffer.bytes(), last);
            let count = count.map_err(|Malformed(why)| match head {
                Some(_) => Fault::Bad(why.to_owned()), // The client heard nothing yet.
                None => Fault::Broken(why),
            })?;
            let (body, trailers) = rest.passed(&buffer.bytes()[..count]);
            if head.is_some() || !body.is_empty() || !trailers.is_empty() {
                let head = head.take().unwrap_or_default();
                self.pass(rest, head, body, trailers).await?;
            }
            buffer.consume(count);
            if last && rest.may_end() {
                self.write(&[LAST_CHUNK]).await?;
                answer.reusable = false;
                break;
            }
            if rest.over() {
                break;
            }
            debug_assert!(buffer.bytes().is_empty(), "all of it belongs to the body");
            let read = poll_fn(|cx| {
                if let Some(waiting) = &mut cut
                    && waiting.as_mut().poll(cx).is_ready()
                {
                    return Poll::Ready(None);
                }
                let sandbox = &mut self.sandbox;
                wire::poll_read(sandbox, &mut buffer, usize::MAX, &mut quiet, cx).map(Some)
            });
            match read.await {
                None => {
                    // From here on to the end of an event, and not for long.
                    cut = None;
                    last = true;
                    quiet = IdleTimeout::new(CLOSE_TIMEOUT);
                    if rest.may_end() {
                        self.write(&[LAST_CHUNK]).await?;
                        answer.reusable = false;
                        break;
                    }
                }
                Some(Ok(1..)) => {}
                Some(Ok(0)) => match rest {
                    Rest::Connection { over } => {
                        *over = true;
                        self.write(&[LAST_CHUNK]).await?;
                        break;
                    }
                    _ => return Err(Fault::Broken("the sandbox broke off its answer")),
                },
                Some(Err(error)) if error.kind() == io::ErrorKind::TimedOut => {
                    return Err(Fault::Broken("the sandbox sent nothing more for too long"));
                }
                Some(Err(_)) => return Err(Fault::Broken("the sandbox broke off its answer")),
            }
        }
        Ok(Done {
            status: answer.status,
            // What came behind the answer was not asked for, and is nobody's.
            reusable: answer.reusable && buffer.bytes().is_empty(),
        })
    }

    async fn pass(
        &mut self,
        rest: &Rest,
        mut head: Vec<u8>,
        body: &[u8],
        trailers: &[u8],
    ) -> Result<(), Fault> {
        if matches!(rest, Rest::Connection { .. }) && !body.is_empty() {
            // The client cannot tell the end of such a body from a failure, unless it is chunked.
            head.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
            return self.write(&[&head, body, b"\r\n"]).await;
        }
        if head.is_empty() || body.len() > SMALL {
            return self.write(&[&head, body, trailers]).await;
        }
        head.extend_from_slice(body);
        head.extend_from_slice(trailers);
        self.write(&[&head]).await
    }

    async fn write(&mut self, parts: &[&[u8]]) -> Result<(), Fault> {
        let written = wire::write(&mut self.client, parts, self.taken);
        written.await.map_err(|_| Fault::Gone)
    }
}
