//! What can be done through each of the doors: what an act will do, whether it can be done, and its
//! doing.

use super::super::Api;
use super::archives::ArchiveAct;
use super::own::OwnAct;
use super::people::PeopleAct;
use super::tokens::TokenAct;
use super::workspace::WorkspaceAct;
use crate::auth::{Actor, Caller};
use crate::error::HttpError;
use axum::response::Response;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Error, Map, Value};

/// An act with its parameters.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Act {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Own(OwnAct),
    People(PeopleAct),
    Archive(ArchiveAct),
    Token(TokenAct),
    Workspace(WorkspaceAct),
}

impl TryFrom<Map<String, Value>> for Act {
    type Error = Error;

    fn try_from(fields: Map<String, Value>) -> Result<Self, Error> {
        let name = fields.get("act").and_then(Value::as_str);
        let name = name.ok_or_else(|| Error::missing_field("act"))?.to_owned();
        let is_in = |names: &[&str]| names.contains(&&*name);
        let fields = Value::from(fields);
        let kind = if is_in(OwnAct::NAMES) {
            Kind::Own(serde_json::from_value(fields)?)
        } else if is_in(PeopleAct::NAMES) {
            Kind::People(serde_json::from_value(fields)?)
        } else if is_in(ArchiveAct::NAMES) {
            Kind::Archive(serde_json::from_value(fields)?)
        } else if is_in(TokenAct::NAMES) {
            Kind::Token(serde_json::from_value(fields)?)
        } else if is_in(WorkspaceAct::NAMES) {
            Kind::Workspace(serde_json::from_value(fields)?)
        } else {
            let all = names().join(", ");
            return Err(Error::custom(format!(
                "there is no act `{name}`; the acts are {all}"
            )));
        };
        Ok(Self { name, kind })
    }
}

impl Act {
    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// One more passkey, which a session from a recovery code may make.
    pub(super) fn add_passkey(name: Option<String>) -> Self {
        Self {
            name: "add_passkey".to_owned(),
            kind: Kind::Own(OwnAct::AddPasskey { name }),
        }
    }

    /// The act on the person's own account, if it is one.
    pub(super) fn own(self) -> Option<OwnAct> {
        match self.kind {
            Kind::Own(act) => Some(act),
            _ => None,
        }
    }

    /// What will happen, in a sentence; refused if it can't, so that nobody is asked for a passkey
    /// in vain.
    pub(super) async fn check(&self, api: &Api, caller: &Caller) -> Result<String, HttpError> {
        match &self.kind {
            Kind::Own(act) => act.check(api, caller).await,
            Kind::People(act) => act.check(api, caller).await,
            Kind::Archive(act) => act.check(api, caller).await,
            Kind::Token(act) => act.check(api, caller).await,
            Kind::Workspace(act) => act.check(api, caller).await,
        }
    }

    /// Does it. Whoever does it, and their rights, are looked at once more.
    pub(super) async fn perform(self, api: &Api, by: Actor) -> Result<Response, HttpError> {
        match self.kind {
            Kind::Own(act) => act.perform(api, by).await,
            Kind::People(act) => act.perform(api, by).await,
            Kind::Archive(act) => act.perform(api, by).await,
            Kind::Token(act) => act.perform(api, by).await,
            Kind::Workspace(act) => act.perform(api, by).await,
        }
    }
}

/// The names of all acts.
pub(super) fn names() -> Vec<&'static str> {
    let kinds = [
        OwnAct::NAMES,
        PeopleAct::NAMES,
        ArchiveAct::NAMES,
        TokenAct::NAMES,
        WorkspaceAct::NAMES,
    ];
    kinds.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_name_is_one_of_its_kind_and_no_other_is_an_act() {
        for name in names() {
            let parsed = serde_json::from_value::<Act>(json!({ "act": name }));
            let told = parsed.err().map(|error| error.to_string());
            let told = told.unwrap_or_default();
            assert!(!told.contains("variant"), "{told}");
        }
        for (body, told) in [
            (json!({ "act": "x" }), "there is no act `x`"),
            (json!({}), "missing field `act`"),
            (json!({ "act": "swap" }), "`user_id`"),
            (json!({ "act": "swap", "user_id": "x" }), "UUID"),
            (
                json!({ "act": "fork", "user_id": uuid::Uuid::nil(), "workspace": "x" }),
                "not both",
            ),
            (
                json!({ "act": "renew_recovery_codes", "x": 1 }),
                "unknown field `x`",
            ),
        ] {
            let error = serde_json::from_value::<Act>(body).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
