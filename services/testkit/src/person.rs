//! Someone with an account and a passkey, as the hypervisor sees them.

use crate::client::{Client, Response};
use crate::harness::Hypervisor;
use crate::passkey::Authenticator;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// A user with a software passkey and a browser's cookies; clones are the same person in the
/// same browser.
#[derive(Clone)]
pub struct Person {
    /// The browser.
    pub client: Client,
    /// The account.
    pub user_id: String,
    /// Its name.
    pub username: String,
    /// Shown at sign-up, and never again.
    pub recovery_codes: Vec<String>,
    passkeys: Arc<Mutex<Authenticator>>,
}

impl Person {
    /// An invite for this name, if it takes one because the configuration names it.
    async fn invite(hypervisor: &Hypervisor, username: &str) -> Result<Option<String>> {
        let order = json!({ "username": username });
        let client = hypervisor.client();
        let refused = post(&client, "/auth/register/start", &order).await;
        if !refused.is_err_and(|error| error.to_string().contains("name_reserved")) {
            return Ok(None);
        }
        let made = hypervisor
            .cli(&["invite", "--username", username, "--json"])
            .await?;
        let made: Value = serde_json::from_slice(&made.stdout).context("an invite")?;
        let link = text(&made["url"])?;
        let (_, token) = link
            .split_once("invite=")
            .context("a link with an invite")?;
        Ok(Some(token.to_owned()))
    }

    /// Signs up where registration is open, and with an invite where the name takes one.
    ///
    /// # Errors
    /// The hypervisor refused; the message has its response.
    pub async fn register(hypervisor: &Hypervisor, username: &str) -> Result<Self> {
        let invite = Self::invite(hypervisor, username).await?;
        let order = json!({ "username": username, "invite": invite });
        Self::sign_up(hypervisor.client(), username, &order).await
    }

    /// Signs up with the invite of an enrolment link.
    ///
    /// # Errors
    /// The hypervisor refused; the message has its response.
    pub async fn enrol(hypervisor: &Hypervisor, username: &str, link: &str) -> Result<Self> {
        let link = Url::parse(link).with_context(|| link.to_owned())?;
        let invite = link.query_pairs().find(|(key, _)| key == "invite");
        let (_, invite) = invite.context("a link with an invite")?;
        let order = json!({ "username": username, "invite": invite });
        Self::sign_up(hypervisor.client(), username, &order).await
    }

    /// Signs up where registration is open, in this browser.
    ///
    /// # Errors
    /// The hypervisor refused; the message has its response.
    pub async fn register_with(client: Client, username: &str) -> Result<Self> {
        Self::sign_up(client, username, &json!({ "username": username })).await
    }

    async fn sign_up(client: Client, username: &str, order: &Value) -> Result<Self> {
        let mut passkeys = Authenticator::new();
        // As those that are synced: uses at once don't overtake each other.
        passkeys.counts = false;
        let options = post(&client, "/auth/register/start", order).await?;
        let credential = passkeys.create(&options, &client.origin())?;
        let response = post(&client, "/auth/register/finish", &credential).await?;
        let codes = response["recovery_codes"].as_array();
        Ok(Self {
            user_id: text(&response["user_id"])?,
            username: username.to_owned(),
            recovery_codes: codes
                .context("recovery codes")?
                .iter()
                .map(text)
                .collect::<Result<_>>()?,
            client,
            passkeys: Arc::new(Mutex::new(passkeys)),
        })
    }

    /// Logs in again, in the same browser.
    ///
    /// # Errors
    /// The hypervisor refused; the message has its response.
    pub async fn log_in(&self) -> Result<()> {
        let order = json!({ "username": self.username });
        let options = post(&self.client, "/auth/login/start", &order).await?;
        let assertion = self.assertion(&options)?;
        post(&self.client, "/auth/login/finish", &assertion).await?;
        Ok(())
    }

    /// What a passkey says to these options on a page of the gateway.
    ///
    /// # Errors
    /// No passkey of this person fits.
    pub fn assertion(&self, options: &Value) -> Result<Value> {
        let mut passkeys = self.passkeys.lock().unwrap_or_else(PoisonError::into_inner);
        passkeys.get(options, &self.client.origin())
    }

    /// The `Cookie` header of the session, for requests by other means.
    ///
    /// # Panics
    /// There is no session.
    pub fn cookie(&self) -> String {
        let name = self.client.session_cookie();
        let Some(token) = self.client.cookie(&name) else {
            panic!("{} has no session", self.username)
        };
        format!("{name}={token}")
    }
}

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().context("a string")?.to_owned())
}

async fn post(client: &Client, path: &str, body: &Value) -> Result<Value> {
    let response: Response = client.post_json(path, body).await?;
    ensure!(
        response.status == 200,
        "{path}: {} {}",
        response.status,
        response.text()
    );
    response.json()
}
