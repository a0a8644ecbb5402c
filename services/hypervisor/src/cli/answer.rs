//! What a command has to say, and how it is said.

use super::client::Client;
use super::once::Once;
use super::{output, printable, table};
use anyhow::Result;
use serde_json::Value;

/// What a command has to say.
pub(super) struct Answer {
    value: Value,
    text: Text,
    once: Option<Once>,
}

/// What people are told, unless they want JSON.
enum Text {
    /// The value itself; a list has these columns.
    Table(&'static [&'static str]),
    Sentence(String),
    /// Nothing: the command has written it already, piece by piece.
    Written,
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self::list(value, &[])
    }
}

impl Answer {
    fn new(value: Value, text: Text) -> Self {
        Self {
            value,
            text,
            once: None,
        }
    }

    /// A list, as a table of these columns.
    pub(super) fn list(rows: Value, columns: &'static [&'static str]) -> Self {
        Self::new(rows, Text::Table(columns))
    }

    /// A sentence for people; with --json this value.
    pub(super) fn sentence(sentence: impl Into<String>, value: Value) -> Self {
        Self::new(value, Text::Sentence(sentence.into()))
    }

    /// Nothing that is not written yet.
    pub(super) fn written() -> Self {
        Self::new(Value::Null, Text::Written)
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
    /// It could not be written.
    pub(super) fn print(&self, json: bool) -> Result<()> {
        Ok(output::answer(&self.render(json))?)
    }

    /// The same of what the gateway answered.
    ///
    /// # Errors
    /// It could not be written. What would have been shown only then is useless, unless a person
    /// sees it on standard error.
    pub(super) async fn write(mut self, json: bool, client: &Client) -> Result<()> {
        let Some(once) = self.once.take() else {
            return self.print(json);
        };
        let text = self.render(json);
        match output::once(&text) {
            Ok(()) => Ok(()),
            Err(error) => Err(once.not_shown(client, &text, error).await.into()),
        }
    }

    fn render(&self, json: bool) -> String {
        match &self.text {
            Text::Written => String::new(),
            _ if json => format!("{}\n", printable::json(&self.value, false)),
            Text::Sentence(sentence) => format!("{}\n", printable::line(sentence)),
            Text::Table(columns) => table::render(&self.value, columns),
        }
    }
}
