//! Requests with an end: downloads and uploads, each of whose bytes is checked.

use super::super::answers::{self, LARGE, PIECES, SMALL};
use super::super::ledger::Cause;
use super::super::types::Kind;
use super::{Client, Request};
use std::time::Duration;
use testkit::upstream::pattern::{self, Tally};
use testkit::wait::DEADLINE;
use tokio::time::timeout;

impl Client {
    /// GET, small or large; nothing if it failed.
    pub(super) async fn download(&mut self) -> Option<()> {
        let (path, length) = match self.kind {
            Kind::Slow => ("/slow", LARGE),
            _ => ("/", SMALL),
        };
        let role = self.role();
        let request = Request::get(self.head("GET", role, path, ""));
        let mut answer = self.ask(role, &request, 200).await?;
        let mut tally = Tally::default();
        let read = async {
            while let Some(piece) = answer.wire.piece(&mut answer.body).await? {
                tally.add(&piece);
            }
            std::io::Result::Ok(())
        };
        let cause = match timeout(DEADLINE, read).await {
            Ok(Ok(())) if tally == Tally::of(length) => {
                self.done(answer);
                return Some(());
            }
            Ok(Ok(())) => Cause::Garbled(answers::received(tally)),
            Ok(Err(error)) => Cause::Cut(format!("after {} bytes: {error}", tally.bytes)),
            Err(_) => Cause::Cut(format!("nothing more within {DEADLINE:?}")),
        };
        self.failed(&answer, cause);
        None
    }

    /// POST of a large body; nothing if it failed.
    pub(super) async fn upload(&mut self) -> Option<()> {
        let role = self.role();
        let request = self.posted(role);
        let mut answer = self.ask(role, &request, 200).await?;
        let read = timeout(DEADLINE, answer.wire.rest(&mut answer.body)).await;
        let cause = match read {
            Ok(Ok(page)) if page == answers::received(Tally::of(LARGE)).as_bytes() => {
                self.done(answer);
                return Some(());
            }
            Ok(Ok(page)) => Cause::Garbled(String::from_utf8_lossy(&page).into_owned()),
            Ok(Err(error)) => Cause::Cut(error.to_string()),
            Err(_) => Cause::Cut(format!("nothing more within {DEADLINE:?}")),
        };
        self.failed(&answer, cause);
        None
    }

    fn posted(&self, role: super::Role) -> Request {
        if self.kind == Kind::Post {
            let length = format!("Content-Length: {LARGE}\r\n");
            return Request {
                head: self.head("POST", role, "/sink", &length),
                body: vec![pattern::piece(0, LARGE).to_vec()],
                pause: Duration::ZERO,
            };
        }
        let size = LARGE / PIECES;
        let chunk = |index: u64| {
            let data = pattern::piece(index * size, size);
            [format!("{size:x}\r\n").as_bytes(), &data, b"\r\n"].concat()
        };
        let mut body: Vec<_> = (0..PIECES).map(chunk).collect();
        body.push(b"0\r\n\r\n".to_vec());
        Request {
            head: self.head("POST", role, "/sink", "Transfer-Encoding: chunked\r\n"),
            body,
            pause: answers::PAUSE / 2,
        }
    }
}
