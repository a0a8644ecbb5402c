//! What is measured: a server that responds on loopback.

use crate::client::{self, Client, Stream};
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::ClientConfig;

/// A server under load, with all that stands between its clients and the upstream.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name in the tables.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// The name that clients know it by, without the port.
    pub host_name: String,
    /// How to believe it, if it speaks TLS.
    pub tls: Option<Arc<ClientConfig>>,
    /// The processes whose families' time and memory count; none for the upstream alone.
    pub pids: Vec<u32>,
    /// The `Cookie` header of every request.
    pub cookie: String,
    /// Whether it turns away those who have no session.
    pub checks_session: bool,
}

impl Target {
    /// The `Host` header of every request.
    pub fn host(&self) -> String {
        format!("{}:{}", self.host_name, self.address.port())
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme(), self.host())
    }

    /// The address of a path for programs that have to look its name up: not every system's
    /// resolver knows the names below `localhost`.
    pub fn local_url(&self, path: &str) -> String {
        format!(
            "{}://localhost:{}{path}",
            self.scheme(),
            self.address.port()
        )
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The header line of its cookie.
    pub fn cookie_line(&self) -> String {
        format!("Cookie: {}\r\n", self.cookie)
    }

    /// Opens a connection to it.
    ///
    /// # Errors
    /// The system's, or TLS's.
    pub async fn connect(&self) -> Result<Stream> {
        Stream::connect(self.address, self.tls.as_ref()).await
    }

    /// Checks that it responds as it should, so that no redirect, error page or forgotten check
    /// is measured: 200 and a body of this length with a session, and a refusal without one.
    ///
    /// # Errors
    /// It responds otherwise.
    pub async fn check(&self, path: &str, body: Option<usize>, length: usize) -> Result<()> {
        let name = self.name;
        let response = self.once(path, body, &self.cookie_line()).await?;
        ensure!(
            response.status == 200 && response.length == length,
            "{name} responds to {path} with {} and {} bytes, not with 200 and {length}",
            response.status,
            response.length
        );
        let stranger = self
            .once(path, None, "Accept: application/json\r\n")
            .await?;
        ensure!(
            (stranger.status == 401) == self.checks_session,
            "{name} responds to a request without a session with {}: its check is {}",
            stranger.status,
            if self.checks_session {
                "not at work"
            } else {
                "unexpected"
            }
        );
        Ok(())
    }

    async fn once(
        &self,
        path: &str,
        body: Option<usize>,
        headers: &str,
    ) -> Result<client::Response> {
        let asked = async {
            let mut client = Client::over(self.connect().await?);
            client
                .ask(&client::request(self, path, body, headers))
                .await
        };
        tokio::time::timeout(Duration::from_secs(10), asked)
            .await
            .map_err(anyhow::Error::from)
            .flatten()
            .with_context(|| format!("{} does not respond to {path}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use crate::echo::Echo;

    #[tokio::test]
    async fn what_responds_otherwise_is_not_measured() {
        let echo = Echo::start().unwrap();
        let mut target = echo.target();
        target.check("/", None, "well".len()).await.unwrap();
        let error = target.check("/", None, 100).await.unwrap_err();
        let said = "echo responds to / with 200 and 4 bytes, not with 200 and 100";
        assert_eq!(error.to_string(), said);
        target.checks_session = true;
        let error = target.check("/", None, "well".len()).await.unwrap_err();
        assert!(
            error.to_string().ends_with("its check is not at work"),
            "{error}"
        );
    }
}
