//! Acts that take a passkey for that very act, done as a program does them.

use crate::client::{Client, Response};
use crate::person::Person;
use anyhow::Result;
use http::Method;
use serde_json::{Value, json};

/// Where an act begins.
pub const START: &str = "/auth/acts/start";
/// Where a confirmed act is done.
pub const FINISH: &str = "/auth/acts/finish";

impl Person {
    /// Does an act with a passkey; the response is the act's own, or that of a refused start.
    ///
    /// # Errors
    /// There was no response, or one that no passkey of this person fits.
    pub async fn act(&self, name: &str, mut parameters: Value) -> Result<Response> {
        parameters["act"] = name.into();
        let begun = post(&self.client, START, &parameters).await?;
        if begun.status != 200 {
            return Ok(begun);
        }
        post(&self.client, FINISH, &self.confirm(&begun.json()?)?).await
    }

    /// The act `swap` of this person's own workspace.
    ///
    /// # Errors
    /// There was no whole response.
    pub async fn swap(&self, mut order: Value) -> Result<Response> {
        order["user_id"] = self.user_id.clone().into();
        self.act("swap", order).await
    }

    /// Confirms the act that a start answered with `begun`; what is left is to send the order to
    /// [`FINISH`].
    ///
    /// # Errors
    /// No passkey of this person fits.
    pub fn confirm(&self, begun: &Value) -> Result<Value> {
        Ok(json!({ "id": begun["id"], "credential": self.assertion(begun)? }))
    }
}

/// Without what browsers say of a request, to whom a page is shown in place of the options where
/// sandboxes share the gateway's origin.
async fn post(client: &Client, path: &str, body: &Value) -> Result<Response> {
    client
        .request(Method::POST, path)
        .without("sec-fetch-site")
        .without("sec-fetch-mode")
        .without("origin")
        .json(body)?
        .send()
        .await
}
