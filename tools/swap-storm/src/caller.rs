//! Whoever calls the hypervisor's own surface: with a session, and never twice.

use super::origins;
use super::wire::Wire;
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use std::net::SocketAddr;
use testkit::act;
use testkit::person::Person;
use testkit::wait::DEADLINE;
use tokio::time::timeout;

/// An account that is logged in, with its passkey.
pub(super) struct Caller {
    pub(super) person: Person,
    address: SocketAddr,
    /// The headers of each call.
    headers: String,
}

impl Caller {
    /// This person at the hypervisor that listens there.
    pub(super) fn new(person: Person, address: SocketAddr) -> Self {
        let headers = origins::headers(&person.client);
        Self {
            person,
            address,
            headers,
        }
    }

    /// One call, on a connection of its own and never repeated.
    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        order: &Value,
    ) -> Result<(u16, Value)> {
        let order = order.to_string();
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{order}",
            self.headers,
            order.len()
        );
        let exchange = async {
            let mut wire = Wire::connect(self.address).await?;
            wire.send(request.as_bytes()).await?;
            let mut head = wire.head().await.map_err(|died| anyhow!(died.cause))?;
            let answer = wire.rest(&mut head.body).await?;
            Ok((head.status, serde_json::from_slice(&answer)?))
        };
        let answer: Result<_> = timeout(2 * DEADLINE, exchange).await?;
        answer.with_context(|| format!("{method} {path}"))
    }

    /// Begins an act and confirms it; what is left is to send the order to [`act::FINISH`].
    pub(super) async fn confirmed(&self, act: &Value) -> Result<Value> {
        let (status, begun) = self.call("POST", act::START, act).await?;
        ensure!(status == 200, "{act}: {status} {begun}");
        self.person.confirm(&begun)
    }

    /// Sends what was confirmed.
    pub(super) async fn order(&self, confirmed: &Value) -> Result<(u16, Value)> {
        self.call("POST", act::FINISH, confirmed).await
    }
}

/// Whether the order reached the next hypervisor, which knows nothing of what was confirmed before
/// it and does nothing: whoever ordered it confirms it once more.
pub(super) fn is_unknown((status, said): &(u16, Value)) -> bool {
    *status == 400 && said["error"] == "ceremony_invalid"
}
