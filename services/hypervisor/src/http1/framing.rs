//! Follows the bytes of an HTTP/1 connection from one request to the next.
//!
//! It sees every byte before hyper does, keeps none, and knows of each message just where it
//! ends.

use super::Refusal;
use super::chunks::Chunks;
use super::grammar::{Malformed, take};
use super::head::{Head, Length};

/// Where on a connection we are.
#[derive(Debug)]
pub(crate) struct Framing {
    state: State,
    /// What a head may have, in bytes.
    limit: usize,
    is_http10: bool,
}

#[derive(Debug)]
enum State {
    Head(Head),
    Body(u64),
    Chunks(Box<Chunks>),
    /// In a body, after which nothing has a meaning.
    Broken(Malformed),
}

/// Why no more bytes pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Here is no request, which has this response.
    Head(Refusal),
    /// The body of the present request breaks the rules here.
    Body(Malformed),
}

impl Framing {
    /// At the start of a connection whose heads have so many bytes at most.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: State::Head(Head::default()),
            limit,
            is_http10: false,
        }
    }

    /// Whether all that passed were whole requests.
    pub(crate) fn is_between(&self) -> bool {
        matches!(self.state, State::Head(_))
    }

    /// Whether the sender of the present request knows HTTP/1.0 alone.
    pub(crate) fn is_http10(&self) -> bool {
        self.is_http10
    }

    /// How many of `bytes` may pass: a whole head and as much of its body as there is, or more of
    /// the body; never what follows. Of a head that is not whole nothing passes, and it has to be
    /// shown again with more bytes behind.
    pub(crate) fn follow(&mut self, bytes: &[u8]) -> Result<usize, Stop> {
        let mut at = 0;
        if let State::Head(head) = &mut self.state {
            match head.read(bytes, self.limit).map_err(Stop::Head)? {
                Some(end) => at = end,
                None => return Ok(0),
            }
            self.is_http10 = head.is_http10();
            self.state = match head.body().map_err(Stop::Head)? {
                Length::Known(length) => State::Body(length),
                Length::Chunked => State::Chunks(Box::new(Chunks::new(self.limit, self.limit))),
            };
        }
        let body = &bytes[at..];
        match &mut self.state {
            State::Head(_) => {}
            State::Broken(malformed) => return Err(Stop::Body(*malformed)),
            State::Body(left) => {
                let (taken, left) = take(*left, body.len());
                at += taken;
                self.state = State::Body(left);
                if left == 0 {
                    self.state = State::Head(Head::default());
                }
            }
            State::Chunks(chunks) => match chunks.pass(body) {
                Ok(taken) => {
                    at += taken;
                    if chunks.over() {
                        self.state = State::Head(Head::default());
                    }
                }
                Err((offset, malformed)) => {
                    at += offset;
                    self.state = State::Broken(malformed);
                    if at == 0 {
                        return Err(Stop::Body(malformed));
                    }
                }
            },
        }
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 8192;
    const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

    fn head_refused(bytes: &[u8]) -> Refusal {
        match Framing::new(LIMIT).follow(bytes) {
            Err(Stop::Head(refusal)) => refusal,
            other => panic!("{other:?} for {:?}", String::from_utf8_lossy(bytes)),
        }
    }

    #[test]
    fn whole_heads_pass_with_their_bodies_and_never_with_what_follows() {
        for (first, body) in [
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", ""),
            ("\r\nGET / HTTP/1.0\r\n\r\n", ""),
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", "abc"),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n",
                "2\r\nxx\r\n0\r\nA: b\r\n\r\n",
            ),
        ] {
            let one = format!("{first}{body}");
            let two = format!("{one}GET /2 HTTP/1.1\r\n\r\n");
            let mut framing = Framing::new(LIMIT);
            assert_eq!(framing.follow(two.as_bytes()), Ok(one.len()), "{one}");
            assert!(framing.is_between());
            let mut framing = Framing::new(LIMIT);
            for end in 1..first.len() {
                assert_eq!(framing.follow(&first.as_bytes()[..end]), Ok(0), "{first}");
            }
            assert_eq!(framing.follow(first.as_bytes()), Ok(first.len()));
            for byte in body.as_bytes() {
                assert!(!framing.is_between());
                assert_eq!(framing.follow(&[*byte]), Ok(1));
            }
            assert!(framing.is_between());
        }
    }

    #[test]
    fn a_body_stops_at_the_byte_that_breaks_it() {
        let mut all = HEAD.to_vec();
        all.extend_from_slice(b"2\r\nxx\r\n0;a\n\r\n\r\n");
        let good = all.len() - b"\n\r\n\r\n".len();
        let mut framing = Framing::new(LIMIT);
        assert_eq!(framing.follow(&all), Ok(good));
        for rest in [&all[good..], b"GET / HTTP/1.1\r\n\r\n"] {
            assert!(matches!(framing.follow(rest), Err(Stop::Body(_))));
        }
        let mut framing = Framing::new(LIMIT);
        assert_eq!(framing.follow(HEAD), Ok(HEAD.len()));
        assert!(matches!(framing.follow(b"\n"), Err(Stop::Body(_))));
    }

    #[test]
    fn what_is_too_long_is_told_by_what_is_too_long() {
        let long = "x".repeat(LIMIT);
        for (request, status) in [
            (format!("GET /{long}"), 414),
            (format!("GET /{long} HTTP/1.1\r\nHost: h\r\n\r\n"), 414),
            (format!("GET / HTTP/1.1\r\nX: {long}"), 431),
            (format!("GET / HTTP/1.1\r\nX: {long}\r\n\r\n"), 431),
            (
                format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(101)),
                431,
            ),
        ] {
            let refusal = head_refused(request.as_bytes());
            assert_eq!(refusal.status.as_u16(), status, "{}", &request[..20]);
        }
        let most = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(100));
        assert_eq!(Framing::new(LIMIT).follow(most.as_bytes()), Ok(most.len()));
        let rest = LIMIT - "GET / HTTP/1.1\r\nX: \r\n\r\n".len();
        let most = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(rest));
        assert_eq!(Framing::new(LIMIT).follow(most.as_bytes()), Ok(LIMIT));
    }

    #[test]
    fn what_hyper_would_refuse_without_a_word_is_refused_with_one() {
        for request in [
            &b"GET ://h/o HTTP/1.1\r\n"[..],
            b"GET /\xc3\xa9 HTTP/1.1\r\n",
            b"GET /<b> HTTP/1.1\r\n",
            b"GET /a#b HTTP/1.1\r\n",
            b"G@T / HTTP/1.1\r\n",
            b"GET / HTTP/1.2\r\n",
            b"GET / HTTP/1.1\r\nX: a\0b\r\n",
            b"GET / HTTP/1.1\r\nX: a\x7fb\r\n",
            b"GET / HTTP/1.1\r\nX\xc3: y\r\n",
            b"GET / HTTP/1.1\r\n X: y\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n",
            b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            let refusal = head_refused(request);
            assert_eq!(refusal.status.as_u16(), 400);
            assert!(refusal.message.len() > 20);
        }
    }
}
