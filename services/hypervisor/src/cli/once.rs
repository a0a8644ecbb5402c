//! Links, codes and tokens: shown once, as the store has only their hashes.

use super::client::Client;
use super::output::{self, WriteError};
use serde_json::Value;

/// Something that is shown once.
pub(super) struct Once {
    /// What it is, as a sentence begins with it.
    name: &'static str,
    unseen: Unseen,
}

/// What becomes of it if nobody saw it.
enum Unseen {
    /// An act makes it useless; so does a command.
    Revoked { act: Value, command: String },
    /// It is good until then, and known to nobody.
    Ends(String),
}

impl Once {
    /// Something that `act` makes useless, and `command`.
    pub(super) fn revoked_by(name: &'static str, act: Value, command: String) -> Self {
        let unseen = Unseen::Revoked { act, command };
        Self { name, unseen }
    }

    /// Something that ends by itself.
    pub(super) fn ending(name: &'static str, at: &Value) -> Self {
        let unseen = Unseen::Ends(at.as_str().unwrap_or("-").to_owned());
        Self { name, unseen }
    }

    /// Shows `text` to whoever sits there. Where nobody does, standard error is a log, and what
    /// is secret does not go there.
    pub(super) async fn not_shown(
        self,
        client: &Client,
        text: &str,
        error: WriteError,
    ) -> WriteError {
        let name = self.name;
        if output::is_watched() && output::instead(text).is_ok() {
            return error.of_secret(format!("{name} is good, and shown above this once"));
        }
        let outcome = match self.unseen {
            Unseen::Ends(at) => format!(
                "nobody knows {name}, and it ends by itself at {at}; repeat the command where its output can be written"
            ),
            Unseen::Revoked { act, command } => match client.act(&act).await {
                Ok(_) => format!(
                    "{name} was revoked, as nobody saw it; repeat the command where its output can be written"
                ),
                Err(why) => {
                    format!(
                        "nobody saw {name}, and it could not be revoked ({why:#}); do that with `{command}`"
                    )
                }
            },
        };
        error.of_secret(outcome)
    }
}
