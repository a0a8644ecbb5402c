//! Reads server-sent events as they arrive.

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its `id:`, if it has one.
    pub id: Option<String>,
    /// Its `event:`; without one, browsers call it `message`.
    pub event: Option<String>,
    /// Its `data:` lines.
    pub data: String,
}

impl Event {
    /// Its data, as JSON.
    ///
    /// # Errors
    /// It is no JSON, or of another shape.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.data).with_context(|| format!("data {}", self.data))
    }
}

/// A stream of events that is being read.
#[derive(Debug)]
pub struct Stream {
    body: Incoming,
    buffer: Vec<u8>,
}

impl Stream {
    /// Reads the body of a response.
    pub fn new(body: Incoming) -> Self {
        Self {
            body,
            buffer: Vec::new(),
        }
    }

    /// The next event; `None` at a clean end. Comments are skipped.
    ///
    /// # Errors
    /// Nothing came in time, or the connection broke.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        tokio::time::timeout(crate::wait::DEADLINE, self.event())
            .await
            .context("no server-sent event in time")?
    }

    async fn event(&mut self) -> Result<Option<Event>> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(event) = parse(std::str::from_utf8(&block)?) {
                    return Ok(Some(event));
                }
            }
            match self.chunk().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let Some(frame) = self.body.frame().await else {
            return Ok(None);
        };
        Ok(Some(frame?.into_data().unwrap_or_default()))
    }
}

fn parse(block: &str) -> Option<Event> {
    let mut event = Event::default();
    let mut data: Vec<&str> = Vec::new();
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => event.id = Some(value.into()),
            "event" => event.event = Some(value.into()),
            "data" => data.push(value),
            _ => {}
        }
    }
    event.data = data.join("\n");
    (!data.is_empty()).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn fields_are_read_and_comments_are_skipped() {
        let event = parse("id: 7\nevent:note\ndata: a\ndata:b\n: x\n\n").unwrap();
        assert_eq!(event.id.as_deref(), Some("7"));
        assert_eq!(event.event.as_deref(), Some("note"));
        assert_eq!(event.data, "a\nb");
        assert_eq!(parse(":\n\n"), None);
        assert_eq!(parse("retry: 1000\n\n"), None);
    }
}
