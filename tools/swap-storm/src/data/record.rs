//! What is written: each record's text and file follow from whose it is and its number, so that
//! whoever reads one knows whether it is right.

use std::fmt;

/// One record of so many has a file as well.
pub(super) const FILES: u64 = 100;

/// Whose, and the how many-th, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) client: u32,
    pub(super) number: u64,
}

impl Key {
    pub(super) fn text(self) -> String {
        let Self { client, number } = self;
        format!(
            "record {number} of client {client}, {}",
            number ^ u64::from(client)
        )
    }

    pub(super) const fn has_file(self) -> bool {
        self.number.is_multiple_of(FILES)
    }

    /// `<client>/<number>`, as in paths.
    pub(super) fn of(words: &str) -> Option<Self> {
        let (client, number) = words.split_once('/')?;
        Some(Self {
            client: client.parse().ok()?,
            number: number.parse().ok()?,
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.client, self.number)
    }
}

/// A record that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) key: Key,
    /// The how many-th of all, in the order in which they were committed.
    pub(super) sequence: u64,
    /// How often it arrived.
    pub(super) arrivals: u64,
}

impl Stored {
    /// From its line, which must have the right text, too.
    pub(super) fn of(line: &str) -> Option<Self> {
        let mut words = line.splitn(4, ' ');
        let stored = Self {
            sequence: words.next()?.parse().ok()?,
            key: Key::of(words.next()?)?,
            arrivals: words.next()?.parse().ok()?,
        };
        (words.next()? == stored.key.text()).then_some(stored)
    }

    /// Its line with the text that is stored with it.
    pub(super) fn line(self, text: &str) -> String {
        let Self {
            key,
            sequence,
            arrivals,
        } = self;
        format!("{sequence} {key} {arrivals} {text}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_another_text_is_none() {
        let key = Key {
            client: 3,
            number: 200,
        };
        let stored = Stored {
            key,
            sequence: 9,
            arrivals: 1,
        };
        let line = stored.line(&key.text());
        assert_eq!(Stored::of(line.trim_end()), Some(stored));
        assert_eq!(Stored::of(stored.line("spoilt").trim_end()), None);
    }
}
