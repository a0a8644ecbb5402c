//! How a browser gets into a sandbox at the sandbox's own host.

use crate::client::{Client, Response};
use crate::person::Person;
use anyhow::{Context, Result, ensure};
use url::Url;

impl Person {
    /// Goes to a sandbox's own host, such as `sandbox-dev.localhost`, as the address bar does; a
    /// client of that host, with the cookie that lets it in.
    ///
    /// # Errors
    /// The hypervisor did not let this person in; the message has its response.
    pub async fn enter(&self, host: &str) -> Result<Client> {
        let sandbox = self.client.at(host)?;
        let asks = redirect(&sandbox, "/").await?;
        ensure!(
            asks.path() == "/auth/enter" && asks.host_str() == Some(self.client.host()),
            "{host} leads to {asks}, and not to be let in"
        );
        let enters = redirect(&self.client, &target(&asks)).await?;
        ensure!(
            enters.path() == "/.choiros/enter" && enters.host_str() == Some(host),
            "{asks} leads to {enters}, and not into the sandbox"
        );
        let arrives = redirect(&sandbox, &target(&enters)).await?;
        ensure!(
            arrives.origin() == enters.origin() && arrives.path() == "/",
            "{enters} leads to {arrives}, and not to where the browser wanted to go"
        );
        Ok(sandbox)
    }
}

/// Where a navigation to this path is sent on.
async fn redirect(client: &Client, path: &str) -> Result<Url> {
    let response: Response = client.navigate(path).await?;
    let said = || format!("{path}: {} {}", response.status, response.text());
    let location = response.header("location").with_context(said)?;
    let here = Url::parse(&client.origin())?.join(path)?;
    here.join(location).with_context(said)
}

/// What a request for it asks for.
fn target(url: &Url) -> String {
    let query = url.query().map(|query| format!("?{query}"));
    format!("{}{}", url.path(), query.unwrap_or_default())
}
