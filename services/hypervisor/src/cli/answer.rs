//! What a command has to say, and how it is said.

use super::once::Once;
use super::{output, printable, table};
use anyhow::Result;
use serde_json::Value;

/// What a command has to say.
pub(super) struct Answer {
    value: Value,
    columns: &'static [&'static str],
    sentence: Option<String>,
    once: Option<Once>,
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self {
            value,
            columns: &[],
            sentence: None,
            once: None,
        }
    }
}

impl Answer {
    /// A list, as a table of these columns.
    pub(super) fn list(rows: Value, columns: &'static [&'static str]) -> Self {
        Self {
            columns,
            ..Self::from(rows)
        }
    }

    /// A sentence for people; with --json this value.
    pub(super) fn sentence(sentence: impl Into<String>, value: Value) -> Self {
        Self {
            sentence: Some(sentence.into()),
            ..Self::from(value)
        }
    }

    /// It is shown once.
    pub(super) fn once(self, once: Once) -> Self {
        Self {
            once: Some(once),
            ..self
        }
    }

    /// Writes it to standard output.
    ///
    /// # Errors
    /// It could not be written. What would have been shown only then is useless, unless a person
    /// sees it on standard error.
    pub(super) fn write(self, json: bool) -> Result<()> {
        let text = self.text(json);
        let Some(once) = self.once else {
            return Ok(output::answer(&text)?);
        };
        match output::once(&text) {
            Ok(()) => Ok(()),
            Err(error) => Err(once.not_shown(&text, error).into()),
        }
    }

    fn text(&self, json: bool) -> String {
        match &self.sentence {
            _ if json => format!("{}\n", printable::json(&self.value, false)),
            Some(sentence) => format!("{}\n", printable::line(sentence)),
            None => table::render(&self.value, self.columns),
        }
    }
}
